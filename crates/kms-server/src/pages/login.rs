//! Signing a browser in with e-mail address and password, and out again.

use askama::Template;
use axum::extract::State;
use kms_api::auth::user::PasswordLogin;
use kms_core::Error;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{
    Form, Guest, Link, Page, Target, Visitor, cookie, hand_over, message,
    passkeys::{self, Ask},
    see_other,
};
use crate::{
    ApiError, AppState,
    route::{Class, Route},
};

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    /// What one logs in for, where that is known.
    reason: Option<&'a str>,
    target: &'a Target,
    email: &'a str,
    /// Whether strangers may make an account.
    lets_sign_up: bool,
    error: Option<String>,
    passkey: Option<Ask>,
}

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default, rename = "continue")]
    target: Target,
    /// Where a program of the compatible kind waits.
    callback_port: Option<hand_over::Port>,
}

#[derive(Deserialize)]
struct Left {
    /// Where somebody else goes on.
    #[serde(default, rename = "continue")]
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Given {
    #[serde(default, rename = "continue")]
    target: Target,
    email: String,
    password: SecretString,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/", home, "Leads to the account"),
        Route::get("/login", show, "Asks for e-mail address and password"),
        Route::post("/login", log_in, "Signs a browser in").class(Class::Login),
        Route::post("/logout", log_out, "Signs a browser out"),
    ]
}

async fn home(_: State<AppState>) -> Result<Page, ApiError> {
    see_other(Target::default().as_str())
}

async fn show(
    guest: Guest,
    State(app): State<AppState>,
    Link(asked): Link<Asked>,
) -> Result<Page, ApiError> {
    if let Some(port) = asked.callback_port {
        return see_other(&hand_over::address(port));
    }
    // Whoever came by a provider may be here for a login of their own.
    if guest.signed_in.is_some_and(|person| person.provider.is_none()) {
        return see_other(asked.target.as_str());
    }
    page(&app, &asked.target, "", None).await
}

/// The page, with what was typed and what was wrong with it.
pub(super) async fn page(
    app: &AppState,
    target: &Target,
    email: &str,
    error: Option<String>,
) -> Result<Page, ApiError> {
    let passkey = passkeys::to_log_in(app)?;
    let lets_sign_up = !app.core.is_invite_only().await?;
    let page = Login { reason: reason(target), target, email, lets_sign_up, error, passkey };
    Page::with_policy(&page, &passkeys::policy())
}

async fn log_in(
    guest: Guest,
    State(app): State<AppState>,
    Form(given): Form<Given>,
) -> Result<Page, ApiError> {
    let Given { target, email, password } = given;
    let former = guest.token.as_ref().map(ExposeSecret::expose_secret);
    let body = PasswordLogin { email, password };
    let error = match app.core.page_login(&body, former, &guest.origin).await {
        Ok(page) => return Ok(see_other(target.as_str())?.cookie(cookie::set(&app, &page)?)),
        Err(error) => ApiError::from(error),
    };
    if error.status().is_server_error() {
        return Err(error);
    }
    let text = match &error {
        ApiError::Core(Error::BadRequest { .. }) => "E-mail address or password is wrong.".into(),
        other => message::text(other),
    };
    Ok(page(&app, &target, &body.email, Some(text)).await?.status(error.status()))
}

async fn log_out(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(left): Form<Left>,
) -> Result<Page, ApiError> {
    app.core.page_logout(&signed_in).await?;
    let login = left.target.map_or_else(|| "/login".to_owned(), |target| target.after("/login"));
    Ok(see_other(&login)?.cookie(cookie::clear(&app)?))
}

/// What somebody logs in for.
fn reason(target: &Target) -> Option<&'static str> {
    let path = target.as_str().split('?').next().unwrap_or_default();
    match path {
        "/oauth/authorize" | "/login/cli" => Some("to go on in the terminal that sent you here"),
        "/device" => Some("to allow a device to log in"),
        "/signupinvite" => Some("to accept an invitation"),
        _ => None,
    }
}
