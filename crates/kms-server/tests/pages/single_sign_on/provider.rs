//! An identity provider that signs with real keys and says whatever a test wants.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Who the server is to every provider of a test, and the secret between the two.
pub(crate) const CLIENT: &str = "kms";
pub(crate) const SECRET: &str = "provider-secret-5f0c";

/// A provider.
#[derive(Clone)]
pub(crate) struct Provider(Arc<Inner>);

struct Inner {
    url: String,
    key: KeyPair,
    said: Mutex<HashMap<String, Code>>,
    /// What the discovery document says otherwise.
    document: Mutex<Value>,
    /// What a token's header says otherwise.
    header: Mutex<Value>,
    calls: AtomicUsize,
}

/// What a code stands for.
struct Code {
    challenge: String,
    claims: Value,
}

impl Provider {
    /// Starts one on loopback.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inner = Inner {
            url: format!("http://{}", listener.local_addr().unwrap()),
            key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
            said: Mutex::default(),
            document: Mutex::new(json!({})),
            header: Mutex::new(json!({})),
            calls: AtomicUsize::new(0),
        };
        let provider = Self(Arc::new(inner));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// Its issuer.
    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    /// How often its keys were asked for.
    pub(crate) fn asked_for_keys(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// Says something else in its discovery document from here on.
    pub(crate) fn document(&self, changes: Value) {
        *self.0.document.lock().unwrap() = changes;
    }

    /// Says something else in the header of its tokens from here on.
    pub(crate) fn header(&self, changes: Value) {
        *self.0.header.lock().unwrap() = changes;
    }

    /// Signs somebody in who was sent here, and answers where their browser goes: these claims,
    /// with `null` for what is left out.
    pub(crate) fn sign_in(&self, location: &str, now: i64, claims: &Value) -> String {
        let (front, query) = location.split_once('?').unwrap();
        assert_eq!(front, format!("{}/authorize", self.url()), "sent elsewhere");
        let asked: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let said = json!({
            "iss": self.url(),
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "email_verified": true,
        });
        let claims = patched(said, claims);
        let mut codes = self.0.said.lock().unwrap();
        let code = format!("code-{}", codes.len());
        codes.insert(code.clone(), Code { challenge: asked["code_challenge"].clone(), claims });
        let (_, back) = asked["redirect_uri"].split_once("//").unwrap();
        let back = &back[back.find('/').unwrap()..];
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &code)
            .append_pair("state", &asked["state"])
            .finish();
        format!("{back}?{query}")
    }

    fn signed(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "kid": "one", "typ": "JWT" });
        let header = patched(header, &self.0.header.lock().unwrap());
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(claims));
        let key = EncodingKey::from_ec_der(&self.0.key.serialize_der());
        let signature =
            jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::ES256).unwrap();
        format!("{text}.{signature}")
    }
}

/// An object with some of its fields replaced, or taken away by `null`.
fn patched(mut value: Value, changes: &Value) -> Value {
    let fields: &mut Map<_, _> = value.as_object_mut().unwrap();
    for (name, change) in changes.as_object().unwrap() {
        if change.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), change.clone());
        }
    }
    value
}

async fn discovery(State(provider): State<Provider>) -> Json<Value> {
    let url = provider.url();
    let document = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
    });
    Json(patched(document, &provider.0.document.lock().unwrap()))
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    provider.0.calls.fetch_add(1, Ordering::SeqCst);
    let point = provider.0.key.public_key_raw();
    let (x, y) = point[1..].split_at(32);
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let key = json!({ "kty": "EC", "crv": "P-256", "kid": "one", "x": encode(x), "y": encode(y) });
    Json(json!({ "keys": [key] }))
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, body: String) -> Response {
    let expected = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
    let is_known = headers.get("authorization").is_some_and(|value| value == expected.as_str());
    let fields: HashMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    // A code is good once.
    let code = provider.0.said.lock().unwrap().remove(&fields["code"]);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&fields["code_verifier"]));
    match code.filter(|code| is_known && code.challenge == challenge) {
        Some(code) => Json(json!({
            "access_token": "at",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": provider.signed(&code.claims),
        }))
        .into_response(),
        None => {
            (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response()
        }
    }
}
