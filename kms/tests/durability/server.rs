//! The real binary as a server that can be killed and started again on the same data.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{database::Database, http::Connection};

/// A root key for databases that have no directory to keep one in.
const ROOT_KEY: &str = "b1f0c7a2593e8d461f7a0cb38e2d945560e37cd1184fa96b02d8357e9c41fa6d";

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) child: Child,
}

impl Server {
    /// Starts the server, optionally under another program, and waits until it is ready.
    pub(crate) fn start(database: &Database, under: &[&str]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_kms"));
        let mut words: Vec<String> = under.iter().map(|word| (*word).to_owned()).collect();
        words.push(binary.to_str().unwrap().to_owned());
        let log = std::fs::File::create(database.directory().join("server.log")).unwrap();
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(["server", "--listen", &address.to_string()])
            .args(["--rate-limit-write", "0", "--rate-limit-read", "0"])
            .args(database.arguments())
            .env_remove("KMS_DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        if let Database::Postgres { .. } = database {
            command.env("KMS_ROOT_KEY", ROOT_KEY);
        }
        let mut server = Self { address, child: command.spawn().unwrap() };
        server.wait_until_ready(database);
        server
    }

    fn wait_until_ready(&mut self, database: &Database) {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            let status = Connection::open(self.address, "")
                .and_then(|mut connection| connection.send("GET", "/api/status", None));
            if matches!(status, Ok((200, _))) {
                return;
            }
            let log = || std::fs::read_to_string(database.directory().join("server.log"));
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", log().unwrap());
            }
            assert!(Instant::now() < give_up, "the server is not ready: {}", log().unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// `kill -9`: no handler runs, nothing is flushed.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sets the instance up and makes a project: a token and the project's id.
    pub(crate) fn set_up(&self) -> (String, String) {
        let mut anybody = Connection::open(self.address, "").unwrap();
        let bootstrap = json!({
            "email": "admin@example.com",
            "password": "a long enough password",
            "organization": "Crash",
        });
        let (status, body) =
            anybody.send("POST", "/api/v1/admin/bootstrap", Some(&bootstrap)).unwrap();
        assert_eq!(status, 200, "{body}");
        let token = body["identity"]["credentials"]["token"].as_str().unwrap().to_owned();
        let mut admin = Connection::open(self.address, &token).unwrap();
        let project = json!({ "projectName": "Crash" });
        let (status, body) = admin.send("POST", "/api/v1/projects", Some(&project)).unwrap();
        assert_eq!(status, 200, "{body}");
        (token, body["project"]["id"].as_str().unwrap().to_owned())
    }
}
