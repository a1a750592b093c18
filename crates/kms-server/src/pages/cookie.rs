//! The cookie of a browser that somebody signed in with.
//!
//! No page's script reads it (`HttpOnly`) and no other site has it sent (`SameSite=Strict`). Over
//! HTTPS it never leaves in the clear, and no neighbour below our domain can set it (`__Host-`).

use http::{HeaderMap, HeaderValue, header::COOKIE};
use kms_core::Error;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{ApiError, AppState};

/// The cookie's name.
pub(crate) fn name(app: &AppState) -> &'static str {
    if is_secure(app) { "__Host-kms_page" } else { "kms_page" }
}

/// The one value of a cookie. Two are none: somebody may have set one of the two.
pub(crate) fn value(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    let headers = headers.get_all(COOKIE).iter();
    let pairs = headers.filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
    let mut found = pairs.filter_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name && !value.is_empty()).then_some(value)
    });
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value.into()),
        _ => None,
    }
}

/// Signs the browser in.
pub(crate) fn set(app: &AppState, page: &kms_core::Page) -> Result<HeaderValue, ApiError> {
    cookie(app, name(app), page.token.expose_secret(), page.seconds, "Strict")
}

/// Signs the browser out.
pub(crate) fn clear(app: &AppState) -> Result<HeaderValue, ApiError> {
    cookie(app, name(app), "", 0, "Strict")
}

/// A cookie of this host alone, for so many seconds.
pub(crate) fn cookie(
    app: &AppState,
    name: &str,
    value: &str,
    seconds: i64,
    same_site: &str,
) -> Result<HeaderValue, ApiError> {
    let secure = if is_secure(app) { "; Secure" } else { "" };
    let text = format!(
        "{name}={value}; HttpOnly; Path=/; SameSite={same_site}; Max-Age={seconds}{secure}"
    );
    let value = HeaderValue::from_str(&text);
    let mut value = value.map_err(|error| Error::Internal(Box::new(error)))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether people find us by HTTPS.
pub(crate) fn is_secure(app: &AppState) -> bool {
    app.settings.public_url.starts_with("https://")
}
