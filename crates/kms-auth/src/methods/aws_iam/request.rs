//! The request that a client signed: only one request is ever sent on, byte for byte.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use kms_api::auth::aws_iam::{Proof, REQUEST_BODY, SERVER_HEADER};
use secrecy::ExposeSecret as _;
use url::Url;

use super::partition::Partition;
use crate::AuthError;

/// Seconds that a signature is believed after it was made, and before, for clocks that disagree.
pub(super) const MAX_AGE: i64 = 300;
/// The longest headers, in bytes of their base64; session tokens have some 2 KiB.
const MAX_HEADERS: usize = 32 * 1_024;
/// SHA-256 of [`REQUEST_BODY`].
const BODY_HASH: &str = "ab821ae955788b0e33ebd34c208442ccfc2d406e2edc5e7a39bd6458fbb4f843";

/// Headers that may be signed and are sent on. `content-length` is recomputed.
const SENT_ON: [&str; 9] = [
    "accept",
    "authorization",
    "content-length",
    "content-type",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    SERVER_HEADER,
];
/// Headers that say something about the request and are sent on even when they are not signed.
const ALWAYS: [&str; 6] = [
    "authorization",
    "content-type",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
];

/// A signed request, checked for everything that can be checked without the key.
#[derive(Debug)]
pub(super) struct Signed {
    /// STS of the region.
    pub(super) host: String,
    /// When it was signed, in Unix seconds.
    pub(super) made_at: i64,
    /// The signature: 64 hexadecimal characters.
    pub(super) signature: String,
    /// What is sent on.
    pub(super) headers: HeaderMap,
    /// The server that it is signed for.
    server: Option<String>,
}

impl Signed {
    /// Reads a proof; `override_at` is where an operator has STS instead of AWS.
    pub(super) fn read(
        proof: &Proof,
        partition: &Partition,
        override_at: Option<&str>,
    ) -> Result<Self, AuthError> {
        if !proof.iam_http_request_method.eq_ignore_ascii_case("POST") {
            return refuse("another method than POST");
        }
        let body = STANDARD.decode(proof.iam_request_body.trim()).ok();
        if body.as_deref() != Some(REQUEST_BODY.as_bytes()) {
            return refuse("another body than that of GetCallerIdentity");
        }
        let headers = headers(proof.iam_request_headers.expose_secret())?;
        let authorization = Authorization::read(field(&headers, "authorization")?)?;
        let host = field(&headers, "host")?.to_ascii_lowercase();
        let of_override = override_at.and_then(authority).is_some_and(|known| known == host);
        if !partition.has(&authorization.region) {
            return refuse("a region that is not of the partition");
        }
        if !of_override && !partition.serves(&host, &authorization.region) {
            return refuse("a host that is not STS of the region");
        }
        let stamp = field(&headers, "x-amz-date")?;
        let made_at = seconds(stamp).ok_or_else(|| unverified("no time of signing"))?;
        if !stamp.starts_with(&format!("{}T", authorization.date)) {
            return refuse("two days of signing");
        }
        require_values(&headers)?;
        let server = headers.get(SERVER_HEADER).cloned();
        let signed = |name: &str| authorization.signed_headers.iter().any(|signed| signed == name);
        if !signed("host") || !signed("x-amz-date") || (server.is_some() && !signed(SERVER_HEADER))
        {
            return refuse("a header that must be signed is not");
        }
        if !authorization.signed_headers.iter().all(|name| SENT_ON.contains(&name.as_str())) {
            return refuse("a signed header that is not sent on");
        }
        let sent = headers
            .iter()
            .filter(|(name, _)| ALWAYS.contains(&name.as_str()) || signed(name))
            .filter(|(name, _)| *name != "content-length");
        let headers = sent.map(sendable).collect::<Option<HeaderMap>>();
        let headers = headers.ok_or_else(|| unverified("a header that cannot be sent"))?;
        Ok(Self { host, made_at, signature: authorization.signature, headers, server })
    }

    /// Refuses a signature that is old or from the future (attack C4).
    pub(super) fn require_recent(&self, now: i64) -> Result<(), AuthError> {
        if now.abs_diff(self.made_at) > MAX_AGE.unsigned_abs() {
            return refuse("signed more than five minutes ago, or ahead");
        }
        Ok(())
    }

    /// Refuses a request that was signed for another server, and one that was signed for none if
    /// that is asked for (attack C4).
    pub(super) fn require_for(&self, origins: &[String], required: bool) -> Result<(), AuthError> {
        let same = |origin: &String, server: &str| {
            origin.trim_end_matches('/').eq_ignore_ascii_case(server.trim_end_matches('/'))
        };
        match &self.server {
            Some(server) if origins.iter().any(|origin| same(origin, server)) => Ok(()),
            Some(_) => refuse("signed for another server"),
            None if required => refuse("not signed for this server"),
            None => Ok(()),
        }
    }
}

/// What an `Authorization` header of Signature Version 4 says.
#[derive(Debug)]
struct Authorization {
    date: String,
    region: String,
    signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    fn read(text: &str) -> Result<Self, AuthError> {
        Self::parse(text).ok_or_else(|| unverified("not Signature Version 4"))
    }

    fn parse(text: &str) -> Option<Self> {
        let fields = text.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let mut values = BTreeMap::new();
        for field in fields.split(',') {
            let (name, value) = field.trim().split_once('=')?;
            if values.insert(name, value).is_some() {
                return None;
            }
        }
        if values.len() != 3 {
            return None;
        }
        let scope: Vec<&str> = values.get("Credential")?.split('/').collect();
        let [key, date, region, "sts", "aws4_request"] = scope[..] else { return None };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_key =
            (16..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric());
        let signature = *values.get("Signature")?;
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if !is_key
            || date.len() != 8
            || !digits(date)
            || signature.len() != 64
            || !signature.bytes().all(hex)
        {
            return None;
        }
        let signed = values.get("SignedHeaders")?.split(';').map(str::to_owned).collect();
        Some(Self {
            date: date.into(),
            region: region.into(),
            signed_headers: signed,
            signature: signature.into(),
        })
    }
}

/// The headers by their lower-case names; one that is there twice is refused.
fn headers(encoded: &str) -> Result<BTreeMap<String, String>, AuthError> {
    if encoded.len() > MAX_HEADERS {
        return refuse("headers that are too long");
    }
    let read = || {
        let json = STANDARD.decode(encoded.trim()).ok()?;
        let given: BTreeMap<String, String> = serde_json::from_slice(&json).ok()?;
        let mut headers = BTreeMap::new();
        for (name, value) in given {
            let value = value.trim().to_owned();
            if headers.insert(name.trim().to_ascii_lowercase(), value).is_some() {
                return None;
            }
        }
        Some(headers)
    };
    read().ok_or_else(|| unverified("headers that are no JSON object of texts"))
}

/// Headers that say what the fixed request says anyway must say the same.
fn require_values(headers: &BTreeMap<String, String>) -> Result<(), AuthError> {
    let says = |name: &str, allowed: &[&str]| {
        headers
            .get(name)
            .is_none_or(|value| allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(value)))
    };
    let length = REQUEST_BODY.len().to_string();
    let form =
        ["application/x-www-form-urlencoded; charset=utf-8", "application/x-www-form-urlencoded"];
    if says("content-type", &form)
        && says("content-length", &[&length])
        && says("x-amz-content-sha256", &[BODY_HASH])
        && says("accept", &["application/json", "application/xml", "text/xml", "*/*"])
    {
        return Ok(());
    }
    refuse("a header that says something else than the request")
}

fn field<'h>(headers: &'h BTreeMap<String, String>, name: &str) -> Result<&'h str, AuthError> {
    headers.get(name).map(String::as_str).ok_or_else(|| unverified(format!("no header `{name}`")))
}

fn sendable((name, value): (&String, &String)) -> Option<(HeaderName, HeaderValue)> {
    let mut sent = HeaderValue::from_str(value).ok()?;
    let name: HeaderName = name.parse().ok()?;
    sent.set_sensitive(name == header::AUTHORIZATION || name == "x-amz-security-token");
    Some((name, sent))
}

/// Host and port of a URL as a client writes them into `Host`.
fn authority(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// `20261126T184500Z` in Unix seconds.
fn seconds(stamp: &str) -> Option<i64> {
    if stamp.len() != 16 {
        return None;
    }
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
    Some(jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?.as_second())
}

fn unverified(reason: impl Into<std::borrow::Cow<'static, str>>) -> AuthError {
    AuthError::unverified(reason)
}

fn refuse<T>(reason: &'static str) -> Result<T, AuthError> {
    Err(unverified(reason))
}
