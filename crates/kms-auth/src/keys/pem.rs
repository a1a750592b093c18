//! Keys as text (RFC 7468).

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{KeyError, KeySet, VerifyingKey, der};

/// More certificates than any service account has.
const MAX_KEYS: usize = 100;

/// Reads one public key or certificate in PEM form.
pub(crate) fn read_pem(text: &str) -> Result<VerifyingKey, KeyError> {
    let text = text.trim().strip_prefix("-----BEGIN ").ok_or(KeyError::Malformed)?;
    let (label, rest) = text.split_once("-----").ok_or(KeyError::Malformed)?;
    let (body, end) = rest.split_once("-----END ").ok_or(KeyError::Malformed)?;
    if end.strip_suffix("-----") != Some(label) {
        return Err(KeyError::Malformed);
    }
    if label.ends_with("PRIVATE KEY") {
        return Err(KeyError::Private);
    }
    let body: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(body).map_err(|_| KeyError::Malformed)?;
    match label {
        "PUBLIC KEY" => der::public_key_info(&der),
        "RSA PUBLIC KEY" => der::rsa_public_key(&der),
        "CERTIFICATE" => der::certificate(&der),
        _ => Err(KeyError::Malformed),
    }
}

/// Reads a JSON object of certificates by their key's name, as Google publishes them.
pub(crate) fn read_certificates(body: &[u8]) -> Result<KeySet, KeyError> {
    let texts: BTreeMap<String, String> =
        serde_json::from_slice(body).map_err(|_| KeyError::Malformed)?;
    if texts.len() > MAX_KEYS {
        return Err(KeyError::Size);
    }
    let keys = texts.into_iter().filter_map(|(kid, text)| match read_pem(&text) {
        Ok(key) => Some(VerifyingKey { kid: Some(kid), ..key }),
        Err(error) => {
            tracing::info!("published certificate not used: it {error}");
            None
        }
    });
    Ok(KeySet::new(keys))
}
