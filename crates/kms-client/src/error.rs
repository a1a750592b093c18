//! Everything that can go wrong between a call and its answer.

use std::{error::Error as StdError, io::ErrorKind, time::Duration};

use kms_api::ErrorBody;
use reqwest::StatusCode;

use crate::{Origin, verifier};

type Cause = Box<dyn StdError + Send + Sync>;

/// Why a call failed. No variant holds a token, a request body or the body of a success.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A login method that belongs to another place: nothing here can vouch for this machine.
    #[error("{what}")]
    NotHere {
        /// What this is not, or what is not here.
        what: &'static str,
        /// Where it was looked for.
        #[source]
        cause: Cause,
    },
    /// What vouches for this machine gave nothing that can be used.
    #[error("could not get {what}")]
    NoProof {
        /// What was asked for.
        what: &'static str,
        /// Why it was not given.
        #[source]
        cause: Cause,
    },
    /// The server's address can't be used.
    #[error("the server address is not valid: {reason}")]
    InvalidOrigin {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The address is neither encrypted nor on this machine.
    #[error("refusing to use `{origin}` without encryption")]
    InsecureOrigin {
        /// The address.
        origin: Origin,
    },
    /// A custom header can't be sent.
    #[error("the custom header `{name}` can't be sent")]
    InvalidHeader {
        /// Its name.
        name: String,
    },
    /// The token has characters that no header can carry.
    #[error("the access token is malformed")]
    MalformedToken,
    /// A name that no path can carry: empty, `.` or `..`.
    #[error("`{name}` can't be used as a name")]
    UnusableName {
        /// The name.
        name: String,
    },
    /// A file with certificates can't be used.
    #[error("could not use the certificates in `{path}`")]
    Certificates {
        /// The file or directory.
        path: String,
        /// What is wrong with it.
        #[source]
        cause: Cause,
    },
    /// This side failed before anything was sent.
    #[error("could not prepare the request")]
    Setup(#[source] Cause),
    /// No answer came: the name is unknown, nobody listens, or it took too long.
    #[error("could not reach `{origin}`{}", via(.proxied.as_deref()))]
    Unreachable {
        /// The server.
        origin: Origin,
        /// What went wrong.
        #[source]
        cause: Cause,
        /// The proxy that was used, if any, without its credentials.
        proxied: Option<String>,
        /// Where the way ended.
        obstacle: Obstacle,
    },
    /// The server answered, but who it is could not be verified.
    #[error("could not verify the TLS certificate of `{origin}`")]
    Tls {
        /// The server.
        origin: Origin,
        /// What went wrong, with the link of its chain that failed.
        #[source]
        cause: Cause,
        /// Which kind of thing it is.
        fault: TlsFault,
    },
    /// The server sent the request elsewhere, which is never followed.
    #[error("`{origin}` redirects to `{target}`, which was not followed")]
    Redirected {
        /// The server.
        origin: Origin,
        /// The origin of the address it names, or what it sent in place of one.
        target: String,
    },
    /// The session is over: it was ended, or was not used for too long.
    #[error("the session on `{origin}` has ended")]
    SessionEnded {
        /// The server.
        origin: Origin,
        /// The server's answer, if it was asked.
        #[source]
        cause: Option<Box<Error>>,
    },
    /// The tokens of the session could not be read or kept.
    #[error("the tokens of the session are not at hand")]
    Store(#[source] Cause),
    /// The answer is not one of a KMS.
    #[error(
        "`{origin}` does not answer like a KMS (status {status}, content type `{content_type}`)"
    )]
    NotKms {
        /// The server.
        origin: Origin,
        /// The HTTP status.
        status: u16,
        /// The content type, empty if there was none.
        content_type: String,
    },
    /// The answer of a KMS lacks a field or has one of the wrong type.
    #[error("`{origin}` sent an answer that this version does not understand")]
    UnexpectedAnswer {
        /// The server.
        origin: Origin,
        /// Where it stopped making sense; names fields, never values.
        #[source]
        cause: Cause,
    },
    /// A step of a login through the browser was refused (RFC 6749, sections 4.1.2.1 and 5.2).
    #[error("{}", .description.as_deref().unwrap_or(.code))]
    OAuth {
        /// The server.
        origin: Origin,
        /// Why, as a word of the specifications: `access_denied`, `expired_token`, …
        code: String,
        /// Why, for people.
        description: Option<String>,
    },
    /// The metadata for logins through the browser is that of another server.
    #[error("`{origin}` says that logins are those of `{issuer}`")]
    ForeignIssuer {
        /// The server.
        origin: Origin,
        /// Whom it names.
        issuer: String,
    },
    /// A login through the browser would go to another server.
    #[error("`{origin}` names `{endpoint}` for logins, which is not its own")]
    ForeignEndpoint {
        /// The server.
        origin: Origin,
        /// The address that it names.
        endpoint: String,
    },
    /// The answer is larger than 64 MiB.
    #[error("the answer of `{origin}` is larger than {limit} bytes")]
    TooLarge {
        /// The server.
        origin: Origin,
        /// The limit.
        limit: usize,
    },
    /// The server refused the request.
    #[error("{}{}", .body.text(), request(.request_id))]
    Status {
        /// The server.
        origin: Origin,
        /// The HTTP status.
        status: u16,
        /// What the server says about it.
        body: Box<ErrorBody>,
        /// Names the request in the server's log; empty if the server gave none.
        request_id: String,
        /// How long the server asks to wait before the next request.
        retry_after: Option<Duration>,
    },
}

/// Where the way to a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// Its name has no address.
    Name,
    /// Its machine takes no connection on that port.
    Refused,
    /// Nothing came back in time.
    Timeout,
    /// Anything else.
    Other,
}

/// Why a TLS connection was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFault {
    /// Nobody who is trusted here has issued the certificate.
    Authority,
    /// The certificate is for other names.
    Name,
    /// A certificate is not valid yet, or not any more.
    Time,
    /// The other side does not speak TLS.
    Protocol,
    /// Anything else.
    Other,
}

fn via(proxy: Option<&str>) -> String {
    proxy.map_or_else(String::new, |proxy| format!(" through the proxy `{proxy}`"))
}

fn request(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!(" (request {id})") }
}

impl Error {
    /// The HTTP status of the answer, when a KMS or something in front of it gave one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } | Self::NotKms { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Sorts a failure to get an answer: TLS, or anything else on the way.
    pub(crate) fn transport(origin: &Origin, proxied: Option<&str>, error: reqwest::Error) -> Self {
        let origin = origin.clone();
        // The URL carries the query, and a query names secrets.
        let error = error.without_url();
        if error.is_builder() {
            return Self::Setup(error.into());
        }
        if let Some(tls) = find::<rustls::Error>(&error) {
            let (fault, cause) = verifier::explain(tls);
            return Self::Tls { origin, cause: cause.into(), fault };
        }
        Self::Unreachable {
            origin,
            cause: innermost(&error).into(),
            proxied: proxied.map(str::to_owned),
            obstacle: Obstacle::of(&error),
        }
    }

    pub(crate) fn refused(
        origin: &Origin,
        status: StatusCode,
        body: ErrorBody,
        retry_after: Option<Duration>,
    ) -> Self {
        Self::Status {
            origin: origin.clone(),
            status: status.as_u16(),
            request_id: body.req_id.clone(),
            body: Box::new(body),
            retry_after,
        }
    }
}

impl Obstacle {
    fn of(error: &reqwest::Error) -> Self {
        let refused = |error: &std::io::Error| error.kind() == ErrorKind::ConnectionRefused;
        if error.is_timeout() {
            Self::Timeout
        } else if find::<std::io::Error>(error).is_some_and(refused) {
            Self::Refused
        } else if is_unknown_name(error) {
            Self::Name
        } else {
            Self::Other
        }
    }
}

/// Whether who answers could not be verified.
pub(crate) fn is_tls(error: &reqwest::Error) -> bool {
    find::<rustls::Error>(error).is_some()
}

/// The connector says only in words that it was the look-up that failed.
fn is_unknown_name(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.to_string() == "dns error" {
            return true;
        }
        next = error.source();
    }
    false
}

/// `rustls` errors hide inside `std::io::Error`, whose `source` skips the error it wraps.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| find::<T>(inner)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The last cause of the chain: the layers above it only repeat that a request failed.
pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}
