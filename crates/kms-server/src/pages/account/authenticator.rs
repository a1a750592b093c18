//! The authenticator app: setting it up, and giving it up.

use askama::Template;
use axum::extract::State;
use kms_api::users::TotpCode;
use kms_core::{Error, SignedIn};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{
    qr::{self, Drawing},
    recovery,
};
use crate::{
    ApiError, AppState,
    pages::{Form, Page, Recent, message, see_other},
    route::{Class, Route},
};

const PAGE: &str = "/account/authenticator";
/// The second factor that an app gives.
pub(super) const APP: &str = "totp";

/// Whether there is an app, and how to change that.
#[derive(Template)]
#[template(path = "account/authenticator.html")]
struct Authenticator {
    has_app: bool,
    /// Whether a code is asked for before it is given up.
    needs_code: bool,
    error: Option<String>,
}

/// What an app takes its codes from, and the form for the first of them.
#[derive(Template)]
#[template(path = "account/authenticator_new.html")]
struct New {
    /// The secret as text and as a drawing. Shown once: none after a code that was wrong.
    secret: Option<(String, Drawing)>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Code {
    code: SecretString,
}

/// A code, where the login did not ask for one.
#[derive(Deserialize)]
pub(super) struct MaybeCode {
    #[serde(default)]
    code: Option<SecretString>,
}

impl MaybeCode {
    /// What was typed, if anything was.
    pub(super) fn given(&self) -> Option<&SecretString> {
        self.code.as_ref().filter(|code| !code.expose_secret().trim().is_empty())
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(PAGE, show, "Shows whether a person has an authenticator app"),
        Route::post(PAGE, begin, "Begins to set an authenticator app up"),
        Route::post("/account/authenticator/confirm", confirm, "Takes the first code of an app")
            .class(Class::Login),
        Route::post("/account/authenticator/remove", remove, "Gives an authenticator app up")
            .class(Class::Login),
    ]
}

/// Whether somebody who changes something about their app has to show that they have it.
pub(super) fn needs_code(signed_in: &SignedIn) -> bool {
    signed_in.factor.as_deref() != Some(APP)
}

async fn show(Recent(signed_in): Recent, State(app): State<AppState>) -> Result<Page, ApiError> {
    let has_app = app.core.totp_state(&signed_in).await?.is_verified;
    Page::new(&Authenticator { has_app, needs_code: needs_code(&signed_in), error: None })
}

async fn begin(
    Recent(signed_in): Recent,
    State(app): State<AppState>,
    Form(()): Form<()>,
) -> Result<Page, ApiError> {
    let registered = match app.core.register_totp(&signed_in).await {
        Ok(registered) => registered,
        // There is one already; the page says so.
        Err(Error::BadRequest { .. }) => return see_other(PAGE),
        Err(other) => return Err(other.into()),
    };
    let drawing = qr::draw(&registered.otp_url)?;
    let secret = secret_of(&registered.otp_url).unwrap_or_default();
    Page::new(&New { secret: Some((in_groups(secret), drawing)), error: None })
}

async fn confirm(
    Recent(signed_in): Recent,
    State(app): State<AppState>,
    Form(given): Form<Code>,
) -> Result<Page, ApiError> {
    let error = match app.core.confirm_totp(&signed_in, &TotpCode { totp: given.code }).await {
        Ok(confirmed) => return recovery::shown(confirmed.recovery_codes, true),
        Err(error @ Error::SecondFactor(_)) => ApiError::from(error),
        Err(other) => return Err(other.into()),
    };
    let page = New { secret: None, error: Some(message::text(&error)) };
    Ok(Page::new(&page)?.status(error.status()))
}

async fn remove(
    Recent(signed_in): Recent,
    State(app): State<AppState>,
    Form(given): Form<MaybeCode>,
) -> Result<Page, ApiError> {
    let error = match app.core.delete_totp(&signed_in, given.given()).await {
        Ok(_) | Err(Error::NotFound(_)) => return see_other(PAGE),
        Err(error @ Error::SecondFactor(_)) => ApiError::from(error),
        Err(other) => return Err(other.into()),
    };
    let error_text = Some(message::text(&error));
    let needs_code = needs_code(&signed_in);
    let page = Authenticator { has_app: true, needs_code, error: error_text };
    Ok(Page::new(&page)?.status(error.status()))
}

/// The secret in an app's link.
fn secret_of(link: &str) -> Option<&str> {
    let query = link.split_once('?')?.1;
    query.split('&').find_map(|pair| pair.strip_prefix("secret="))
}

/// A long text in groups of four, to be typed.
fn in_groups(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = characters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_the_links_own_in_groups() {
        let link = "otpauth://totp/Hanzo%20KMS:ada?issuer=Hanzo%20KMS&secret=ABCDEFGHIJ";
        assert_eq!(secret_of(link).map(in_groups).as_deref(), Some("ABCD EFGH IJ"));
        assert_eq!(secret_of("otpauth://totp/a?issuer=b"), None);
    }
}
