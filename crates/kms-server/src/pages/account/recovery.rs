//! Recovery codes: made anew, and shown once.

use askama::Template;
use axum::extract::State;
use kms_core::Error;

use super::authenticator::{MaybeCode, needs_code};
use crate::{
    ApiError, AppState,
    pages::{Form, Page, Recent, message, see_other},
    route::{Class, Route},
};

const PAGE: &str = "/account/recovery-codes";

#[derive(Template)]
#[template(path = "account/recovery.html")]
struct Recovery {
    needs_code: bool,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "account/recovery_codes.html")]
struct Codes {
    codes: Vec<String>,
    /// Whether the app was set up just now.
    is_first: bool,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(PAGE, show, "Offers to make new recovery codes"),
        Route::post(PAGE, renew, "Replaces a person's recovery codes").class(Class::Login),
    ]
}

/// Shows codes that were made; they are not shown again.
pub(super) fn shown(codes: Vec<String>, is_first: bool) -> Result<Page, ApiError> {
    Page::new(&Codes { codes, is_first })
}

async fn show(Recent(signed_in): Recent, State(app): State<AppState>) -> Result<Page, ApiError> {
    if !app.core.totp_state(&signed_in).await?.is_verified {
        return see_other("/account/authenticator");
    }
    Page::new(&Recovery { needs_code: needs_code(&signed_in), error: None })
}

async fn renew(
    Recent(signed_in): Recent,
    State(app): State<AppState>,
    Form(given): Form<MaybeCode>,
) -> Result<Page, ApiError> {
    let error = match app.core.renew_recovery_codes(&signed_in, given.given()).await {
        Ok(codes) => return shown(codes.recovery_codes, false),
        Err(Error::NotFound(_)) => return see_other("/account/authenticator"),
        Err(error @ Error::SecondFactor(_)) => ApiError::from(error),
        Err(other) => return Err(other.into()),
    };
    let text = Some(message::text(&error));
    let page = Recovery { needs_code: needs_code(&signed_in), error: text };
    Ok(Page::new(&page)?.status(error.status()))
}
