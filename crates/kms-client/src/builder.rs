//! Making a [`Client`].

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use hyper_util::client::proxy::matcher::Matcher;
use kms_api::service_tokens::PREFIX;
use reqwest::{
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect, retry,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Client, Error, Origin, TokenStore, http::Caller, session::Session, tls, verifier::Seen,
};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take from its start to the last byte of its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);
const USER_AGENT: &str = concat!("kms-rust/", env!("CARGO_PKG_VERSION"));

/// Custom headers that are left out: what the client says about itself, as the compatible clients
/// do, and who is asking, which is the token's to say or, in a login, the proof's.
const NOT_CUSTOM: [&str; 3] = ["user-agent", "accept", "authorization"];

/// Custom headers that would break the connection or the body.
const OWN_HEADERS: [&str; 6] =
    ["host", "content-length", "content-type", "transfer-encoding", "connection", "te"];

/// Collects what a [`Client`] needs. Only the origin has no safe default of its own: it is the
/// hosted service unless told otherwise.
#[derive(Debug, Default)]
pub struct ClientBuilder {
    origin: Option<Origin>,
    token: Option<SecretString>,
    session: Option<Arc<dyn TokenStore>>,
    user_agent: Option<String>,
    headers: Vec<(String, SecretString)>,
    certificates: Option<PathBuf>,
    allow_http: bool,
    heard: Arc<OnceLock<String>>,
}

impl ClientBuilder {
    /// The server. Nothing that the client sends goes anywhere else.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The access token that calls are made with.
    #[must_use]
    pub fn token(mut self, token: SecretString) -> Self {
        self.token = Some(token);
        self
    }

    /// The session that calls are made with, in place of a token: its access token is renewed
    /// when it ends, and each new one is kept in the store before it is used.
    #[must_use]
    pub fn session(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.session = Some(store);
        self
    }

    /// The name that the server's audit log shows; `kms-rust/VERSION` when left out.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }

    /// A header for every request, which some proxies ask for. The value is never shown.
    /// `Accept`, `Authorization` and `User-Agent` are left as they are.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: SecretString) -> Self {
        self.headers.push((name.into(), value));
        self
    }

    /// A PEM file with certificates to trust besides the bundled ones and the system's.
    #[must_use]
    pub fn certificates(mut self, file: impl Into<PathBuf>) -> Self {
        self.certificates = Some(file.into());
        self
    }

    /// Accepts an unencrypted connection to another machine.
    #[must_use]
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// Where the version of the server is left when it tells one, which only servers like ours do.
    #[must_use]
    pub fn server_version(mut self, heard: Arc<OnceLock<String>>) -> Self {
        self.heard = heard;
        self
    }

    /// Builds the client. Reads certificates, but does not connect.
    pub fn build(self) -> Result<Client, Error> {
        let origin = match self.origin {
            Some(origin) => origin,
            None => Origin::US_CLOUD.parse()?,
        };
        if !origin.is_https() && !origin.is_loopback() && !self.allow_http {
            return Err(Error::InsecureOrigin { origin });
        }
        let proxy = proxy_for(&origin);
        let encrypted =
            origin.is_https() || proxy.as_deref().is_some_and(|proxy| proxy.starts_with("https:"));
        let seen = Seen::default();
        let tls = if encrypted {
            tls::config(self.certificates.as_deref(), Arc::clone(&seen))?
        } else {
            tls::none()
        };
        let http = transport(tls, proxy.is_some())
            .user_agent(self.user_agent.as_deref().unwrap_or(USER_AGENT))
            .default_headers(headers(&self.headers)?)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(|error| Error::Setup(error.into()))?;
        let caller = match (self.token, self.session) {
            (Some(token), _) => Caller::Token(bearer(&token)?),
            (None, Some(store)) => Caller::Session(Arc::new(Session::new(store))),
            (None, None) => Caller::Nobody,
        };
        Ok(Client::new(http, origin, caller, proxy)
            .trusting(self.certificates)
            .seeing(seen)
            .hearing(self.heard))
    }
}

/// What every HTTP client of ours has in common: it follows no redirect, repeats nothing by itself
/// and uses the proxy of the environment only if it is told to.
pub(crate) fn transport(tls: rustls::ClientConfig, proxied: bool) -> reqwest::ClientBuilder {
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false);
    if proxied { http } else { http.no_proxy() }
}

/// The proxy that the environment names for this origin, without its credentials. Loopback is
/// never proxied: what listens there on the proxy's machine is not what listens here.
pub(crate) fn proxy_for(origin: &Origin) -> Option<String> {
    if origin.is_loopback() {
        return None;
    }
    let uri = origin.to_string().parse().ok()?;
    let proxy = Matcher::from_system().intercept(&uri)?;
    let scheme = proxy.uri().scheme_str().unwrap_or("http");
    let host = proxy.uri().host()?;
    Some(match proxy.uri().port() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

fn headers(given: &[(String, SecretString)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let invalid = || Error::InvalidHeader { name: name.clone() };
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        if NOT_CUSTOM.contains(&header.as_str()) {
            continue;
        }
        if OWN_HEADERS.contains(&header.as_str()) {
            return Err(invalid());
        }
        let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| invalid())?;
        value.set_sensitive(true);
        headers.append(header, value);
    }
    Ok(headers)
}

/// What the server is shown of a token: the fourth part of a service token is the client's own.
fn shown(token: &str) -> &str {
    let mut dots = token.match_indices('.').map(|(at, _)| at);
    match dots.nth(2) {
        Some(end) if token.starts_with(PREFIX) => &token[..end],
        _ => token,
    }
}

pub(crate) fn bearer(token: &SecretString) -> Result<HeaderValue, Error> {
    let token = shown(token.expose_secret());
    let mut value =
        HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| Error::MalformedToken)?;
    value.set_sensitive(true);
    Ok(value)
}
