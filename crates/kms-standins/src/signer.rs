//! Issuers of tests: keys that sign tokens, and what they publish.

use std::sync::OnceLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto, jwk::Jwk};
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
    PKCS_RSA_SHA256, PublicKeyData as _,
};
use serde_json::{Value, json};

/// The time of tests, in Unix seconds.
pub const NOW: i64 = 1_800_000_000;

/// What precedes the RSA key in its PKCS #8 wrapping.
const RSA_WRAPPING: usize = 26;

/// A key that signs.
pub struct Signer {
    /// Its name among others.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    key: EncodingKey,
    pair: KeyPair,
}

impl Signer {
    /// A new key of a name.
    pub fn new(kid: &str, algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::ES256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Algorithm::ES384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
            Algorithm::EdDSA => KeyPair::generate_for(&PKCS_ED25519),
            _ => KeyPair::generate_for(&PKCS_RSA_SHA256),
        };
        let pair = pair.unwrap();
        let der = pair.serialize_der();
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_der(&der),
            Algorithm::EdDSA => EncodingKey::from_ed_der(&der),
            _ => EncodingKey::from_rsa_der(&der[RSA_WRAPPING..]),
        };
        Self { kid: kid.into(), algorithm, key, pair }
    }

    /// An RSA key, made once for all tests.
    pub fn rsa() -> &'static Self {
        static SIGNER: OnceLock<Signer> = OnceLock::new();
        SIGNER.get_or_init(|| Self::new("k1", Algorithm::RS256))
    }

    /// Another RSA key, which says that it has the same name.
    pub fn imposter() -> &'static Self {
        static SIGNER: OnceLock<Signer> = OnceLock::new();
        SIGNER.get_or_init(|| Self::new("k1", Algorithm::RS256))
    }

    /// A signed token.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({ "alg": self.algorithm, "kid": self.kid, "typ": "JWT" }), claims)
    }

    /// A signed token with a header of one's own.
    pub fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let signature = crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// The public key.
    pub fn jwk(&self) -> Value {
        let mut jwk = if self.algorithm == Algorithm::EdDSA {
            let x = URL_SAFE_NO_PAD.encode(self.pair.der_bytes());
            json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": x })
        } else {
            json!(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap())
        };
        jwk["kid"] = self.kid.as_str().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The public key, for PEM and DER forms.
    pub fn pair(&self) -> &KeyPair {
        &self.pair
    }

    /// The public key in a certificate.
    pub fn certificate(&self) -> String {
        let params = CertificateParams::new(vec!["issuer.test".into()]).unwrap();
        params.self_signed(&self.pair).unwrap().pem()
    }
}

/// Header and payload of a token.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

/// Claims with changes; null takes one away.
pub fn changed(claims: &Value, changes: &Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}
