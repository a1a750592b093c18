//! The headers of every answer (attack D8).

use axum::response::Response;
use http::{HeaderName, HeaderValue, header::CONTENT_SECURITY_POLICY};

use kms_api::status::VERSION_HEADER;

use crate::{AppState, context::Context, pages::IsPage};

/// An API answer is data for the program that asked: nobody stores it, frames it or guesses at it.
const ALWAYS: [(&str, &str); 7] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    (VERSION_HEADER, env!("CARGO_PKG_VERSION")),
];

/// What a page has in other words than data: its own policy, which it brings along, and an origin
/// that its forms may name to this server alone.
const OF_PAGES: [(&str, &str); 2] =
    [("cross-origin-opener-policy", "same-origin"), ("referrer-policy", "same-origin")];

const HSTS: (&str, &str) = ("strict-transport-security", "max-age=31536000; includeSubDomains");

/// Adds what every answer carries.
pub(super) fn complete(response: &mut Response, app: &AppState, context: &Context) {
    let is_page = response.extensions_mut().remove::<IsPage>().is_some();
    let headers = response.headers_mut();
    let policy = headers.get(CONTENT_SECURITY_POLICY).filter(|_| is_page).cloned();
    let secure = app.settings.public_url.starts_with("https://");
    for (name, value) in ALWAYS.into_iter().chain(secure.then_some(HSTS)) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if is_page {
        for (name, value) in OF_PAGES {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
    if let Some(policy) = policy {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    if let Ok(id) = HeaderValue::from_str(&context.id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if let Some(allowance) = context.allowance.get() {
        allowance.tell(headers);
    }
}
