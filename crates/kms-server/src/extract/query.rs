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
pub(crate) fn form<T: DeserializeOwned + 'static>(text: &[u8]) -> Result<T, ApiError> {
    check_encoding(text)?;
    let pairs: Vec<(String, String)> = form_urlencoded::parse(text).into_owned().collect();
    let mut seen = HashSet::new();
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !seen.insert(name.as_str())) {
        return Err(issues::duplicate(vec![name.as_str().into()]));
    }
    issues::form(&pairs)
}

/// Accepts text in which every `%` is followed by two hexadecimal digits that are not the null
/// character, which not every database can hold.
pub(crate) fn check_encoding(text: &[u8]) -> Result<(), ApiError> {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        let digits = rest.get(at + 1..at + 3).filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        match digits {
            Some(b"00") => return Err(ApiError::Malformed("Text must not hold a null character")),
            Some(_) => rest = &rest[at + 3..],
            None => return Err(ApiError::Malformed("The percent-encoding is malformed")),
        }
    }
    Ok(())
}
