//! Sends what was recorded to a server of ours, and notes how its answers differ.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use kms_testkit::{Answer, TestServer};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::{
    fixture::Exchange,
    shape::{self, Seen},
    tokens,
};

/// The header that a client of ours adds to set an instance up.
const SETUP_TOKEN: &str = "x-kms-setup-token";

/// One way in which our server differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    /// In the shape of an endpoint's successes.
    Shape { endpoint: String, how: shape::Difference, what: String },
    /// In the status of an exchange.
    Status { n: u32, recorded: u16, ours: u16 },
    /// In a value of an exchange's answer.
    Value { n: u32, what: String },
    /// An exchange that cannot be sent, or that is answered otherwise and not looked at further.
    NotCovered { n: u32 },
}

impl Found {
    /// The exchange that it is about.
    pub(crate) fn exchange(&self) -> Option<u32> {
        match *self {
            Self::Shape { .. } => None,
            Self::Status { n, .. } | Self::Value { n, .. } | Self::NotCovered { n } => Some(n),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { endpoint, how, what } => write!(f, "{endpoint}: {how:?} {what}"),
            Self::Status { n, recorded, ours } => write!(f, "{n}: status {recorded} -> {ours}"),
            Self::Value { n, what } => write!(f, "{n}: value {what}"),
            Self::NotCovered { n } => write!(f, "{n}: not covered"),
        }
    }
}

/// A scenario under way.
pub(crate) struct Replay {
    server: TestServer,
    names: BTreeMap<String, String>,
    seen: BTreeMap<String, Seen>,
    found: BTreeSet<Found>,
    refusals: BTreeMap<u32, String>,
}

/// How a whole scenario differed.
pub(crate) struct Report {
    /// All differences, those of shapes included.
    pub(crate) found: BTreeSet<Found>,
    /// What our server said where it refused, for whoever looks into a difference.
    pub(crate) refusals: BTreeMap<u32, String>,
}

impl Replay {
    /// A server that nobody set up.
    pub(crate) async fn start() -> Self {
        let server = TestServer::start().await;
        let token = server.core().setup_token().await.unwrap().unwrap();
        let names = [("setupToken".to_owned(), token.expose_secret().to_owned())].into();
        Self {
            server,
            names,
            seen: BTreeMap::new(),
            found: BTreeSet::new(),
            refusals: BTreeMap::new(),
        }
    }

    /// Sends one request and compares the answer; of one that the table leaves out only whether it
    /// is answered alike by now.
    pub(crate) async fn send(&mut self, exchange: &Exchange, left_out: bool) {
        let Exchange { n, status: recorded, .. } = *exchange;
        self.server.clock.advance(exchange.waits + exchange.later);
        self.make_tag(exchange).await;
        let answer = self.ask(exchange).await;
        self.server.clock.advance(-exchange.later);
        let Some(answer) = answer else {
            self.found.insert(Found::NotCovered { n });
            return;
        };
        let ours = answer.status.as_u16();
        if ours >= 400 {
            self.refusals.insert(n, answer.json()["message"].to_string());
        }
        if left_out {
            if ours != recorded {
                self.found.insert(Found::NotCovered { n });
            }
            return;
        }
        if ours != recorded {
            self.found.insert(Found::Status { n, recorded, ours });
        }
        if ours == 200 {
            self.keep(exchange, &answer);
        }
    }

    /// Makes the tag that an exchange names: the recording has none in which it was made.
    async fn make_tag(&mut self, exchange: &Exchange) {
        let asks = exchange.body.as_ref().is_some_and(|body| body.to_string().contains("{{tag}}"));
        if !asks || self.names.contains_key("tag") {
            return;
        }
        let path = format!("/api/v1/workspace/{}/tags", self.names["project"]);
        let body = serde_json::json!({ "name": "A tag", "slug": "a-tag", "color": "#ffffff" });
        let request = self.server.post(&path).bearer(&self.names["user"]).json(body);
        let made = request.send().await.ok();
        let id = made["workspaceTag"]["id"].as_str().expect("a tag has an id");
        self.names.insert("tag".into(), id.to_owned());
    }

    /// Ends the scenario.
    pub(crate) async fn finish(mut self, shapes: &Map<String, Value>) -> Report {
        self.server.stop().await;
        let nothing = Seen::default();
        for (endpoint, recorded) in shapes {
            let seen = self.seen.get(endpoint).unwrap_or(&nothing);
            self.found.extend(seen.compare(recorded).into_iter().map(|(how, what)| Found::Shape {
                endpoint: endpoint.clone(),
                how,
                what,
            }));
        }
        Report { found: self.found, refusals: self.refusals }
    }

    /// Sends a request, unless it needs a name that nothing has bound.
    async fn ask(&self, exchange: &Exchange) -> Option<Answer> {
        let mut request = self.server.call(exchange.method(), &self.fill(&exchange.path)?);
        if let Some(value) = &exchange.authorization {
            request = request.header("authorization", &self.fill(value)?);
        }
        for (name, value) in &exchange.headers {
            request = request.header(name, &self.fill(value)?);
        }
        if exchange.path == kms_api::routes::ADMIN_SIGNUP {
            request = request.header(SETUP_TOKEN, &self.names["setupToken"]);
        }
        if let Some(body) = &exchange.body {
            let text = body.as_str().map_or_else(|| body.to_string(), ToOwned::to_owned);
            let text = self.fill(&text)? + &" ".repeat(exchange.padding);
            let media_type = exchange.media_type.as_deref().unwrap_or("application/json");
            request = request.body(media_type, text);
        }
        Some(request.send().await)
    }

    /// Puts in what names stand for; `{{name:how}}` is a token spoiled in some way.
    fn fill(&self, text: &str) -> Option<String> {
        let mut parts = text.split("{{");
        let mut filled = parts.next()?.to_owned();
        for part in parts {
            let (name, rest) = part.split_once("}}").expect("names end in braces");
            match name.split_once(':') {
                Some((name, how)) => filled += &tokens::spoil(self.names.get(name)?, how)?,
                None => filled += self.names.get(name)?,
            }
            filled += rest;
        }
        Some(filled)
    }

    /// Remembers the shape of a success, binds its names and compares its values.
    fn keep(&mut self, exchange: &Exchange, answer: &Answer) {
        self.names.insert("etag".into(), answer.header("etag").into());
        if !exchange.succeeded() {
            return;
        }
        let body = answer.json();
        if !body.is_null() {
            self.seen.entry(exchange.endpoint.clone()).or_default().add(&body);
        }
        for (name, pointer) in &exchange.binds {
            if let Some(value) = body.pointer(pointer).and_then(Value::as_str) {
                self.names.insert(name.clone(), value.into());
            }
        }
        for (pointer, recorded) in &exchange.says {
            let ours = body.pointer(pointer).unwrap_or(&Value::Null);
            if ours != recorded && !lacks_field(&body, pointer) {
                let what = format!("{pointer}: {recorded} -> {ours}");
                self.found.insert(Found::Value { n: exchange.n, what });
            }
        }
    }
}

/// Whether a field on the way is not there at all: a difference of the shape, noted as such.
fn lacks_field(body: &Value, pointer: &str) -> bool {
    let mut at = body;
    for name in pointer.split('/').skip(1) {
        match (at, at.pointer(&format!("/{name}"))) {
            (Value::Object(_), None) => return true,
            (_, None) => return false,
            (_, Some(next)) => at = next,
        }
    }
    false
}
