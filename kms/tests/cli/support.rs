//! A scripted HTTP server, and the program with nothing of this machine's environment.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use assert_cmd::Command;
use serde_json::Value;

/// Stands for every credential: no output may contain it.
pub(crate) const CANARY: &str = "canary-7c1e9a";

/// The program with an empty environment, in a folder without a project file.
pub(crate) fn kms() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kms"));
    command.env_clear().current_dir(std::env::temp_dir());
    // Without it, the files of whoever runs the tests would be found by the user's id.
    command.env("KMS_CONFIG_DIR", std::env::temp_dir().join("kms-tests-without-files"));
    command.timeout(Duration::from_mins(1));
    command
}

/// A secret as the server answers it.
pub(crate) fn secret(name: &str, value: &str) -> Value {
    let id = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
    serde_json::json!({
        "id": id, "_id": id, "workspace": id, "environment": "dev", "secretPath": "/",
        "version": 1, "type": "shared", "secretKey": name, "secretValue": value,
    })
}

/// A list of secrets without imports.
pub(crate) fn secrets(pairs: &[(&str, &str)]) -> Value {
    let listed: Vec<Value> = pairs.iter().map(|(name, value)| secret(name, value)).collect();
    serde_json::json!({ "secrets": listed, "imports": [] })
}

/// What a command printed and how it ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.code, code, "stdout: {stdout}\nstderr: {stderr}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{text:?} in {}", self.stderr);
        self
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The only value of a header; `None` when it was not sent.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "`{name}` was sent twice");
        value
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn read(stream: impl Read) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self { method, target, headers, body: Vec::new() };
        let length = request.header("content-length").map(str::parse::<usize>);
        request.body = vec![0; length.transpose().ok()?.unwrap_or(0)];
        reader.read_exact(&mut request.body).ok()?;
        Some(request)
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    delay: Duration,
}

impl Reply {
    pub(crate) fn json(status: u16, body: impl Into<Value>) -> Self {
        let body = body.into().to_string();
        Self::text(status, "application/json; charset=utf-8", &body)
    }

    pub(crate) fn text(status: u16, content_type: &str, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.to_owned(), delay: Duration::ZERO }
            .with("content-type", content_type)
    }

    /// An error of the contract.
    pub(crate) fn error(status: u16, message: &str) -> Self {
        let body = serde_json::json!({
            "reqId": "req-1",
            "statusCode": status,
            "message": message,
            "error": "Error",
        });
        Self::json(status, body)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without the headers of a name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub(crate) fn write(&self, stream: &mut impl Write) -> std::io::Result<()> {
        thread::sleep(self.delay);
        let Self { status, body, .. } = self;
        write!(stream, "HTTP/1.1 {status} Scripted\r\nconnection: close\r\n")?;
        write!(stream, "content-length: {}\r\n", body.len())?;
        for (name, value) in &self.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        write!(stream, "\r\n{body}")?;
        stream.flush()
    }
}

/// Stands for whoever is asked. With a list of replies, a request too many fails the test.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Turns an accepted connection into what is read and written.
pub(crate) type Wrap = Box<dyn Fn(TcpStream) -> Box<dyn ReadWrite> + Send>;

pub(crate) trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

/// A connection as it is.
pub(crate) fn plain() -> Wrap {
    Box::new(|stream| Box::new(stream))
}

impl Server {
    pub(crate) fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::on(listener, replies, plain())
    }

    pub(crate) fn on(
        listener: TcpListener,
        replies: impl IntoIterator<Item = Reply>,
        wrap: Wrap,
    ) -> Self {
        let mut replies: VecDeque<Reply> = replies.into_iter().collect();
        let too_many = || Reply::error(500, "one request too many");
        Self::answering(listener, wrap, move |_| replies.pop_front().unwrap_or_else(too_many))
    }

    /// Answers each request as told.
    pub(crate) fn answering(
        listener: TcpListener,
        wrap: Wrap,
        answer: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let requests = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let mut script = Script { answer: Box::new(answer), requests: Arc::clone(&requests), wrap };
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                script.answer(stream.unwrap());
            }
        });
        Self { address, requests, stop, thread: Some(thread) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What arrived so far, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The one request that arrived.
    #[track_caller]
    pub(crate) fn request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.into_iter().next().unwrap()
    }

    /// Waits until a request has arrived.
    pub(crate) fn wait_for_request(&self) {
        let started = Instant::now();
        while self.requests().is_empty() {
            assert!(started.elapsed() < Duration::from_secs(20), "no request");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread from waiting for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An address that takes no connection and refuses none, as where a firewall drops everything:
/// nobody accepts there, and the queue is full.
#[cfg(target_os = "linux")]
pub(crate) struct BlackHole {
    address: SocketAddr,
    _full: (TcpListener, Vec<TcpStream>),
}

#[cfg(target_os = "linux")]
impl BlackHole {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(stream);
            assert!(waiting.len() < 10_000, "the queue has no end");
        }
        Self { address, _full: (listener, waiting) }
    }

    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }
}

struct Script {
    answer: Box<dyn FnMut(&Request) -> Reply + Send>,
    requests: Arc<Mutex<Vec<Request>>>,
    wrap: Wrap,
}

impl Script {
    fn answer(&mut self, stream: TcpStream) {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut stream = (self.wrap)(stream);
        let Some(request) = Request::read(&mut stream) else {
            return;
        };
        let reply = (self.answer)(&request);
        self.requests.lock().unwrap().push(request);
        // A client that was killed does not wait for its answer.
        let _ = reply.write(&mut stream);
    }
}

/// The person, the organizations and the tokens of scripted logins.
pub(crate) mod people {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::{CANARY, Reply};

    pub(crate) const EMAIL: &str = "user@example.com";
    pub(crate) const PASSWORD: &str = "canary-7c1e9a your-password";
    pub(crate) const ORGANIZATION: &str = "0192d0a4-8f9c-7c6e-9f0a-000000000001";
    pub(crate) const OTHER: &str = "0192d0a4-8f9c-7c6e-9f0a-000000000002";
    pub(crate) const SUB: &str = "0192d0a4-8f9c-7c6e-9f0a-000000000003";

    /// An access token that says who it is for. Its signature is the canary.
    pub(crate) fn token(organization: &str) -> String {
        let claims = json!({
            "authTokenType": "accessToken",
            "userId": "0192d0a4-8f9c-7c6e-9f0a-00000000000a",
            "organizationId": organization,
            "iat": 1_700_000_000,
            "exp": 4_000_000_000_u32,
        });
        format!("eyJhbGciOiJIUzI1NiJ9.{}.{CANARY}", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    /// E-mail address and password were right.
    pub(crate) fn welcome() -> Reply {
        Reply::json(200, json!({ "accessToken": "login.token.canary-7c1e9a" }))
            .with("set-cookie", "jid=canary-7c1e9a-first; HttpOnly; Path=/; SameSite=Strict")
    }

    /// The organization was chosen.
    pub(crate) fn selected(organization: &str) -> Reply {
        Reply::json(200, json!({ "token": token(organization), "isMfaEnabled": false }))
            .with("set-cookie", "jid=canary-7c1e9a-second; HttpOnly; Path=/; SameSite=Strict")
    }

    /// The organization wants a second factor.
    pub(crate) fn challenge(method: &str) -> Reply {
        let token = "mfa.token.canary-7c1e9a";
        Reply::json(200, json!({ "token": token, "isMfaEnabled": true, "mfaMethod": method }))
    }

    /// The second factor was right.
    pub(crate) fn verified() -> Reply {
        Reply::json(200, json!({ "token": "verified.token.canary-7c1e9a" }))
            .with("set-cookie", "jid=canary-7c1e9a-mfa; HttpOnly; Path=/")
    }

    /// Two organizations, the first with a sub-organization.
    pub(crate) fn organizations() -> Reply {
        let at = "2026-01-02T03:04:05.678Z";
        let sub = json!({ "id": SUB, "name": "Team two", "slug": "team2" });
        Reply::json(
            200,
            json!({ "organizations": [
                { "id": ORGANIZATION, "name": "Example", "slug": "example", "createdAt": at,
                  "subOrganizations": [sub] },
                { "id": OTHER, "name": "Other", "slug": "other", "createdAt": at,
                  "subOrganizations": [] },
            ] }),
        )
    }

    /// What a direct login is answered.
    pub(crate) fn direct() -> Vec<Reply> {
        vec![welcome(), selected(ORGANIZATION), organizations()]
    }
}

/// A user's own files, with a vault that needs no keyring.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        run(kms().args(["vault", "set", "file"]).envs(home.environment())).ends_with(0);
        home
    }

    /// What leads to it.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 2] {
        [
            ("KMS_CONFIG_DIR", self.0.path().to_str().unwrap()),
            ("KMS_VAULT_FILE_PASSPHRASE", "passphrase-of-tests"),
        ]
    }

    pub(crate) fn config(&self) -> Value {
        let text = std::fs::read(self.0.path().join("config.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// Everything that lies there, in one heap.
    pub(crate) fn everything(&self) -> String {
        fn collect(folder: &std::path::Path, heap: &mut String) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    collect(&path, heap);
                } else {
                    heap.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
                }
            }
        }
        let mut heap = String::new();
        collect(self.0.path(), &mut heap);
        heap
    }
}
