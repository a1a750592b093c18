//! Verifies what logins are signed with, by other code than the program's: AWS Signature Version 4
//! as its documentation tells it, and RS256.

use std::collections::BTreeMap;

use aws_lc_rs::{
    digest, hmac,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

/// A request that was signed, its header names in lower case.
pub(crate) struct Signed {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Signed {
    /// The request in the proof of an AWS login.
    pub(crate) fn of_proof(proof: &Value) -> Self {
        let decode = |name: &str| STANDARD.decode(proof[name].as_str().unwrap()).unwrap();
        let given: BTreeMap<String, String> =
            serde_json::from_slice(&decode("iamRequestHeaders")).unwrap();
        let headers: BTreeMap<_, _> =
            given.iter().map(|(k, v)| (k.to_lowercase(), v.clone())).collect();
        assert_eq!(headers.len(), given.len(), "a header is there twice");
        Self {
            method: proof["iamHttpRequestMethod"].as_str().unwrap().to_owned(),
            path: "/".to_owned(),
            headers,
            body: decode("iamRequestBody"),
        }
    }

    /// The parts of `Authorization`: credential scope, signed headers, signature.
    pub(crate) fn authorization(&self) -> (Vec<&str>, Vec<&str>, &str) {
        let text = self.headers["authorization"].strip_prefix("AWS4-HMAC-SHA256 ").unwrap();
        let mut parts = text.split(", ");
        let mut part = |name: &str| {
            let value = parts.next().unwrap().strip_prefix(name).unwrap();
            value.strip_prefix('=').unwrap()
        };
        let scope = part("Credential").split('/').collect();
        let headers = part("SignedHeaders").split(';').collect();
        let signature = part("Signature");
        (scope, headers, signature)
    }

    /// The signature that the request must have.
    pub(crate) fn signature(&self, secret: &str, scope: &[&str], names: &[&str]) -> String {
        assert!(names.is_sorted(), "{names:?}");
        let line = |name: &&str| format!("{name}:{}\n", self.headers[*name].trim());
        let headers = names.iter().map(line).collect::<Vec<_>>().concat();
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let names = names.join(";");
        let body = sha256(&self.body);
        let canonical = format!("{}\n{path}\n{query}\n{headers}\n{names}\n{body}", self.method);
        let [date, region, service, end] = scope else { panic!("{scope:?}") };
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            self.headers["x-amz-date"],
            scope.join("/"),
            sha256(canonical.as_bytes())
        );
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [date, region, service, end, &text.as_str()] {
            let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes());
            key = signed.as_ref().to_vec();
        }
        hex::encode(key)
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// A key of 2048 bits, and its private half in PEM form.
pub(crate) fn rsa_key() -> (KeyPair, String) {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};

    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<_> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let begin = ["-----BEGIN ", "PRIVATE KEY-----"].concat();
    let end = ["-----END ", "PRIVATE KEY-----"].concat();
    (key, format!("{begin}\n{}\n{end}\n", lines.join("\n")))
}

/// Header and claims of a JWT that was signed with the key by RS256.
#[track_caller]
pub(crate) fn rs256(jwt: &str, key: &KeyPair) -> (Value, Value) {
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())
        .verify(message.as_bytes(), &decode(signature))
        .expect("the signature is not of this key");
    let (header, claims) = message.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    assert_eq!(header["alg"], "RS256");
    (header, serde_json::from_slice(&decode(claims)).unwrap())
}

#[test]
fn the_verifier_agrees_with_the_test_suite_of_aws() {
    // Cases of the suite that AWS publishes, by their names there.
    let form = ("content-type", "application/x-www-form-urlencoded");
    let cases = [
        (
            "get-vanilla",
            "GET",
            None,
            "",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "post-vanilla",
            "POST",
            None,
            "",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-x-www-form-urlencoded",
            "POST",
            Some(form),
            "Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ];
    for (name, method, header, body, expected) in cases {
        let mut headers = BTreeMap::from([
            ("host".to_owned(), "example.amazonaws.com".to_owned()),
            ("x-amz-date".to_owned(), "20150830T123600Z".to_owned()),
        ]);
        headers.extend(header.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let names: Vec<String> = headers.keys().cloned().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let request = Signed {
            method: method.to_owned(),
            path: "/".to_owned(),
            headers,
            body: body.as_bytes().to_vec(),
        };
        let scope = ["20150830", "us-east-1", "service", "aws4_request"];
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        assert_eq!(request.signature(secret, &scope, &names), expected, "{name}");
    }
}
