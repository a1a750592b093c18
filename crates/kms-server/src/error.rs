//! How an error becomes a status and a body (wire contract, errors): the one explicit mapping.

use std::{borrow::Cow, sync::Arc};

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kms_api::{ErrorBody, error::Issue};
use kms_core::{Error, SecondFactor, TokenError};
use serde_json::{Value, json};

/// Why a request was not answered with a success.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The product refused or failed.
    #[error(transparent)]
    Core(#[from] Error),
    /// A valid token, but of a kind that the route does not take (403).
    #[error("the route does not take this kind of token")]
    WrongTokenKind,
    /// Not what HTTP, JSON or a form looks like (400).
    #[error("{0}")]
    Malformed(&'static str),
    /// No route of this method and path (404).
    #[error("there is no such route")]
    NoRoute,
    /// The body did not arrive in time (408).
    #[error("the body did not arrive in time")]
    TimedOut,
    /// A body over the limit (413).
    #[error("the body is too large")]
    TooLarge,
    /// A body of a media type that the route does not take (415).
    #[error("the media type is not supported")]
    WrongMediaType,
    /// More requests at one time than the server takes (503).
    #[error("the server is busy")]
    Busy,
}

impl ApiError {
    /// Broken rules, each naming its field.
    pub fn validation(issues: Vec<Issue>) -> Self {
        Self::Core(Error::Validation(issues))
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Core(error) => core_status(error),
            Self::WrongTokenKind => StatusCode::FORBIDDEN,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Seconds after which the caller may try again, where there is such a time.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Core(Error::RateLimited { retry_after }) => Some(*retry_after),
            Self::Core(Error::Unavailable(_)) | Self::Busy => Some(1),
            _ => None,
        }
    }

    /// What a program may act on, beside the status.
    fn context(&self) -> Option<Value> {
        match self {
            Self::Core(Error::SecondFactor(refusal)) => Some(json!({ "code": refusal.code() })),
            _ => None,
        }
    }

    /// The body of the answer to a request. A failure of ours says nothing but the request's id.
    pub(crate) fn body(&self, request_id: &str, method: &str, path: &str) -> ErrorBody {
        let text = match self {
            _ if self.status().is_server_error() => Text::new("InternalServerError", SERVER_TEXT),
            Self::Core(error) => Text::of(error),
            Self::WrongTokenKind => Text::new(
                format!("Forbidden access to {path}"),
                "This kind of token cannot be used here",
            ),
            Self::NoRoute => Text::new("Not Found", format!("Route {method}:{path} not found")),
            Self::Malformed(_) => Text::new("BadRequest", self.to_string()),
            Self::TimedOut => Text::new("RequestTimeout", self.to_string()),
            Self::TooLarge => Text::new("PayloadTooLarge", self.to_string()),
            Self::WrongMediaType => Text::new("UnsupportedMediaType", self.to_string()),
            Self::Busy => Text::new("ServiceUnavailable", SERVER_TEXT),
        };
        ErrorBody {
            req_id: request_id.to_owned(),
            status_code: self.status().as_u16(),
            message: text.message,
            error: text.name.into_owned(),
            details: text.details,
            context: self.context(),
        }
    }
}

const SERVER_TEXT: &str = "Something went wrong";

fn core_status(error: &Error) -> StatusCode {
    match error {
        Error::Validation(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::BadRequest { .. }
        | Error::SingleSignOn { .. }
        | Error::SecondFactor(SecondFactor::Wrong) => StatusCode::BAD_REQUEST,
        Error::Unauthorized(_)
        | Error::SessionOver { .. }
        | Error::SecondFactor(SecondFactor::Expired)
        | Error::TokenMissing => StatusCode::UNAUTHORIZED,
        Error::Token(_)
        | Error::Forbidden { .. }
        | Error::References(_)
        | Error::PermissionDenied { .. }
        | Error::PermissionBoundary { .. } => StatusCode::FORBIDDEN,
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The parts of an error body that depend on the error.
struct Text {
    name: Cow<'static, str>,
    message: Value,
    details: Option<Value>,
}

impl Text {
    fn new(name: impl Into<Cow<'static, str>>, message: impl Into<Value>) -> Self {
        Self { name: name.into(), message: message.into(), details: None }
    }

    fn of(error: &Error) -> Self {
        match error {
            Error::Validation(issues) => Self::new("ValidationFailure", json!(issues)),
            Error::BadRequest { name, message } => Self::new(*name, message.as_ref()),
            Error::SingleSignOn { message, .. } => Self::new("SsoRequired", *message),
            Error::Unauthorized(_) | Error::TokenMissing => {
                Self::new("UnauthorizedError", error.to_string())
            }
            Error::SecondFactor(refusal) => Self::new("MfaError", refusal.to_string()),
            Error::SessionOver { name, message } => Self::new(*name, *message),
            Error::Token(error) => Self::new("TokenError", token_text(*error)),
            Error::Forbidden { name, message } => Self::new(name.clone(), message.as_ref()),
            Error::References(messages) => Self {
                details: Some(json!(messages)),
                ..Self::new("ForbiddenError", error.to_string())
            },
            Error::PermissionDenied { rules, .. } => Self {
                details: Some(json!(rules)),
                ..Self::new("PermissionDenied", error.to_string())
            },
            Error::PermissionBoundary { missing } => Self {
                details: Some(json!({ "missingPermissions": missing })),
                ..Self::new("PermissionBoundaryError", error.to_string())
            },
            Error::NotFound(message) => Self::new("NotFound", message.as_ref()),
            Error::RateLimited { .. } => Self::new("RateLimitExceeded", error.to_string()),
            Error::Unavailable(_) => Self::new("ServiceUnavailable", SERVER_TEXT),
            Error::Internal(_) => Self::new("InternalServerError", SERVER_TEXT),
        }
    }
}

/// The contract's texts, which clients show; the type of a token is told by [`ApiError`] instead.
fn token_text(error: TokenError) -> &'static str {
    match error {
        TokenError::Expired => "Your token has expired. Please re-authenticate.",
        TokenError::Malformed | TokenError::WrongType => {
            "The provided access token is malformed. Please log in again."
        }
        TokenError::InvalidAlgorithm => {
            "The access token is signed with an invalid algorithm. Please log in again."
        }
        TokenError::InvalidSignature => "invalid signature",
        TokenError::NotYetValid => "The access token is not valid yet.",
    }
}

/// Carries an error from the handler to the pipeline, which writes the body.
#[derive(Clone)]
pub(crate) struct Failure(pub(crate) Arc<ApiError>);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Failure(Arc::new(self)));
        response
    }
}
