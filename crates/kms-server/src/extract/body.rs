//! The body of a request.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::{issues, json, query};
use crate::{
    ApiError, AppState,
    route::{Describe, Operation, RouteInfo},
};

/// Bytes of a body at most: a batch of a thousand large secrets fits.
const LARGEST: usize = 2 * 1024 * 1024;
/// Bytes of a body that anybody may send.
const LARGEST_PUBLIC: usize = 64 * 1024;
/// How long a body may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A JSON object. No body at all counts as an empty one.
pub struct Body<T>(pub T);

/// A JSON object or a form, for the routes whose clients send either.
pub struct JsonOrForm<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        read(request, false).await.map(Self)
    }
}

impl<T: DeserializeOwned + 'static> FromRequest<AppState> for JsonOrForm<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        read(request, true).await.map(Self)
    }
}

impl<T: ToSchema> Describe for Body<T> {
    fn describe(operation: &mut Operation) {
        operation.takes::<T>(&[JSON]);
    }
}

impl<T: ToSchema> Describe for JsonOrForm<T> {
    fn describe(operation: &mut Operation) {
        operation.takes::<T>(&[JSON, FORM]);
    }
}

/// The fields of a page's form.
pub(crate) async fn form<T: DeserializeOwned + 'static>(request: Request) -> Result<T, ApiError> {
    let (media_type, body) = arrived(request).await?;
    match media_type.as_deref() {
        Some(FORM) | None => query::form(&body),
        _ => Err(ApiError::WrongMediaType),
    }
}

async fn read<T: DeserializeOwned + 'static>(request: Request, forms: bool) -> Result<T, ApiError> {
    let (media_type, body) = arrived(request).await?;
    if body.is_empty() {
        return issues::json(b"{}");
    }
    match media_type.as_deref() {
        Some(JSON) => {
            json::check(&body)?;
            issues::json(&body)
        }
        Some(FORM) if forms => query::form(&body),
        _ => Err(ApiError::WrongMediaType),
    }
}

/// A body that has arrived, with its media type.
async fn arrived(request: Request) -> Result<(Option<String>, Bytes), ApiError> {
    let (parts, body) = request.into_parts();
    let media_type = media_type(&parts.headers);
    let info = parts.extensions.get::<RouteInfo>();
    let is_small = info.is_none_or(|info| info.access.is_public() || info.is_page);
    let collected = collect(body, if is_small { LARGEST_PUBLIC } else { LARGEST });
    match tokio::time::timeout(ARRIVES_WITHIN, collected).await {
        Ok(body) => Ok((media_type, body?)),
        Err(_) => Err(ApiError::TimedOut),
    }
}

async fn collect(body: axum::body::Body, limit: usize) -> Result<Bytes, ApiError> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::TooLarge),
        Err(_) => Err(ApiError::Malformed("The body broke off")),
    }
}

/// The media type without its parameters.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}
