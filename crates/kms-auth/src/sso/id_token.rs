//! Believing an ID token (OpenID Connect Core 1.0, section 3.1.3.7).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use openidconnect::{
    ClaimsVerificationError, ClientId, IssuerUrl, JsonWebKeySet, Nonce, SignatureVerificationError,
    core::{
        CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKey,
        CoreJwsSigningAlgorithm,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{Algorithm, Provider, Refusal};

/// Bytes of an ID token at most.
const LONGEST: usize = 16 * 1024;
/// Seconds that clocks may differ.
const SKEW: i64 = 60;
/// Seconds that a token may be old: as long as a sign-in may take.
const OLDEST: i64 = 600;
/// Characters of a subject at most (OpenID Connect Core 1.0, section 2).
const LONGEST_SUBJECT: usize = 255;

/// What a token's header says that anybody looks at. Keys in it, and addresses of keys, are not
/// even read (attack J3).
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    alg: String,
    /// Names one of the provider's published keys.
    #[serde(default)]
    pub(super) kid: Option<String>,
}

/// What the library does not look at.
#[derive(Deserialize)]
struct Rest {
    #[serde(default)]
    nbf: Option<f64>,
}

impl Header {
    /// Reads a token's header, and refuses every algorithm but the provider's before anything else
    /// happens (attacks J1, J2).
    pub(super) fn of(token: &str, algorithm: Algorithm) -> Result<Self, Refusal> {
        let header: Self = part(token, 0)?;
        if header.alg != algorithm.as_str() {
            return Err(Refusal::Algorithm);
        }
        Ok(header)
    }
}

fn part<T: for<'de> Deserialize<'de>>(token: &str, nth: usize) -> Result<T, Refusal> {
    if token.len() > LONGEST || token.split('.').count() != 3 {
        return Err(Refusal::Form);
    }
    let text = token.split('.').nth(nth).ok_or(Refusal::Form)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Form)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::Form)
}

/// What a token says, if it is signed by this key, for us, now, and in answer to this sign-in.
pub(super) fn verify(
    token: &CoreIdToken,
    key: CoreJsonWebKey,
    provider: &Provider,
    nonce: &SecretString,
    now: i64,
) -> Result<CoreIdTokenClaims, Refusal> {
    let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|_| Refusal::Issuer)?;
    let client = ClientId::new(provider.client_id.clone());
    let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let verifier =
        CoreIdTokenVerifier::new_public_client(client, issuer, JsonWebKeySet::new(vec![key]))
            .set_allowed_algs([signing(provider.reach.algorithm)])
            // Several are judged below, by the party that the token was made for.
            .set_other_audience_verifier_fn(|_| true)
            .set_time_fn(move || at(now - SKEW))
            .set_issue_time_verifier_fn(move |issued| {
                let fresh = at(now - OLDEST - SKEW)..=at(now + SKEW);
                if fresh.contains(&issued) { Ok(()) } else { Err("not of this time".to_owned()) }
            });
    let nonce = Nonce::new(nonce.expose_secret().to_owned());
    let claims = token.claims(&verifier, &nonce).map_err(|error| reason(&error))?;
    let rest: Rest = part(&token.to_string(), 1)?;
    #[expect(clippy::cast_precision_loss, reason = "Unix seconds are small")]
    if rest.nbf.is_some_and(|from| from > (now + SKEW) as f64) {
        return Err(Refusal::Time);
    }
    let party = claims.authorized_party().map(|party| party.as_str());
    let is_ours = party == Some(&provider.client_id);
    if !is_ours && (party.is_some() || claims.audiences().len() > 1) {
        return Err(Refusal::Audience);
    }
    let subject = claims.subject().as_str();
    if subject.is_empty()
        || subject.len() > LONGEST_SUBJECT
        || subject.chars().any(char::is_control)
    {
        return Err(Refusal::Subject);
    }
    Ok(claims.clone())
}

fn signing(algorithm: Algorithm) -> CoreJwsSigningAlgorithm {
    match algorithm {
        Algorithm::Rs256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        Algorithm::Ps256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        Algorithm::Es256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        Algorithm::EdDsa => CoreJwsSigningAlgorithm::EdDsa,
    }
}

fn reason(error: &ClaimsVerificationError) -> Refusal {
    match error {
        ClaimsVerificationError::InvalidIssuer(_) => Refusal::Issuer,
        ClaimsVerificationError::InvalidAudience(_) => Refusal::Audience,
        ClaimsVerificationError::InvalidNonce(_) => Refusal::Nonce,
        ClaimsVerificationError::Expired(_) => Refusal::Time,
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::CryptoError(_),
        ) => Refusal::Signature,
        ClaimsVerificationError::SignatureVerification(_) => Refusal::Key,
        _ => Refusal::Form,
    }
}
