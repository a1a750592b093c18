//! What a page is asked with: its address, and what its forms send.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header::ORIGIN, request::Parts};
use kms_core::Error;
use serde::de::DeserializeOwned;

use crate::{
    ApiError, AppState, extract,
    route::{Describe, Operation},
};

/// The fields of a form that was sent from a page of ours (attack D8).
///
/// The cookie is never sent along from elsewhere; beside that, the browser itself says which site
/// a form stands on, and every browser that is still made does.
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest<AppState> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Response> {
        require_same_origin(request.headers(), app).map_err(IntoResponse::into_response)?;
        extract::form_body(request).await.map(Self).map_err(IntoResponse::into_response)
    }
}

/// The fields in a page's address.
pub(crate) struct Link<T>(pub(crate) T);

impl<T: DeserializeOwned + Send + 'static> FromRequestParts<AppState> for Link<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        extract::form_text(parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }
}

impl<T> Describe for Link<T> {
    fn describe(_: &mut Operation) {}
}

impl<T> Describe for Form<T> {
    fn describe(_: &mut Operation) {}
}

/// Refuses what was sent from another site, or from nobody knows where.
fn require_same_origin(headers: &HeaderMap, app: &AppState) -> Result<(), ApiError> {
    let site = headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes);
    let origin = headers.get(ORIGIN).map(|value| value.to_str().unwrap_or_default());
    let is_ours = match (site, origin) {
        (Some(site), Some(origin)) => site == b"same-origin" && is_own(origin, headers, app),
        (Some(site), None) => site == b"same-origin",
        (None, Some(origin)) => is_own(origin, headers, app),
        (None, None) => false,
    };
    if is_ours {
        return Ok(());
    }
    Err(Error::forbidden("This form was not sent from a page of this server").into())
}

/// Whether an origin is where people find us: the public URL, or for a server on this machine the
/// loopback address that it was asked at.
fn is_own(origin: &str, headers: &HeaderMap, app: &AppState) -> bool {
    let public = app.settings.public_url.as_str();
    if origin == public {
        return true;
    }
    let host = headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
    is_loopback(public) && is_loopback(origin) && origin.split_once("://").map(|(_, at)| at) == host
}

fn is_loopback(origin: &str) -> bool {
    let Some(rest) = origin.strip_prefix("http://") else { return false };
    let host = rest.rsplit_once(':').map_or(rest, |(host, _)| host);
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}
