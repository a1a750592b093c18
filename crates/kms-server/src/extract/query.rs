//! The query string.

use std::collections::HashSet;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::issues;
use crate::{
    ApiError, AppState,
    route::{Describe, Operation},
};

/// The fields of the query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send + 'static> FromRequestParts<AppState> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        form(parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }
}

impl<T: ToSchema> Describe for Query<T> {
    fn describe(operation: &mut Operation) {
        operation.queries::<T>();
    }
}

/// Reads `application/x-www-form-urlencoded` text.
pub(super) fn form<T: DeserializeOwned + 'static>(text: &[u8]) -> Result<T, ApiError> {
    if !well_encoded(text) {
        return Err(ApiError::Malformed("The percent-encoding is malformed"));
    }
    let pairs: Vec<(String, String)> = form_urlencoded::parse(text).into_owned().collect();
    let mut seen = HashSet::new();
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !seen.insert(name.as_str())) {
        return Err(issues::duplicate(vec![name.as_str().into()]));
    }
    issues::form(&pairs)
}

/// Whether every `%` is followed by two hexadecimal digits.
pub(crate) fn well_encoded(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        let (Some(high), Some(low)) = (rest.get(at + 1), rest.get(at + 2)) else {
            return false;
        };
        if !high.is_ascii_hexdigit() || !low.is_ascii_hexdigit() {
            return false;
        }
        rest = &rest[at + 3..];
    }
    true
}
