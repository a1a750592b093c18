//! Folders and secrets, as clients of the contract see them.

mod concurrent;
mod folders;
mod history;
mod imports;
mod overrides;
mod reading;
mod references;
mod tags;
mod watching;
mod writing;

use kms_testkit::{Answer, Request, Tenant, TestServer};
use serde_json::{Value, json};

/// A server with a project, and the machine that administers it.
pub(crate) struct Vault {
    pub(crate) server: TestServer,
    pub(crate) tenant: Tenant,
    pub(crate) project: String,
}

impl Vault {
    pub(crate) async fn start() -> Self {
        let server = TestServer::start().await;
        let tenant = server.seed().await;
        let project = tenant.made.project.id.to_string();
        Self { server, tenant, project }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        self.server.call(method.parse().unwrap(), path).bearer(&self.tenant.token)
    }

    /// Reads a path with the project and `dev` in the query, as v4 spells them.
    pub(crate) async fn get(&self, path: &str, more: &str) -> Answer {
        let query = format!("projectId={}&environment=dev{more}", self.project);
        self.request("GET", &format!("{path}?{query}")).send().await
    }

    /// As [`Vault::get`], as v3 and v1 spell it.
    pub(crate) async fn get_old(&self, path: &str, more: &str) -> Answer {
        let query = format!("workspaceId={}&environment=dev{more}", self.project);
        self.request("GET", &format!("{path}?{query}")).send().await
    }

    /// Sends a body, the project and `dev` added as v4 spells them.
    pub(crate) async fn send(&self, method: &str, path: &str, mut body: Value) -> Answer {
        body["projectId"] = json!(self.project);
        body["environment"] = json!("dev");
        self.request(method, path).json(body).send().await
    }

    /// As [`Vault::send`], as v3 and v1 spell it.
    pub(crate) async fn send_old(&self, method: &str, path: &str, mut body: Value) -> Answer {
        body["workspaceId"] = json!(self.project);
        body["environment"] = json!("dev");
        self.request(method, path).json(body).send().await
    }

    pub(crate) async fn create(&self, name: &str, value: &str) -> Value {
        let path = format!("/api/v4/secrets/{name}");
        self.send("POST", &path, json!({ "secretValue": value })).await.ok()["secret"].clone()
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}
