//! Signing in at a provider of this machine that signs with real keys, by every algorithm.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response, header::HOST};
use jsonwebtoken::EncodingKey;
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData as _, RsaKeySize,
};
use serde_json::{Value, json};

use super::{Algorithm, Identity, Provider, Reach, Refusal, SingleSignOn, SsoError, Started};
use crate::testing::{Peer, json as answer, loopback, status};

const NOW: i64 = 1_795_435_200;

/// A key pair as a provider publishes it, and as it signs.
struct Signer {
    algorithm: Algorithm,
    public: Value,
    spki: Vec<u8>,
    key: EncodingKey,
}

impl Signer {
    fn new(algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
            }
            Algorithm::Es256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Algorithm::EdDsa => KeyPair::generate_for(&PKCS_ED25519),
        };
        let pair = pair.unwrap();
        let (raw, der) = (pair.public_key_raw().to_vec(), pair.serialize_der());
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (public, key) = match algorithm {
            // SEQUENCE { INTEGER of 257 bytes, INTEGER of 3 bytes }, and a PKCS #1 key in PKCS #8.
            Algorithm::Rs256 | Algorithm::Ps256 => (
                json!({ "kty": "RSA", "n": text(&raw[9..265]), "e": "AQAB" }),
                EncodingKey::from_rsa_der(&der[26..]),
            ),
            Algorithm::Es256 => (
                json!({ "kty": "EC", "crv": "P-256", "x": text(&raw[1..33]), "y": text(&raw[33..]) }),
                EncodingKey::from_ec_der(&der),
            ),
            Algorithm::EdDsa => (
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(&raw) }),
                EncodingKey::from_ed_der(&der),
            ),
        };
        Self { algorithm, public, spki: pair.subject_public_key_info(), key }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let algorithm = match self.algorithm {
            Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
            Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        };
        signed(header, claims, &self.key, algorithm)
    }
}

fn signed(
    header: &Value,
    claims: &Value,
    key: &EncodingKey,
    algorithm: jsonwebtoken::Algorithm,
) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = jsonwebtoken::crypto::sign(text.as_bytes(), key, algorithm).unwrap();
    format!("{text}.{signature}")
}

/// A provider that publishes these keys and answers this token to every code.
struct Fake {
    peer: Peer,
    token: Arc<Mutex<String>>,
}

impl Fake {
    async fn start(keys: Vec<Value>) -> Self {
        let token = Arc::new(Mutex::new(String::new()));
        let told = Arc::clone(&token);
        let peer = Peer::http(move |request: Request<Bytes>| -> Response<Bytes> {
            let host = request.headers()[HOST].to_str().unwrap().to_owned();
            match request.uri().path() {
                "/document" => answer(&json!({
                    "issuer": format!("http://{host}"),
                    "authorization_endpoint": format!("http://{host}/authorize"),
                    "token_endpoint": format!("http://{host}/token"),
                    "jwks_uri": format!("http://{host}/keys"),
                    "userinfo_endpoint": format!("http://{host}/userinfo"),
                })),
                "/keys" => answer(&json!({ "keys": keys })),
                "/token" => answer(&json!({
                    "access_token": "at",
                    "token_type": "Bearer",
                    "id_token": *told.lock().unwrap(),
                })),
                "/userinfo" => answer(&json!({
                    "sub": "ada",
                    "email": "ada@corp.example",
                    "email_verified": true,
                })),
                _ => status(404),
            }
        });
        Self { peer: peer.await, token }
    }

    fn provider(&self, algorithm: Algorithm) -> Provider {
        Provider {
            issuer: self.peer.url(),
            client_id: "kms".into(),
            client_secret: "secret".into(),
            reach: Reach {
                discovery: Some(format!("{}/document", self.peer.url())),
                algorithm,
                ..Reach::default()
            },
        }
    }

    fn claims(&self, email: Option<&str>) -> Value {
        let mut claims = json!({
            "iss": self.peer.url(),
            "sub": "ada",
            "aud": "kms",
            "iat": NOW,
            "exp": NOW + 300,
            "nonce": "nonce",
        });
        if let Some(email) = email {
            claims["email"] = email.into();
            claims["email_verified"] = true.into();
        }
        claims
    }

    async fn finish(&self, algorithm: Algorithm, token: String) -> Result<Identity, SsoError> {
        *self.token.lock().unwrap() = token;
        let started = Started {
            state: "state".into(),
            nonce: "nonce".into(),
            verifier: "v".repeat(43).into(),
            redirect: "https://kms.example.com/login/sso/callback".into(),
        };
        let sso = SingleSignOn::new(loopback());
        sso.finish(&self.provider(algorithm), &started, &"code".into(), None, NOW).await
    }
}

#[tokio::test]
async fn every_algorithm_is_believed_by_its_own_key_and_no_other() {
    for algorithm in Algorithm::ALL {
        let (signer, stranger) = (Signer::new(algorithm), Signer::new(algorithm));
        let fake = Fake::start(vec![signer.public.clone()]).await;
        let header = json!({ "alg": algorithm.as_str() });
        let claims = fake.claims(Some("ada@corp.example"));
        let identity = fake.finish(algorithm, signer.sign(&header, &claims)).await;
        assert_eq!(identity.unwrap().subject, "ada", "{}", algorithm.as_str());
        let forged = fake.finish(algorithm, stranger.sign(&header, &claims)).await;
        let is_refused = matches!(forged, Err(SsoError::Refused(Refusal::Signature)));
        assert!(is_refused, "{} {forged:?}", algorithm.as_str());
        // The same key, and a provider that is configured for another algorithm.
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            let refused = fake.finish(other, signer.sign(&header, &claims)).await;
            let is_refused = matches!(refused, Err(SsoError::Refused(Refusal::Algorithm)));
            assert!(is_refused, "{} {refused:?}", other.as_str());
        }
    }
}

/// What everybody knows of a key is no secret to sign with.
#[tokio::test]
async fn j1_a_public_key_is_no_shared_secret() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::new(algorithm);
        let fake = Fake::start(vec![signer.public.clone()]).await;
        let claims = fake.claims(Some("ada@corp.example"));
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            base64::engine::general_purpose::STANDARD.encode(&signer.spki)
        );
        let member = signer.public["n"].as_str().or(signer.public["x"].as_str()).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(member).unwrap();
        for secret in [pem.as_bytes(), &signer.spki, member.as_bytes(), &bytes, b"secret", b""] {
            for (name, hmac) in [
                ("HS256", jsonwebtoken::Algorithm::HS256),
                ("HS384", jsonwebtoken::Algorithm::HS384),
                ("HS512", jsonwebtoken::Algorithm::HS512),
            ] {
                let key = EncodingKey::from_secret(secret);
                for says in [name, algorithm.as_str()] {
                    let token = signed(&json!({ "alg": says }), &claims, &key, hmac);
                    let refused = fake.finish(algorithm, token).await;
                    let is_refused = matches!(refused, Err(SsoError::Refused(_)));
                    assert!(is_refused, "{says} {refused:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_address_that_the_token_lacks_is_asked_for_about_the_same_subject() {
    let signer = Signer::new(Algorithm::Es256);
    let fake = Fake::start(vec![signer.public.clone()]).await;
    let header = json!({ "alg": "ES256" });
    let mut claims = fake.claims(None);
    let identity = fake.finish(Algorithm::Es256, signer.sign(&header, &claims)).await.unwrap();
    assert_eq!(identity.email, "ada@corp.example");
    claims["sub"] = "bob".into();
    let refused = fake.finish(Algorithm::Es256, signer.sign(&header, &claims)).await;
    assert!(matches!(refused, Err(SsoError::Refused(Refusal::Subject))), "{refused:?}");
}

/// Everybody who comes while a document is on its way waits for the same answer.
#[tokio::test]
async fn j9_many_sign_ins_ask_for_the_documents_once() {
    let signer = Signer::new(Algorithm::Es256);
    let fake = Fake::start(vec![signer.public.clone()]).await;
    let sso = SingleSignOn::new(loopback());
    let started = Started {
        state: "state".into(),
        nonce: "nonce".into(),
        verifier: "v".repeat(43).into(),
        redirect: "https://kms.example.com/login/sso/callback".into(),
    };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (sso, started, provider) =
            (sso.clone(), started.clone(), fake.provider(Algorithm::Es256));
        tasks.spawn(async move { sso.start(&provider, &started, NOW).await });
    }
    for location in tasks.join_all().await {
        let location = location.unwrap();
        assert!(location.contains("code_challenge_method=S256"), "{location}");
        assert!(!location.contains(&"v".repeat(43)), "the verifier went along");
    }
    let asked = fake.peer.requests();
    assert_eq!(asked.iter().filter(|request| request.uri().path() == "/document").count(), 1);
}
