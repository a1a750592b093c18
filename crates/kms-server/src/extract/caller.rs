//! Who is asking.

use axum::extract::FromRequestParts;
use http::{HeaderMap, header::AUTHORIZATION, request::Parts};
use kms_core::{Actor, Caller, Error, PendingLogin, Proven, SignedIn, TokenError};
use secrecy::SecretString;

use super::context;
use crate::{
    ApiError, AppState,
    context::Context,
    limits::Key,
    route::{Access, Describe, Operation},
};

/// A user, a machine identity or a service token, where any of them may act.
pub struct Bearer(pub Caller);

/// A service token; every other token is refused.
pub struct OnlyService(pub Caller);

/// A user; a machine's token is refused.
pub struct OnlyUser(pub Caller);

/// A machine identity; a user's token is refused.
pub struct OnlyIdentity(pub Caller);

impl FromRequestParts<AppState> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let context = context(&parts.extensions)?;
        let origin = context.origin.clone();
        let proved = async { app.core.authenticate(bearer(&parts.headers)?, origin).await };
        let caller = counted(&context, app, proved.await)?;
        context.count(app, &Key::Actor(caller.actor.id()))?;
        // Set once: a handler takes one caller.
        let _ = context.caller.set(caller.clone());
        Ok(Self(caller))
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let Bearer(caller) = Bearer::from_request_parts(parts, app).await?;
        match caller.actor {
            Actor::User(_) | Actor::Identity(_) => Ok(caller),
            Actor::Service(_) => Err(ApiError::WrongTokenKind),
        }
    }
}

impl FromRequestParts<AppState> for OnlyService {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let Bearer(caller) = Bearer::from_request_parts(parts, app).await?;
        match caller.actor {
            Actor::Service(_) => Ok(Self(caller)),
            Actor::User(_) | Actor::Identity(_) => Err(ApiError::WrongTokenKind),
        }
    }
}

impl FromRequestParts<AppState> for OnlyUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        match caller.actor {
            Actor::User(_) => Ok(Self(caller)),
            Actor::Identity(_) | Actor::Service(_) => Err(ApiError::WrongTokenKind),
        }
    }
}

impl FromRequestParts<AppState> for OnlyIdentity {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        match caller.actor {
            Actor::Identity(_) => Ok(Self(caller)),
            Actor::User(_) | Actor::Service(_) => Err(ApiError::WrongTokenKind),
        }
    }
}

/// The token itself, for what has to ask again who it stands for. Says nothing about who may call:
/// a caller stands before it.
pub(crate) struct TokenText(pub(crate) SecretString);

impl FromRequestParts<AppState> for TokenText {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        Ok(Self(bearer(&parts.headers)?.into()))
    }
}

impl Describe for TokenText {
    fn describe(_: &mut Operation) {}
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let context = context(&parts.extensions)?;
        let origin = context.origin.clone();
        let proved = async { app.core.authenticate_user(bearer(&parts.headers)?, origin).await };
        let user = counted(&context, app, proved.await)?;
        context.count(app, &Key::Actor(user.user.id.uuid()))?;
        Ok(user)
    }
}

impl FromRequestParts<AppState> for Proven {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let context = context(&parts.extensions)?;
        // Nobody is known yet: it counts for the address, whatever comes of it.
        context.count_address(app)?;
        match bearer(&parts.headers).and_then(|bearer| app.core.authenticate_proven(bearer)) {
            Err(Error::Token(TokenError::WrongType)) => Err(ApiError::WrongTokenKind),
            proven => Ok(proven?),
        }
    }
}

impl FromRequestParts<AppState> for PendingLogin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let context = context(&parts.extensions)?;
        let origin = context.origin.clone();
        let proved = async { app.core.authenticate_pending(bearer(&parts.headers)?, origin).await };
        let pending = counted(&context, app, proved.await)?;
        // By who it is, whatever login: another login renews nothing.
        context.count(app, &Key::Actor(pending.user.uuid()))?;
        Ok(pending)
    }
}

impl Describe for PendingLogin {
    const ACCESS: Access = Access::Pending;

    fn describe(_: &mut Operation) {}
}

/// Counts a failed proof for the address that it came from, and tells a token of another kind
/// from one that is none.
fn counted<T>(context: &Context, app: &AppState, proved: Result<T, Error>) -> Result<T, ApiError> {
    proved.map_err(|error| match (context.count_address(app), error) {
        (Err(limited), _) => limited.into(),
        (Ok(()), Error::Token(TokenError::WrongType)) => ApiError::WrongTokenKind,
        (Ok(()), error) => error.into(),
    })
}

impl Describe for Caller {
    const ACCESS: Access = Access::Anybody;

    fn describe(_: &mut Operation) {}
}

impl Describe for Bearer {
    const ACCESS: Access = Access::Bearer;

    fn describe(_: &mut Operation) {}
}

impl Describe for OnlyService {
    const ACCESS: Access = Access::Service;

    fn describe(_: &mut Operation) {}
}

impl Describe for SignedIn {
    const ACCESS: Access = Access::User;

    fn describe(_: &mut Operation) {}
}

impl Describe for Proven {
    const ACCESS: Access = Access::Proven;

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
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
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
