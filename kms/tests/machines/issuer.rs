//! Whoever signs tokens with an RSA key: Google, a service account, a tenant of Azure.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rcgen::{CertificateParams, PKCS_RSA_SHA256, PublicKeyData as _};
use serde_json::{Value, json};

/// Where the modulus of 2048 bits is in a public key (RFC 8017, A.1.1); the exponent is 65537.
const MODULUS: std::ops::Range<usize> = 9..265;

/// A key with a name.
pub(crate) struct Issuer {
    pub(crate) kid: &'static str,
    pair: rcgen::KeyPair,
    key: KeyPair,
}

impl Issuer {
    pub(crate) fn new(kid: &'static str) -> Self {
        let pair = rcgen::KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let key = KeyPair::from_pkcs8(&pair.serialize_der()).unwrap();
        Self { kid, pair, key }
    }

    /// A token, signed by RS256.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "RS256", "kid": self.kid, "typ": "JWT" });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The public key as key servers publish it.
    pub(crate) fn jwk(&self) -> Value {
        let public = self.pair.der_bytes();
        assert!(public.len() == 270 && public.ends_with(&[1, 0, 1]), "another form of key");
        let n = URL_SAFE_NO_PAD.encode(&public[MODULUS]);
        json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": n, "e": "AQAB" })
    }

    /// A certificate of the key.
    pub(crate) fn certificate(&self) -> String {
        let params = CertificateParams::new(vec!["issuer.example".into()]).unwrap();
        params.self_signed(&self.pair).unwrap().pem()
    }

    /// The same, as in the member `x5c` of a key.
    pub(crate) fn x5c(&self) -> String {
        let params = CertificateParams::new(vec!["issuer.example".into()]).unwrap();
        STANDARD.encode(params.self_signed(&self.pair).unwrap().der())
    }

    /// The private key, as in key files of service accounts.
    pub(crate) fn private_key(&self) -> String {
        self.pair.serialize_pem()
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
