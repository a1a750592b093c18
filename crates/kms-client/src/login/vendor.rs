//! Calls to whoever vouches for a machine: the metadata service of its host, or a token endpoint
//! of its vendor. They carry nothing of the KMS: neither its token nor the caller's custom headers.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode, header::HeaderMap};
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::sleep;
use url::Url;
use zeroize::Zeroizing;

use crate::{
    Client, Error, Origin,
    builder::{self, proxy_for},
    error::innermost,
    tls,
};

/// How long a metadata service may take to accept a connection. It is part of the host, and a
/// machine without one shall hear so at once.
pub(super) const CONNECT_NEAR: Duration = Duration::from_secs(1);
/// How long any other endpoint may take to accept one.
pub(super) const CONNECT_FAR: Duration = Duration::from_secs(10);
/// How long an answer may take: the first token of a new machine is not ready at once.
pub(super) const ANSWER: Duration = Duration::from_secs(30);
/// An answer larger than this is not one about a token.
pub(super) const MAX_ANSWER: usize = 1024 * 1024;
/// How often a question is put to a service that is busy, and the first wait between two tries.
const TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(300);

/// A service that is asked for something.
pub(super) struct Vendor {
    http: reqwest::Client,
    url: Url,
    /// What it is asked for, for messages.
    what: &'static str,
    /// What to say when nobody is there, of a metadata service.
    absent: Option<&'static str>,
}

/// What a service answered, with a status of success.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
    what: &'static str,
}

impl Vendor {
    /// The metadata service of this host: neither encrypted nor behind a proxy, by its nature.
    pub(super) fn metadata(
        what: &'static str,
        absent: &'static str,
        url: &str,
    ) -> Result<Self, Error> {
        let url = parse(what, url)?;
        Ok(Self { http: near()?, url, what, absent: Some(absent) })
    }

    /// An endpoint anywhere. What it is sent is worth stealing, so only this machine is spoken to
    /// without encryption.
    pub(super) fn endpoint(what: &'static str, url: &str, client: &Client) -> Result<Self, Error> {
        let url = parse(what, url)?;
        let origin: Origin = url.origin().ascii_serialization().parse()?;
        if !origin.is_https() && !origin.is_loopback() {
            let cause = format!("refusing to ask `{origin}` without encryption");
            return Err(Error::NoProof { what, cause: cause.into() });
        }
        let http = if origin.is_https() {
            let proxied = proxy_for(&origin).is_some();
            builder::transport(
                tls::config(client.certificates(), crate::verifier::Seen::default())?,
                proxied,
            )
        } else {
            builder::transport(tls::none(), false)
        };
        let http = http.connect_timeout(CONNECT_FAR).timeout(ANSWER).build();
        let http = http.map_err(|error| Error::Setup(error.into()))?;
        Ok(Self { http, url, what, absent: None })
    }

    pub(super) fn request(&self, method: Method) -> RequestBuilder {
        self.http.request(method, self.url.clone())
    }

    /// Sends a request until it is answered by somebody who is not too busy.
    pub(super) async fn answer(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let request = request.build().map_err(|error| Error::Setup(error.without_url().into()))?;
        for next in 1.. {
            let this = request.try_clone().expect("every body is in memory, none is a stream");
            let response = self.http.execute(this).await.map_err(|error| self.silent(&error))?;
            tracing::debug!(
                http.request.method = %request.method(),
                server.address = self.url.host_str(),
                url.path = self.url.path(),
                http.response.status_code = response.status().as_u16(),
                "answered"
            );
            if is_busy(response.status()) && next < TRIES {
                sleep(FIRST_WAIT * 2_u32.pow(next - 1)).await;
                continue;
            }
            return self.read(response).await;
        }
        unreachable!("the loop has no end of its own")
    }

    /// What answers is not the service that was looked for.
    pub(super) fn somebody_else(&self) -> Error {
        let cause = format!("what answers at `{}` is somebody else", self.place());
        self.failed(cause)
    }

    fn silent(&self, error: &reqwest::Error) -> Error {
        // A timeout is the outermost words, and there are no better ones below it.
        let why = if error.is_timeout() { "it timed out".to_owned() } else { innermost(error) };
        let cause = format!("nobody answers at `{}`: {why}", self.place());
        if error.is_connect() || error.is_timeout() {
            return self.failed(cause);
        }
        Error::NoProof { what: self.what, cause: cause.into() }
    }

    fn failed(&self, cause: String) -> Error {
        match self.absent {
            Some(what) => Error::NotHere { what, cause: cause.into() },
            None => Error::NoProof { what: self.what, cause: cause.into() },
        }
    }

    async fn read(&self, mut response: Response) -> Result<Answer, Error> {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| self.silent(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(self.refused("the answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(Answer { headers, body, what: self.what });
        }
        let reason = serde_json::from_slice::<Complaint>(&body).map(Complaint::text);
        match reason {
            Ok(reason) => Err(self.refused(&format!("status {}{reason}", status.as_u16()))),
            // No service of the kind that was looked for answers so.
            Err(_) if self.absent.is_some() && status.is_client_error() => {
                Err(self.somebody_else())
            }
            Err(_) => Err(self.refused(&format!("status {}", status.as_u16()))),
        }
    }

    fn refused(&self, reason: &str) -> Error {
        let cause = format!("`{}` refused: {reason}", self.place());
        Error::NoProof { what: self.what, cause: cause.into() }
    }

    /// The address without what may be secret about it.
    fn place(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

impl Answer {
    /// The whole answer as a token.
    pub(super) fn token(&self) -> Result<SecretString, Error> {
        token(self.what, std::str::from_utf8(&self.body).unwrap_or_default())
    }

    /// The answer as JSON. An error names no value: what does not fit may be a token.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|_| Error::NoProof {
            what: self.what,
            cause: "the answer lacks it, or is not JSON".into(),
        })
    }
}

/// The reasons that vendors give, in their spellings.
#[derive(Deserialize)]
struct Complaint {
    error: Option<serde_json::Value>,
    error_description: Option<String>,
    message: Option<String>,
}

impl Complaint {
    /// As the end of a sentence; empty if there is none.
    fn text(self) -> String {
        const LONGEST: usize = 300;
        let error = self.error.as_ref().and_then(|error| error.as_str()).map(str::to_owned);
        let reason = self.error_description.or(self.message).or(error).unwrap_or_default();
        let reason: String =
            reason.lines().next().unwrap_or_default().chars().take(LONGEST).collect();
        if reason.is_empty() { reason } else { format!(", {reason}") }
    }
}

/// A client for the metadata service of this host.
pub(super) fn near() -> Result<reqwest::Client, Error> {
    builder::transport(tls::none(), false)
        .connect_timeout(CONNECT_NEAR)
        .timeout(ANSWER)
        .build()
        .map_err(|error| Error::Setup(error.into()))
}

/// A token, which is one line of visible characters; white space around it does not count.
pub(super) fn token(what: &'static str, text: &str) -> Result<SecretString, Error> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let cause = if text.is_empty() { "it is empty" } else { "it is not one line of ASCII" };
        return Err(Error::NoProof { what, cause: cause.into() });
    }
    Ok(text.into())
}

fn parse(what: &'static str, url: &str) -> Result<Url, Error> {
    let unusable = |cause: &str| Error::NoProof { what, cause: cause.to_owned().into() };
    let url = Url::parse(url).map_err(|_| unusable("the address to ask at is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unusable("the address to ask at starts with neither http:// nor https://"));
    }
    Ok(url)
}

/// Too many questions, or out of order for a moment.
fn is_busy(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_token_is_one_line_and_no_error_quotes_it() {
        assert_eq!(token("it", " a.b.c\r\n").unwrap().expose_secret(), "a.b.c");
        for text in ["", " \n", "canary\ncanary", "canary canary", "canary\u{e9}"] {
            let error = token("it", text).unwrap_err();
            assert!(!format!("{error:?}").contains("canary"), "{text:?}");
        }
    }

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        let text = |json: &str| serde_json::from_str::<Complaint>(json).unwrap().text();
        assert_eq!(text(r#"{"error":"invalid","error_description":"a\nb"}"#), ", a");
        assert_eq!(text(r#"{"error":{"code":7}}"#), "");
        let long = format!(r#"{{"message":"{}"}}"#, "x".repeat(1_000));
        assert_eq!(text(&long).len(), 302);
    }
}
