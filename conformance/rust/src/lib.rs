//! The crate `infisical`, as a program would use it.
//!
//! Not here: keys (`client.kms()`). The crate has no tags, versions, folders, projects or logins
//! other than universal auth, so nobody but a machine asks, which has no overrides of its own.
//! Folders and imports are made by hand.

use std::sync::atomic::{AtomicU32, Ordering};

use infisical::{AuthMethod, Client};
use serde_json::{Value, json};

/// What `kms server --dev` wrote about itself.
pub fn server() -> Value {
    let path = std::env::var("KMS_CONFORMANCE_CREDENTIALS").expect("names the credentials file");
    serde_json::from_slice(&std::fs::read(path).expect("can be read")).expect("is JSON")
}

/// A text of the server's description, by its JSON pointer.
pub fn said(server: &Value, pointer: &str) -> String {
    server.pointer(pointer).and_then(Value::as_str).expect("is described").to_owned()
}

/// A client that the machine identity is logged in with, and a folder of the test's own.
pub struct Place {
    pub client: Client,
    pub project: String,
    pub path: String,
}

impl Place {
    /// Logs in and makes the folder, by hand: the crate knows no folders. The server's data goes
    /// away with the server, so the folder needs no removal.
    pub async fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let server = server();
        let client = client(&server).await;
        let project = said(&server, "/project/id");
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("r{}-{number}", std::process::id());
        let place = Self { client, project, path: String::new() };
        let path = place.folder(&name).await;
        Self { path, ..place }
    }

    /// Makes a folder in this one; its path.
    pub async fn folder(&self, name: &str) -> String {
        let parent = if self.path.is_empty() { "/" } else { &self.path };
        self.make("folders", json!({ "name": name, "path": parent })).await;
        format!("{}/{name}", self.path)
    }

    /// Imports a folder of the same environment into this one.
    pub async fn import(&self, source: &str) {
        let source = json!({ "environment": "dev", "path": source });
        self.make("secret-imports", json!({ "path": self.path, "import": source })).await;
    }

    async fn make(&self, what: &str, mut body: Value) {
        body["workspaceId"] = self.project.as_str().into();
        body["environment"] = "dev".into();
        let url = format!("{}/api/v1/{what}", self.client.base_url);
        let request = self.client.http_client.post(url).json(&body);
        let answer = request.send().await.expect("is answered");
        assert!(answer.status().is_success(), "no {what}: {}", answer.status());
    }
}

/// A client that nobody is logged in with.
pub async fn stranger(server: &Value) -> Client {
    Client::builder().base_url(said(server, "/url")).build().await.expect("a client")
}

/// A client that the machine identity is logged in with.
pub async fn client(server: &Value) -> Client {
    let mut client = stranger(server).await;
    let method = AuthMethod::new_universal_auth(
        said(server, "/machineIdentity/clientId"),
        said(server, "/machineIdentity/clientSecret"),
    );
    client.login(method).await.expect("a login");
    client
}
