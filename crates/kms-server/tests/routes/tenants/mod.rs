//! The instance, organizations, projects, environments, memberships and the audit log, as clients
//! of the contract see them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod admin;
mod audit;
mod environments;
mod memberships;
mod organizations;
mod projects;
mod roles;
mod service_tokens;

use kms_api::routes as paths;
use kms_testkit::{Answer, TestServer};
use serde_json::{Value, json};

/// Long enough, and nowhere else in an answer.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A path with its parameters, in order.
pub(crate) fn path(template: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let mut value = || *values.next().expect("a value for each parameter");
    let parts = template.split('/').map(|part| if part.starts_with('{') { value() } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The names of an object's fields, in alphabetical order.
pub(crate) fn fields(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> =
        object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The names of fields as the contract lists them, in alphabetical order.
pub(crate) fn sorted(list: &'static str) -> Vec<&'static str> {
    let mut names: Vec<_> = list.split_whitespace().collect();
    names.sort_unstable();
    names
}

/// A server that was set up by bootstrap.
pub(crate) struct Instance {
    pub(crate) server: TestServer,
    /// The instance-admin identity's token.
    pub(crate) token: String,
    pub(crate) organization: String,
}

impl Instance {
    pub(crate) async fn start() -> Self {
        Self::on(TestServer::start().await).await
    }

    /// Sets a server up.
    pub(crate) async fn on(server: TestServer) -> Self {
        let body =
            json!({"email": "ada@example.test", "password": PASSWORD, "organization": "Acme"});
        let made = server.post(paths::ADMIN_BOOTSTRAP).header("host", "localhost").json(body);
        let made = made.send().await.ok();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            token: text(&made["identity"]["credentials"]["token"]),
            organization: text(&made["organization"]["id"]),
            server,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.server.get(path).bearer(&self.token).send().await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let method = method.parse().unwrap();
        self.server.call(method, path).bearer(&self.token).json(body).send().await
    }

    /// A project named `p` with the usual environments.
    pub(crate) async fn project(&self) -> Value {
        let made = self.send("POST", paths::PROJECTS, json!({"projectName": "p"})).await;
        made.ok()["project"].clone()
    }
}
