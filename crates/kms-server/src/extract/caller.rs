//! Who is asking.

use axum::extract::FromRequestParts;
use http::{HeaderMap, header::AUTHORIZATION, request::Parts};
use kms_core::{Actor, Caller, Error, TokenError};

use crate::{
    ApiError, AppState,
    context::SharedContext,
    route::{Access, Describe, Operation},
};

/// A user; a machine's token is refused.
pub struct OnlyUser(pub Caller);

/// A machine identity; a user's token is refused.
pub struct OnlyIdentity(pub Caller);

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let context = parts.extensions.get::<SharedContext>().cloned().unwrap_or_default();
        let bearer = bearer(&parts.headers)?;
        let caller = app.core.authenticate(bearer, context.origin.clone()).await?;
        // Set once: a handler takes one caller.
        let _ = context.caller.set(caller.clone());
        Ok(caller)
    }
}

impl FromRequestParts<AppState> for OnlyUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        match caller.actor {
            Actor::User(_) => Ok(Self(caller)),
            Actor::Identity(_) => Err(ApiError::WrongTokenKind),
        }
    }
}

impl FromRequestParts<AppState> for OnlyIdentity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        match caller.actor {
            Actor::Identity(_) => Ok(Self(caller)),
            Actor::User(_) => Err(ApiError::WrongTokenKind),
        }
    }
}

impl Describe for Caller {
    const ACCESS: Access = Access::Anybody;

    fn describe(_: &mut Operation) {}
}

impl Describe for OnlyUser {
    const ACCESS: Access = Access::User;

    fn describe(_: &mut Operation) {}
}

impl Describe for OnlyIdentity {
    const ACCESS: Access = Access::Identity;

    fn describe(_: &mut Operation) {}
}

/// The token of a request. Two of them are none: a proxy and we might pick different ones.
fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Error::TokenMissing);
    };
    let value = value.to_str().map_err(|_| TokenError::Malformed)?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Error::TokenMissing),
    }
}
