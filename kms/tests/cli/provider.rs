//! A server that logs people in through the browser, as strict as the specifications are: what the
//! program sends is checked, and the test plays the browser.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};

use crate::support::{
    CANARY, Reply, Request,
    people::{EMAIL, ORGANIZATION, organizations, token},
};

/// The code that a browser brings. Good once.
pub(crate) const CODE: &str = "code-canary-7c1e9a";
pub(crate) const DEVICE_CODE: &str = "device-canary-7c1e9a";
pub(crate) const USER_CODE: &str = "WDJB-MJHT";

/// What a test may change about it.
#[derive(Default)]
pub(crate) struct Setup {
    /// Changes the metadata.
    pub(crate) metadata: Option<fn(&mut Value)>,
    /// What polls are answered before the code counts as confirmed.
    pub(crate) polls: Vec<Reply>,
    /// What asking for a device code is answered, in place of one.
    pub(crate) no_device: Option<Reply>,
    /// Whether the answer with the tokens leaves out whose they are.
    pub(crate) nameless: bool,
    /// Who is logged in.
    pub(crate) email: Option<&'static str>,
}

pub(crate) struct Provider {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    setup: Setup,
    url: String,
    polls: VecDeque<Reply>,
    /// Challenge and redirect address of a request that was confirmed.
    granted: Option<(String, String)>,
    requests: Vec<(Instant, Request)>,
}

/// An authorization request, as it was sent by way of the browser.
pub(crate) struct Asked {
    pub(crate) redirect_uri: String,
    pub(crate) state: String,
    pub(crate) query: BTreeMap<String, String>,
    issuer: String,
}

impl Asked {
    pub(crate) fn with(&self, query: &str) -> String {
        format!("{}?{query}", self.redirect_uri)
    }

    /// What the browser is sent back with.
    pub(crate) fn confirmed(&self) -> String {
        self.with(&format!("code={CODE}&state={}&iss={}", self.state, self.iss()))
    }

    pub(crate) fn denied(&self, description: &str) -> String {
        let description: String = form_urlencoded::byte_serialize(description.as_bytes()).collect();
        let (state, iss) = (&self.state, self.iss());
        self.with(&format!(
            "error=access_denied&error_description={description}&state={state}&iss={iss}"
        ))
    }

    pub(crate) fn iss(&self) -> String {
        form_urlencoded::byte_serialize(self.issuer.as_bytes()).collect()
    }

    pub(crate) fn port(&self) -> u16 {
        Url::parse(&self.redirect_uri).unwrap().port().unwrap()
    }

    pub(crate) fn path(&self) -> String {
        Url::parse(&self.redirect_uri).unwrap().path().to_owned()
    }
}

impl Provider {
    pub(crate) fn start() -> Self {
        Self::with(Setup::default())
    }

    pub(crate) fn with(mut setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let polls = std::mem::take(&mut setup.polls).into();
        let url = format!("http://{address}");
        let state = State { setup, url, polls, granted: None, requests: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                    let Some(request) = Request::read(&mut stream) else { return };
                    let reply = shared.lock().unwrap().answer(request);
                    let _ = reply.write(&mut stream);
                });
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Reads the address that the browser was sent to, and remembers the request as confirmed.
    #[track_caller]
    pub(crate) fn asked(&self, address: &str) -> Asked {
        let url = Url::parse(address).unwrap();
        assert_eq!(url.origin().ascii_serialization(), self.url());
        assert_eq!(url.path(), "/oauth/authorize");
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let query: BTreeMap<_, _> = pairs.iter().cloned().collect();
        assert_eq!(query.len(), pairs.len(), "nothing is sent twice: {address}");
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], "kms-cli");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(URL_SAFE_NO_PAD.decode(&query["code_challenge"]).unwrap().len(), 32);
        assert!(URL_SAFE_NO_PAD.decode(&query["state"]).unwrap().len() >= 16);
        let redirect_uri = query["redirect_uri"].clone();
        let grant = (query["code_challenge"].clone(), redirect_uri.clone());
        self.state.lock().unwrap().granted = Some(grant);
        Asked { redirect_uri, state: query["state"].clone(), query, issuer: self.url() }
    }

    /// What asking for a device code is answered from now on.
    pub(crate) fn answer_devices_with(&self, reply: Reply) {
        self.state.lock().unwrap().setup.no_device = Some(reply);
    }

    /// What arrived at a path, with the time of it.
    pub(crate) fn requests(&self, path: &str) -> Vec<(Instant, Request)> {
        let requests = &self.state.lock().unwrap().requests;
        let mine = requests.iter().filter(|(_, request)| request.target == path);
        mine.map(|(at, request)| (*at, request.clone())).collect()
    }
}

impl State {
    fn answer(&mut self, request: Request) -> Reply {
        let reply = match (request.method.as_str(), request.target.as_str()) {
            ("GET", "/.well-known/oauth-authorization-server") => Reply::json(200, self.metadata()),
            ("POST", "/oauth/token") => self.token(&form(&request)),
            ("POST", "/oauth/device") => self.device(&form(&request)),
            ("GET", "/api/v2/users/me") => Reply::json(200, json!({ "user": Self::user() })),
            ("GET", "/api/v1/organization/accessible-with-sub-orgs") => organizations(),
            _ => Reply::error(404, "Route not found"),
        };
        self.requests.push((Instant::now(), request));
        reply
    }

    fn metadata(&self) -> Value {
        let url = &self.url;
        let mut metadata = json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/oauth/authorize"),
            "token_endpoint": format!("{url}/oauth/token"),
            "device_authorization_endpoint": format!("{url}/oauth/device"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        if let Some(change) = self.setup.metadata {
            change(&mut metadata);
        }
        metadata
    }

    fn token(&mut self, form: &BTreeMap<String, String>) -> Reply {
        assert_eq!(form["client_id"], "kms-cli");
        match form["grant_type"].as_str() {
            "authorization_code" => {
                let Some((challenge, redirect_uri)) = self.granted.clone() else {
                    return refusal("invalid_grant");
                };
                let verifier = &form["code_verifier"];
                assert!((43..=128).contains(&verifier.len()), "RFC 7636, section 4.1");
                let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
                let is_good = proof == challenge && form["redirect_uri"] == redirect_uri;
                if !is_good || form["code"] != CODE {
                    return refusal("invalid_grant");
                }
                self.granted = None;
                self.tokens()
            }
            "urn:ietf:params:oauth:grant-type:device_code" => {
                assert_eq!(form["device_code"], DEVICE_CODE);
                self.polls.pop_front().unwrap_or_else(|| self.tokens())
            }
            other => panic!("{other}"),
        }
    }

    fn device(&self, form: &BTreeMap<String, String>) -> Reply {
        assert_eq!(form["client_id"], "kms-cli");
        if let Some(reply) = &self.setup.no_device {
            return reply.clone();
        }
        Reply::json(
            200,
            json!({
                "device_code": DEVICE_CODE,
                "user_code": USER_CODE,
                "verification_uri": format!("{}/device", self.url),
                "verification_uri_complete": format!("{}/device?user_code={USER_CODE}", self.url),
                "expires_in": 600,
                "interval": 1,
            }),
        )
    }

    fn tokens(&self) -> Reply {
        let mut answer = json!({
            "access_token": token(ORGANIZATION),
            "token_type": "Bearer",
            "expires_in": 600,
            "refresh_token": format!("refresh-{CANARY}"),
        });
        if !self.setup.nameless {
            let named = |name| json!({ "id": ORGANIZATION, "name": name, "slug": "example" });
            answer["session"] = json!({
                "user_id": "0192d0a4-8f9c-7c6e-9f0a-00000000000a",
                "email": self.setup.email.unwrap_or(EMAIL),
                "organization": named("Example"),
            });
        }
        Reply::json(200, answer).with("cache-control", "no-store")
    }

    fn user() -> Value {
        let at = "2026-01-02T03:04:05.678Z";
        json!({
            "id": "0192d0a4-8f9c-7c6e-9f0a-00000000000a",
            "username": EMAIL, "email": EMAIL, "firstName": null, "lastName": null,
            "createdAt": at, "updatedAt": at,
        })
    }
}

/// An error of OAuth.
pub(crate) fn refusal(code: &str) -> Reply {
    Reply::json(400, json!({ "error": code }))
}

#[track_caller]
fn form(request: &Request) -> BTreeMap<String, String> {
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(request.header("authorization"), None, "the client is public");
    let pairs: Vec<_> = form_urlencoded::parse(&request.body).into_owned().collect();
    let form: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(form.len(), pairs.len(), "nothing is sent twice");
    form
}

/// An answer of the program's listener.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends one request, byte by byte as given, to a port of this machine.
pub(crate) fn raw(port: u16, request: &str) -> Page {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // What was not read of a request that is too large resets the connection.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    Page { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// Follows an address, as a browser does at the top level.
pub(crate) fn follow(address: &str) -> Page {
    let url = Url::parse(address).unwrap();
    let port = url.port().unwrap();
    let target = address.split_once(&format!(":{port}")).unwrap().1;
    raw(port, &format!("GET {target} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n"))
}
