//! The cookie that carries a person's refresh token (wire contract, user tokens).
//!
//! No page reads it (`HttpOnly`), no other site has it sent (`SameSite=Strict`), and over HTTPS it
//! never leaves in the clear (`Secure`). It has no age of its own: the token in it has.

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue,
    header::{COOKIE, SET_COOKIE},
    request::Parts,
};
use kms_api::auth::user::REFRESH_COOKIE;
use kms_core::{Error, Opened};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    ApiError, AppState, Json,
    route::{Describe, Operation},
};

/// The refresh token of a request. Two of them are none: somebody below our domain may have set
/// one of the two.
pub(crate) struct RefreshCookie(Option<SecretString>);

impl RefreshCookie {
    /// The token, as the product takes it.
    pub(crate) fn token(&self) -> Option<&str> {
        self.0.as_ref().map(SecretString::expose_secret)
    }
}

impl FromRequestParts<AppState> for RefreshCookie {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let headers = parts.headers.get_all(COOKIE).iter();
        let pairs = headers.filter_map(|value| value.to_str().ok()).flat_map(|all| all.split(';'));
        let mut found = pairs.filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == REFRESH_COOKIE && !value.is_empty()).then_some(value)
        });
        let token = match (found.next(), found.next()) {
            (Some(token), None) => Some(token.into()),
            _ => None,
        };
        Ok(Self(token))
    }
}

impl Describe for RefreshCookie {
    fn describe(_: &mut Operation) {}
}

/// A success that sets or clears the cookie.
pub(crate) struct WithCookie<T> {
    answer: Json<T>,
    cookie: Option<HeaderValue>,
}

impl<T> WithCookie<T> {
    /// An answer with the refresh token that belongs to it.
    pub(crate) fn set(app: &AppState, opened: Opened<T>) -> Result<Self, ApiError> {
        let cookie = cookie(app, opened.refresh.expose_secret(), "")?;
        Ok(Self { answer: Json(opened.answer), cookie: Some(cookie) })
    }

    /// An answer that leaves the cookie as it is.
    pub(crate) fn keep(answer: T) -> Self {
        Self { answer: Json(answer), cookie: None }
    }

    /// An answer after which there is no refresh token any more.
    pub(crate) fn clear(app: &AppState, answer: T) -> Result<Self, ApiError> {
        Ok(Self { answer: Json(answer), cookie: Some(cookie(app, "", "; Max-Age=0")?) })
    }
}

fn cookie(app: &AppState, token: &str, age: &str) -> Result<HeaderValue, ApiError> {
    let secure = if app.settings.public_url.starts_with("https://") { "; Secure" } else { "" };
    let text = format!("{REFRESH_COOKIE}={token}; HttpOnly; Path=/; SameSite=Strict{secure}{age}");
    let value = HeaderValue::from_str(&text);
    let mut value = value.map_err(|error| Error::Internal(Box::new(error)))?;
    value.set_sensitive(true);
    Ok(value)
}

impl<T: Serialize> IntoResponse for WithCookie<T> {
    fn into_response(self) -> Response {
        let mut response = self.answer.into_response();
        if let Some(cookie) = self.cookie {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

impl<T: ToSchema> Describe for WithCookie<T> {
    fn describe(operation: &mut Operation) {
        operation.answers::<T>();
    }
}
