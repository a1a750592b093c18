//! What is seen on the way to a server, for whoever looks for the cause of a failure.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kms_api::routes;
use reqwest::{Method, header::DATE};
use serde::Deserialize;

use crate::{Certificate, Client, Error, tls, tls::Roots, version};

/// What a server says about itself, and what was seen while it said so.
#[derive(Debug)]
pub struct Probe {
    /// The answer, or why there is none.
    pub answer: Result<Answer, Error>,
    /// The certificates that were shown; none without TLS.
    pub shown: Option<Shown>,
}

/// What a KMS says about itself to everybody.
#[derive(Debug)]
pub struct Answer {
    /// Its version, where it is a server like ours; a compatible one has numbers of its own.
    pub version: Option<String>,
    /// Whether it says that it is ready.
    pub is_ready: bool,
    /// How many seconds its clock is ahead of this machine's; none if it tells no time.
    pub ahead: Option<i64>,
    /// How long the answer took.
    pub took: Duration,
}

/// The certificates of a server.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Who showed them: the server, or a proxy that is spoken to by TLS.
    pub by: String,
    /// The server's own first.
    pub chain: Vec<Certificate>,
    /// Whose word they are trusted on, if they are.
    pub trusted_by: Option<Roots>,
}

/// All that counts of the body.
#[derive(Deserialize)]
struct Status {
    message: String,
}

impl Client {
    /// The proxy that calls go through, without its credentials.
    pub fn proxy(&self) -> Option<&str> {
        self.proxied()
    }

    /// Asks the server how it is: once, without a token.
    pub async fn probe(&self) -> Probe {
        let answer = self.ask().await;
        let shown = self.presented().map(|presented| Shown {
            trusted_by: tls::trusted_by(&presented, self.certificates()),
            chain: presented.chain.iter().map(Certificate::of).collect(),
            by: presented.by,
        });
        Probe { answer, shown }
    }

    async fn ask(&self) -> Result<Answer, Error> {
        let started = Instant::now();
        let request = self.request(Method::GET, routes::STATUS).build();
        let request = request.map_err(|error| Error::Setup(error.without_url().into()))?;
        let response = self.once(request).await?;
        let took = started.elapsed();
        let headers = response.headers();
        let (version, date) = (version::of(headers), headers.get(DATE).cloned());
        let date = date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        // The server wrote its time about half of the way ago.
        let ours = SystemTime::now() - took / 2;
        let status: Status = self.read(response).await?;
        Ok(Answer {
            version,
            is_ready: status.message == "Ok",
            ahead: date.map(|date| seconds(date) - seconds(ours)),
            took,
        })
    }
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}
