//! Which second factor a person asks for everywhere.

use askama::Template;
use axum::extract::State;
use kms_api::users::UpdateMfa;
use kms_core::Error;
use serde::Deserialize;

use super::authenticator::APP;
use crate::{
    ApiError, AppState,
    pages::{Form, Page, Recent, message, see_other},
    route::Route,
};

const PAGE: &str = "/account/second-factor";
const MAIL: &str = "email";
const PASSKEY: &str = "webauthn";
/// None of their own: it is up to organizations.
const NONE: &str = "none";

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct SecondFactor {
    choices: Vec<Choice>,
    error: Option<String>,
}

struct Choice {
    value: &'static str,
    label: &'static str,
    /// What is missing before it can be chosen.
    lacks: Option<&'static str>,
    is_chosen: bool,
}

#[derive(Deserialize)]
struct Given {
    method: String,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(PAGE, show, "Asks which second factor a person wants to be asked for"),
        Route::post(PAGE, change, "Changes which second factor a person is asked for"),
    ]
}

async fn show(Recent(signed_in): Recent, State(app): State<AppState>) -> Result<Page, ApiError> {
    Page::new(&SecondFactor { choices: choices(&app, &signed_in).await?, error: None })
}

async fn change(
    Recent(signed_in): Recent,
    State(app): State<AppState>,
    Form(given): Form<Given>,
) -> Result<Page, ApiError> {
    let is_enabled = given.method != NONE;
    let body = UpdateMfa {
        is_mfa_enabled: Some(is_enabled),
        selected_mfa_method: is_enabled.then_some(given.method),
    };
    let error = match app.core.update_mfa(&signed_in, &body).await {
        Ok(_) => return see_other("/account"),
        Err(error @ (Error::Validation(_) | Error::BadRequest { .. })) => ApiError::from(error),
        Err(other) => return Err(other.into()),
    };
    let text = message::about(&error, &[("selectedMfaMethod", "This second factor")]);
    let page = SecondFactor { choices: choices(&app, &signed_in).await?, error: Some(text) };
    Ok(Page::new(&page)?.status(error.status()))
}

async fn choices(app: &AppState, signed_in: &kms_core::SignedIn) -> Result<Vec<Choice>, ApiError> {
    let user = app.core.own_account(signed_in).await?.user;
    let has_app = app.core.totp_state(signed_in).await?.is_verified;
    let chosen = user.selected_mfa_method.as_deref().filter(|_| user.is_mfa_enabled);
    let choice = |value, label, lacks| Choice {
        value,
        label,
        lacks,
        is_chosen: chosen.unwrap_or(NONE) == value,
    };
    let has_passkeys = !app.core.passkeys(signed_in).await?.is_empty();
    let app_lacks = (!has_app).then_some("set one up first");
    let passkey_lacks = (!has_passkeys).then_some("add one first");
    let mail_lacks = (!app.core.sends_mail()).then_some("this server sends no mail");
    Ok(vec![
        choice(NONE, "Only where an organization asks for one", None),
        choice(APP, "Always: a code of my authenticator app", app_lacks),
        choice(PASSKEY, "Always: a passkey", passkey_lacks),
        choice(MAIL, "Always: a code that is mailed to me", mail_lacks),
    ])
}
