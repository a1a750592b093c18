//! GCP, twice: the metadata server gives an ID token for this machine, or the key of a service
//! account signs a token here. The server tells them apart by how the identity is set up.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kms_api::{
    IdentityId,
    auth::{JwtProof, gcp},
};
use reqwest::Method;
use rustls::{
    SignatureScheme,
    pki_types::{PrivateKeyDer, pem::PemObject},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::{LoginContext, Prove, variable, vendor::Vendor};
use crate::{Client, Error, tls};

/// Where the metadata server is. It is known as `metadata.google.internal`, too; by its address, a
/// machine without one need not wait until nobody knows the name.
const METADATA: &str = "169.254.169.254";
const TOKEN_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";
/// What the metadata server asks of every question and says in every answer.
const FLAVOR: (&str, &str) = ("metadata-flavor", "Google");

/// A machine of Google Cloud, by the ID token of its default service account.
#[derive(Clone, Debug)]
pub struct GcpIdToken {
    /// The machine identity; it is the audience of the token.
    pub identity: IdentityId,
}

impl Prove for GcpIdToken {
    type Method = gcp::GcpIdToken;

    async fn prove(&self, context: &LoginContext, _: &Client) -> Result<JwtProof, Error> {
        let host = variable("GCE_METADATA_HOST");
        let host = host.as_deref().unwrap_or(METADATA);
        let vendor = Vendor::metadata(
            "an ID token of Google Cloud",
            "this is not a machine of Google Cloud",
            &format!("http://{host}{TOKEN_PATH}"),
        )?;
        let audience = self.identity.to_string();
        let request = vendor
            .request(Method::GET)
            .header(FLAVOR.0, FLAVOR.1)
            .query(&[("audience", audience.as_str()), ("format", "full")]);
        let answer = vendor.answer(request).await?;
        if answer.headers.get(FLAVOR.0).is_none_or(|flavor| flavor != FLAVOR.1) {
            return Err(vendor.somebody_else());
        }
        Ok(context.jwt_proof(self.identity, answer.token()?))
    }
}

/// A service account of Google Cloud, by a key of it. The token is signed here; nobody is asked.
#[derive(Clone, Debug)]
pub struct GcpIam {
    /// The machine identity; it is the audience of the token.
    pub identity: IdentityId,
    /// The key file, in the JSON form in which Google hands it out.
    pub key_file: PathBuf,
}

impl Prove for GcpIam {
    type Method = gcp::GcpIam;

    async fn prove(&self, context: &LoginContext, _: &Client) -> Result<JwtProof, Error> {
        let key = ServiceAccountKey::read(&self.key_file)?;
        // The wall clock: the server compares with its own.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let jwt = key.sign(&self.identity, now)?;
        Ok(context.jwt_proof(self.identity, jwt))
    }
}

const WHAT: &str = "a token of the service account";
/// No key file is longer; what is, is the wrong file.
const MAX_BYTES: u64 = 64 * 1024;
/// Seconds that a signed token is good for: enough for a slow network and a clock that is off.
const LIFETIME: u64 = 600;

/// What is needed of a key file. `Deserialize` alone: nothing prints it.
#[derive(Deserialize)]
struct ServiceAccountKey {
    client_email: String,
    private_key_id: String,
    private_key: SecretString,
}

#[derive(Deserialize)]
struct Kind {
    r#type: String,
}

impl ServiceAccountKey {
    fn read(path: &Path) -> Result<Self, Error> {
        let place = path.display();
        let unusable = |cause: String| no_key(format!("`{place}` {cause}"));
        let mut text = Zeroizing::new(String::new());
        File::open(path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text))
            .map_err(|error| no_key(format!("`{place}`: {error}")))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(unusable("is too long for a key file".into()));
        }
        let kind: Kind = serde_json::from_str(&text)
            .map_err(|_| unusable("is not a key file in JSON form".into()))?;
        if kind.r#type != "service_account" {
            let cause = "is a file of credentials, but not the key of a service account";
            return Err(unusable(cause.into()));
        }
        // The error may quote what it could not read.
        serde_json::from_str(&text)
            .map_err(|_| unusable("lacks `client_email`, `private_key_id` or `private_key`".into()))
    }

    /// Signs a token for the identity (RFC 7515, RS256).
    fn sign(&self, audience: &IdentityId, now: u64) -> Result<SecretString, Error> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.private_key_id });
        let claims = json!({
            "iss": self.client_email,
            "sub": self.client_email,
            "aud": audience,
            "iat": now,
            "exp": now + LIFETIME,
        });
        let message = format!("{}.{}", encode(&header), encode(&claims));
        // `rustls` already knows how to read a private key and to sign with it.
        let key = PrivateKeyDer::from_pem_slice(self.private_key.expose_secret().as_bytes())
            .map_err(|_| no_key("`private_key` is not a private key in PEM form".into()))?;
        let signature = tls::provider()
            .key_provider
            .load_private_key(key)
            .ok()
            .and_then(|key| key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]))
            .and_then(|signer| signer.sign(message.as_bytes()).ok())
            .ok_or_else(|| no_key("`private_key` is not an RSA key of 2048 bits or more".into()))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }
}

fn encode(part: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).expect("texts and numbers are JSON"))
}

fn no_key(cause: String) -> Error {
    Error::NoProof { what: WHAT, cause: cause.into() }
}
