//! A device with passkeys, for what a real one would never do: it signs whatever it is told.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const PRESENT: u8 = 0x01;
const RECOGNISED: u8 = 0x04;
const WITH_KEY: u8 = 0x40;

/// A device with one passkey.
pub(super) struct Device {
    key: EcdsaKeyPair,
    pub(super) id: Vec<u8>,
    /// What it gives as the name of its user.
    pub(super) user: Option<Vec<u8>>,
    pub(super) counter: u32,
    /// How far the counter goes on with each use; synchronised passkeys count nothing.
    pub(super) step: u32,
    pub(super) recognises: bool,
    /// The page that asks.
    pub(super) origin: String,
    /// The server that it takes itself to talk to.
    pub(super) server: String,
}

impl Device {
    pub(super) fn new(id: &[u8]) -> Self {
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id: id.to_vec(),
            user: None,
            counter: 1,
            step: 1,
            recognises: true,
            origin: super::passkeys::SITE.into(),
            server: "kms.example.test".into(),
        }
    }

    /// Answers `navigator.credentials.create`.
    pub(super) fn make(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        let user = options["user"]["id"].as_str().unwrap();
        self.user = Some(URL_SAFE_NO_PAD.decode(user).unwrap());
        let client = self.client("webauthn.create", &options);
        let mut data = self.data(WITH_KEY);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        let point = self.key.public_key().as_ref();
        // COSE: an EC2 key (1: 2) for ES256 (3: -7) on P-256 (-1: 1) with x (-2) and y (-3).
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..65]);
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": bytes}.
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let response = json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
            "attestationObject": URL_SAFE_NO_PAD.encode(object),
        });
        self.answer(&response)
    }

    /// Answers `navigator.credentials.get`.
    pub(super) fn sign(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        self.counter += self.step;
        let client = self.client("webauthn.get", &options);
        let data = self.data(0);
        let mut signed = data.clone();
        signed.extend(digest(&SHA256, client.as_bytes()).as_ref());
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let response = json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
            "authenticatorData": URL_SAFE_NO_PAD.encode(data),
            "signature": URL_SAFE_NO_PAD.encode(signature),
            "userHandle": self.user.as_ref().map(|user| URL_SAFE_NO_PAD.encode(user)),
        });
        self.answer(&response)
    }

    fn client(&self, kind: &str, options: &Value) -> String {
        let (challenge, origin) = (&options["challenge"], &self.origin);
        json!({ "type": kind, "challenge": challenge, "origin": origin }).to_string()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let recognised = if self.recognises { RECOGNISED } else { 0 };
        let mut data = digest(&SHA256, self.server.as_bytes()).as_ref().to_vec();
        data.push(flags | PRESENT | recognised);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn answer(&self, response: &Value) -> String {
        let id = URL_SAFE_NO_PAD.encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response }).to_string()
    }
}
