//! A program beside the browser: single requests as they go over the wire, and a site of somebody
//! else's for the browser to visit.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use serde_json::{Value, json};

use crate::server::Server;

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Server {
    /// Asks, with further header lines and a body.
    pub(crate) fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let host = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host.replace("localhost", "127.0.0.1")).unwrap();
        let mut request = format!("{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.extend([*name, ": ", *value, "\r\n"]);
        }
        let length = body.len();
        write!(stream, "{request}content-length: {length}\r\n\r\n{body}").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Posts JSON with a token; an empty one is none.
    pub(crate) fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("content-type", "application/json")];
        headers.extend((!token.is_empty()).then_some(("authorization", bearer.as_str())));
        self.ask(&format!("POST {path}"), &headers, &body.to_string())
    }

    /// A token of the person, in their organization.
    pub(crate) fn token(&self) -> String {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let body = json!({
            "email": self.credential("/user/email"),
            "password": self.credential("/user/password"),
        });
        let login = text(&self.post("/api/v3/auth/login", "", &body).json()["accessToken"]);
        let body = json!({ "organizationId": self.credential("/organization/id") });
        text(&self.post("/api/v3/auth/select-organization", &login, &body).json()["token"])
    }
}

/// A site of somebody else's: one page, whatever is asked for.
pub(crate) struct Elsewhere {
    pub(crate) url: String,
}

impl Elsewhere {
    /// Serves until the test's process ends.
    pub(crate) fn serve(body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let page = format!("<!doctype html><link rel=icon href='data:,'><title>Evil</title>{body}");
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{page}",
            page.len()
        );
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream);
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                let _ = reader.into_inner().write_all(answer.as_bytes());
            }
        });
        Self { url }
    }
}
