//! The parameters of a path.

use axum::{
    RequestPartsExt as _,
    extract::{FromRequestParts, MatchedPath, path::ErrorKind, rejection::PathRejection},
};
use http::request::Parts;
use kms_api::error::Issue;
use kms_core::Error;
use serde::de::DeserializeOwned;

use crate::{
    ApiError, AppState, openapi,
    route::{Describe, Operation},
};

/// The parameters of a path, in order: one value, or a tuple.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send + 'static> FromRequestParts<AppState> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        match parts.extract::<axum::extract::Path<T>>().await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                Err(refuse(error.into_kind(), parts.extensions.get::<MatchedPath>()))
            }
            Err(error) => Err(Error::Internal(Box::new(error)).into()),
        }
    }
}

impl<T> Describe for Path<T> {
    fn describe(_: &mut Operation) {}
}

fn refuse(kind: ErrorKind, template: Option<&MatchedPath>) -> ApiError {
    let names = template.map_or("", |template| template.as_str());
    let mut names = openapi::path_parameters(names);
    let name = match kind {
        ErrorKind::InvalidUtf8InPathParam { .. } => {
            return ApiError::Malformed("The path is not valid UTF-8");
        }
        ErrorKind::ParseErrorAtKey { key, .. } | ErrorKind::DeserializeError { key, .. } => key,
        ErrorKind::ParseErrorAtIndex { index, .. } => {
            names.nth(index).unwrap_or_default().to_owned()
        }
        ErrorKind::ParseError { .. } | ErrorKind::Message(_) => {
            names.next().unwrap_or_default().to_owned()
        }
        other => return Error::Internal(other.to_string().into()).into(),
    };
    ApiError::validation(vec![Issue {
        code: "invalid_string".into(),
        path: vec![name.into()],
        message: "Invalid uuid".into(),
    }])
}
