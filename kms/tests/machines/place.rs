//! A server with a secret, machines that may read it, and what its audit log says of them.

use std::{cell::RefCell, collections::HashSet};

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::{
    server::Server,
    support::{kms, run},
};

const SECRET: &str = "the secret that machines are here for";

/// A server, with somebody who administers it by HTTP.
pub(crate) struct Place {
    pub(crate) server: Server,
    token: String,
    /// Records of the audit log that were looked at.
    seen: RefCell<HashSet<String>>,
}

impl Place {
    /// A server that may call this machine, as one for development may, with further flags.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let server = Server::start_with(flags, &[]);
        let place = Self { token: server.token(), server, seen: RefCell::default() };
        let project = place.server.credential("/project/id");
        place.post(
            "/api/v4/secrets/GREETING",
            &json!({ "projectId": project, "environment": "dev", "secretValue": SECRET }),
        );
        place
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        self.server.post(path, &self.token, body).json()
    }

    /// A new machine identity that may read the project.
    #[track_caller]
    fn machine(&self) -> String {
        let made = self.post("/api/v1/identities", &json!({ "name": "machine" }));
        let identity = made["identity"]["id"].as_str().unwrap().to_owned();
        let project = self.server.credential("/project/id");
        let path = format!("/api/v1/projects/{project}/memberships/identities/{identity}");
        self.post(&path, &json!({ "role": "viewer" }));
        identity
    }

    /// A machine with a method as `docs/src/machines` tells administrators to attach it.
    #[track_caller]
    pub(crate) fn machine_with(&self, method: &str, settings: &Value) -> String {
        let identity = self.machine();
        self.post(&format!("/api/v1/auth/{method}/identities/{identity}"), settings);
        identity
    }

    /// What changing a method of a machine is answered.
    pub(crate) fn change(&self, identity: &str, method: &str, settings: &Value) -> (u16, String) {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        let line = format!("PATCH /api/v1/auth/{method}/identities/{identity}");
        let answer = self.server.ask(&line, &headers, &settings.to_string());
        (answer.status, answer.body)
    }

    /// A login of the machine from an otherwise empty environment.
    pub(crate) fn login(&self, method: &str, identity: &str) -> Command {
        let mut command = kms();
        command.args(["login", "--plain", "--silent", "--method", method]);
        command.env("INFISICAL_API_URL", &self.server.url);
        command.env("INFISICAL_MACHINE_IDENTITY_ID", identity);
        command
    }

    /// Logs in, reads the secret with what was printed, and answers what the audit log says of it
    /// under the name.
    #[track_caller]
    pub(crate) fn admits(&self, login: &mut Command, event: &str) -> Value {
        let ran = run(login).ends_with(0);
        assert_eq!(ran.stderr, "", "nothing but the token");
        let token = ran.stdout.strip_suffix('\n').unwrap();
        assert!(token.split('.').count() == 3 && !token.contains(char::is_whitespace), "{token}");
        let mut read = kms();
        read.args(["secrets", "get", "GREETING", "--plain", "--silent", "--env=dev"]);
        read.args(["--projectId", self.server.credential("/project/id")]);
        read.env("INFISICAL_TOKEN", token).env("INFISICAL_API_URL", &self.server.url);
        assert_eq!(run(&mut read).ends_with(0).stdout, format!("{SECRET}\n"));
        self.last(event)
    }

    /// Is refused with the text, and the audit log says why under the name.
    #[track_caller]
    pub(crate) fn refuses(&self, login: &mut Command, text: &str, event: &str, reason: &str) {
        assert_eq!(self.reason(login, text, event), reason);
    }

    /// Why it is refused with the text, by the audit log.
    #[track_caller]
    pub(crate) fn reason(&self, login: &mut Command, text: &str, event: &str) -> String {
        let ran = run(login).ends_with(3);
        assert_eq!(ran.stdout, "");
        ran.says(text);
        self.last(event)["reason"].as_str().unwrap().to_owned()
    }

    /// What the newest event of this name in the audit log says; it must be news.
    #[track_caller]
    fn last(&self, event: &str) -> Value {
        let path = format!("/api/v1/organization/audit-logs?eventType={event}&limit=1");
        let bearer = format!("Bearer {}", self.token);
        let headers = [("authorization", bearer.as_str())];
        let logs = self.server.ask(&format!("GET {path}"), &headers, "").json();
        let log = &logs["auditLogs"][0];
        let id = log["id"].as_str().expect("there is such an event").to_owned();
        assert!(self.seen.borrow_mut().insert(id), "no new event: {log}");
        log["event"]["metadata"].clone()
    }
}
