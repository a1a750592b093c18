//! A client of AWS that signs, and an STS that believes only what it can recompute.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{Request, Response};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use kms_api::{
    IdentityId,
    auth::aws_iam::{Proof, REQUEST_BODY},
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::{NOW, Peer, json as answer, status};

/// The account of everybody who signs.
pub const ACCOUNT: &str = "123456789012";
/// STS of the region that is signed for.
pub const HOST: &str = "sts.eu-west-1.amazonaws.com";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const KEY: &str = "AKIDEXAMPLEEXAMPLE00";

/// The identity that logs in unless a test says otherwise.
pub fn identity() -> IdentityId {
    "01a2187e-e249-7484-b1fa-863a84fc204f".parse().unwrap()
}

/// A time, in Unix seconds, as AWS writes it.
fn stamp(now: i64) -> String {
    let time = jiff::Timestamp::from_second(now).unwrap();
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let key = EncodingKey::from_secret(key);
    let signature = crypto::sign(text.as_bytes(), &key, Algorithm::HS256).unwrap();
    URL_SAFE_NO_PAD.decode(signature).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// What is signed, in the words of Signature Version 4.
struct Canonical<'a> {
    method: &'a str,
    query: &'a str,
    headers: Vec<(String, String)>,
    body: &'a [u8],
    date: &'a str,
    scope: &'a str,
}

impl Canonical<'_> {
    fn signed_headers(&self) -> String {
        self.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";")
    }

    fn signature(&self, secret: &str) -> String {
        let Self { method, query, body, date, scope, .. } = self;
        let headers: String = self
            .headers
            .iter()
            .fold(String::new(), |all, (name, value)| all + &format!("{name}:{value}\n"));
        let (signed, hash) = (self.signed_headers(), hex(&Sha256::digest(body)));
        let request = format!("{method}\n/\n{query}\n{headers}\n{signed}\n{hash}");
        let request = hex(&Sha256::digest(request));
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{request}");
        let first = format!("AWS4{secret}").into_bytes();
        let key = scope.split('/').fold(first, |key, part| hmac(&key, part));
        hex(&hmac(&key, &text))
    }
}

/// A client, with what it signs and what it sends.
pub struct Client {
    /// Names the key.
    pub key_id: String,
    /// The key.
    pub secret: String,
    /// What is signed for.
    pub region: String,
    /// Who logs in.
    pub identity: IdentityId,
    /// Names in lower case, sorted when signing.
    pub signed: Vec<(String, String)>,
    /// Sent besides, under the names as they are.
    pub sent: Vec<(String, Value)>,
    /// Signed, but not sent.
    pub hidden: Vec<String>,
    /// How the header of the signature is spelled.
    pub authorization: &'static str,
}

impl Client {
    fn new(signed: &[(&str, &str)]) -> Self {
        let mut signed: Vec<(String, String)> =
            signed.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        signed.push(("host".into(), HOST.into()));
        signed.push(("x-amz-date".into(), stamp(NOW)));
        Self {
            identity: identity(),
            key_id: KEY.into(),
            secret: SECRET.into(),
            region: "eu-west-1".into(),
            signed,
            sent: Vec::new(),
            hidden: Vec::new(),
            authorization: "Authorization",
        }
    }

    /// The Go SDK: the content type is added after signing.
    pub fn go() -> Self {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        Self::new(&[("content-length", "43"), ("x-amz-security-token", "session-token")])
            .with_header("Content-Type", &form.into())
    }

    /// The Python SDK: the length is signed, but not sent.
    pub fn python() -> Self {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let client = Self::new(&[("content-length", "43"), ("content-type", form)]);
        Self { hidden: vec!["content-length".into()], ..client }
    }

    /// The Node SDK.
    pub fn node() -> Self {
        let hash = hex(&Sha256::digest(REQUEST_BODY));
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let client = Self::new(&[
            ("content-length", "43"),
            ("content-type", form),
            ("x-amz-content-sha256", &hash),
        ]);
        Self { authorization: "authorization", ..client }
    }

    /// Our own: bound to a server.
    pub fn ours(server: &str) -> Self {
        Self::new(&[("x-kms-server", server)])
    }

    /// Signs for another host.
    pub fn at(self, host: &str) -> Self {
        self.signing("host", host)
    }

    /// Signs at another time, in Unix seconds.
    pub fn when(self, now: i64) -> Self {
        self.signing("x-amz-date", &stamp(now))
    }

    /// Logs in as another identity.
    pub fn as_identity(self, identity: IdentityId) -> Self {
        Self { identity, ..self }
    }

    fn signing(mut self, header: &str, text: &str) -> Self {
        for (name, value) in &mut self.signed {
            if name == header {
                *value = text.into();
            }
        }
        self
    }

    /// Sends another header, or one that was signed with another value.
    pub fn with_header(mut self, name: &str, value: &Value) -> Self {
        self.sent.push((name.into(), value.clone()));
        self
    }

    /// The proof of a login.
    pub fn proof(&self) -> Proof {
        let mut signed = self.signed.clone();
        signed.sort();
        let date = signed.iter().find(|(name, _)| name == "x-amz-date");
        let date = date.map_or_else(|| stamp(NOW), |(_, date)| date.clone());
        let scope = format!("{}/{}/sts/aws4_request", &date[..8], self.region);
        let canonical = Canonical {
            method: "POST",
            query: "",
            headers: signed,
            body: REQUEST_BODY.as_bytes(),
            date: &date,
            scope: &scope,
        };
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={}",
            self.key_id,
            canonical.signed_headers(),
            canonical.signature(&self.secret),
        );
        let mut headers: Map<String, Value> = canonical
            .headers
            .iter()
            .filter(|(name, _)| !self.hidden.contains(name))
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        headers.insert(self.authorization.into(), authorization.into());
        for (name, value) in &self.sent {
            if value.is_null() {
                headers.remove(name);
            } else {
                let existing =
                    headers.keys().find(|known| name.eq_ignore_ascii_case(known) && name != "HOST");
                let name = existing.cloned().unwrap_or_else(|| name.clone());
                headers.insert(name, value.clone());
            }
        }
        Proof {
            identity_id: self.identity,
            iam_http_request_method: "POST".into(),
            iam_request_body: STANDARD.encode(REQUEST_BODY),
            iam_request_headers: STANDARD.encode(Value::Object(headers).to_string()).into(),
            organization_slug: None,
        }
    }
}

/// A stand-in for STS.
pub struct Sts {
    /// The web server.
    pub peer: Peer,
}

impl Sts {
    /// Answers in JSON when that is accepted, or always in XML, as some emulators do.
    pub async fn start(xml: bool) -> Self {
        Self { peer: Peer::http(move |request| respond(&request, xml)).await }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("{}/", self.peer.url())
    }
}

fn respond(request: &Request<Bytes>, xml: bool) -> Response<Bytes> {
    let Some(key_id) = signer(request) else { return status(403) };
    if request.method() != "POST" || request.body() != REQUEST_BODY {
        return status(400);
    }
    let arn = match key_id.as_str() {
        KEY => format!("arn:aws:sts::{ACCOUNT}:assumed-role/App/i-1"),
        "AKIAROOTROOTROOTROOT" => format!("arn:aws:iam::{ACCOUNT}:root"),
        _ => return status(403),
    };
    let user = "AROAEXAMPLE:i-1";
    if xml {
        let text = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  \
             <GetCallerIdentityResult>\n    <Arn>{arn}</Arn>\n    <UserId>{user}</UserId>\n    \
             <Account>{ACCOUNT}</Account>\n  </GetCallerIdentityResult>\n  <ResponseMetadata>\n    \
             <RequestId>01234567</RequestId>\n  </ResponseMetadata>\n</GetCallerIdentityResponse>\n"
        );
        return Response::new(text.into());
    }
    answer(&json!({ "GetCallerIdentityResponse": {
        "GetCallerIdentityResult": { "Account": ACCOUNT, "Arn": arn, "UserId": user },
        "ResponseMetadata": { "RequestId": "01234567" },
    } }))
}

/// The key that signed the request as it arrived.
fn signer(request: &Request<Bytes>) -> Option<String> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    let authorization = header("authorization")?;
    let part = |start: &str| {
        let rest = authorization.split_once(start)?.1;
        Some(rest.split([',', ' ']).next()?.to_owned())
    };
    let (credential, signed) = (part("Credential=")?, part("SignedHeaders=")?);
    let (key_id, scope) = credential.split_once('/')?;
    let headers: Option<Vec<(String, String)>> =
        signed.split(';').map(|name| Some((name.to_owned(), header(name)?))).collect();
    let date = header("x-amz-date")?;
    let canonical = Canonical {
        method: request.method().as_str(),
        query: request.uri().query().unwrap_or_default(),
        headers: headers?,
        body: request.body(),
        date: &date,
        scope,
    };
    (canonical.signature(SECRET) == part("Signature=")?).then(|| key_id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_has_its_documented_signature() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let example = Canonical {
            method: "GET",
            query: "Action=ListUsers&Version=2010-05-08",
            headers: vec![
                header("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
                header("host", "iam.amazonaws.com"),
                header("x-amz-date", "20150830T123600Z"),
            ],
            body: b"",
            date: "20150830T123600Z",
            scope: "20150830/us-east-1/iam/aws4_request",
        };
        let expected = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert_eq!(example.signature(SECRET), expected);
    }
}
