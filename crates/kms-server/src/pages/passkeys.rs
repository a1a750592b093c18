//! Passkeys: signing in with one, giving one as second factor, and those that a person has.
//!
//! What a browser asks a device for stands in the page; the one script here hands it over and sends
//! the answer as a form. The script is the same on every page, and allowed by its hash alone.

use askama::Template;
use axum::extract::State;
use kms_api::{OrganizationId, PasskeyId, Timestamp};
use kms_core::{Core, Error, PasskeyAnswer, PasskeyRequest, SignedIn};
use serde::Deserialize;

use super::{
    Form, Guest, Page, Recent, Target, Visitor, answer::Policy, confirm, cookie, factor, login,
    message, see_other,
};
use crate::{
    ApiError, AppState,
    route::{Class, Route},
};

/// What hands a page's options to a device and sends what comes back.
pub(crate) const SCRIPT: &str = include_str!("../../templates/passkey.js");

/// The policy of a page with that script.
pub(super) fn policy() -> Policy {
    Policy { script: Some(SCRIPT), ..Policy::default() }
}

/// A form that a device fills in.
pub(super) struct Ask {
    pub(super) request: PasskeyRequest,
    /// Where the answer is sent.
    pub(super) action: &'static str,
    /// `get` or `create`.
    pub(super) kind: &'static str,
    /// What the button says.
    pub(super) label: &'static str,
    /// What to do without JavaScript.
    pub(super) instead: &'static str,
    /// What is sent along.
    pub(super) fields: Vec<(&'static str, String)>,
    /// Whether it is the first thing that the page offers.
    pub(super) is_first: bool,
}

/// The button of the login page; none where passkeys do not work.
pub(super) fn to_log_in(app: &AppState) -> Result<Option<Ask>, ApiError> {
    let request = app.core.passkey_login_request(&app.settings.public_url)?;
    Ok(request.map(|request| Ask {
        request,
        action: "/login/passkey",
        kind: "get",
        label: "Log in with a passkey",
        instead: "Log in with your password.",
        fields: Vec::new(),
        is_first: false,
    }))
}

/// The button of a page that asks for a second factor.
pub(super) async fn as_factor(
    app: &AppState,
    signed_in: &SignedIn,
    organization: OrganizationId,
    is_first: bool,
) -> Result<Option<Ask>, ApiError> {
    let fields = vec![("organization", organization.to_string())];
    let ask = of_visitor(app, signed_in, "/login/factor/passkey", is_first).await?;
    Ok(ask.map(|ask| Ask { fields, ..ask }))
}

/// The button of the page that asks who somebody is once more.
pub(super) async fn to_confirm(
    app: &AppState,
    signed_in: &SignedIn,
    is_first: bool,
) -> Result<Option<Ask>, ApiError> {
    of_visitor(app, signed_in, "/login/confirm/passkey", is_first).await
}

async fn of_visitor(
    app: &AppState,
    signed_in: &SignedIn,
    action: &'static str,
    is_first: bool,
) -> Result<Option<Ask>, ApiError> {
    let request = app.core.passkey_factor_request(signed_in, &app.settings.public_url).await?;
    Ok(request.map(|request| Ask {
        request,
        action,
        kind: "get",
        label: "Use a passkey",
        instead: "Use another browser, or another way.",
        fields: Vec::new(),
        is_first,
    }))
}

#[derive(Template)]
#[template(path = "passkeys.html")]
struct Held {
    passkeys: Vec<Row>,
    is_possible: bool,
}

struct Row {
    id: PasskeyId,
    name: String,
    created: String,
    used: Option<String>,
}

#[derive(Template)]
#[template(path = "new_passkey.html")]
struct New<'a> {
    request: PasskeyRequest,
    name: &'a str,
    error: Option<String>,
}

/// What a form sends that a device filled in.
#[derive(Deserialize)]
struct Answered {
    state: String,
    response: String,
    #[serde(default, rename = "continue")]
    target: Target,
}

impl Answered {
    fn as_answer(&self) -> PasskeyAnswer<'_> {
        PasskeyAnswer { state: &self.state, response: &self.response }
    }
}

#[derive(Deserialize)]
struct Factor {
    organization: OrganizationId,
    state: String,
    response: String,
    #[serde(default, rename = "continue")]
    target: Target,
}

#[derive(Deserialize)]
struct Made {
    name: String,
    state: String,
    response: String,
}

#[derive(Deserialize)]
struct Renamed {
    id: PasskeyId,
    name: String,
}

#[derive(Deserialize)]
struct Removed {
    id: PasskeyId,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/login/passkey", log_in, "Signs a browser in by passkey").class(Class::Login),
        Route::post("/login/factor/passkey", give, "Takes a passkey as second factor")
            .class(Class::Login),
        Route::post("/login/confirm/passkey", confirm, "Takes a passkey in place of the password")
            .class(Class::Login),
        Route::get("/account/passkeys", list, "Shows the passkeys of a person"),
        Route::get("/account/passkeys/new", show_new, "Asks for a new passkey"),
        Route::post("/account/passkeys/new", add, "Adds a passkey"),
        Route::post("/account/passkeys/rename", rename, "Renames a passkey"),
        Route::post("/account/passkeys/remove", remove, "Removes a passkey"),
    ]
}

async fn log_in(
    guest: Guest,
    State(app): State<AppState>,
    Form(given): Form<Answered>,
) -> Result<Page, ApiError> {
    let (site, target) = (&app.settings.public_url, &given.target);
    match app.core.passkey_login(&given.as_answer(), site, &guest.origin).await {
        Ok(page) => Ok(see_other(target.as_str())?.cookie(cookie::set(&app, &page)?)),
        Err(error) => {
            let error = to_show(error)?;
            let text = message::text(&error);
            Ok(login::page(&app, target, "", Some(text)).await?.status(error.status()))
        }
    }
}

async fn give(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(given): Form<Factor>,
) -> Result<Page, ApiError> {
    let Factor { organization, state, response, target } = given;
    let answer = PasskeyAnswer { state: &state, response: &response };
    match app.core.passkey_factor(&signed_in, &answer, &app.settings.public_url).await {
        Ok(page) => Ok(see_other(target.as_str())?.cookie(cookie::set(&app, &page)?)),
        Err(error) => {
            let error = to_show(error)?;
            factor::once_more(&app, &signed_in, organization, target, &error).await
        }
    }
}

async fn confirm(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(given): Form<Answered>,
) -> Result<Page, ApiError> {
    let answer = given.as_answer();
    match app.core.passkey_factor(&signed_in, &answer, &app.settings.public_url).await {
        Ok(page) => Ok(see_other(given.target.as_str())?.cookie(cookie::set(&app, &page)?)),
        Err(error) => {
            let error = to_show(error)?;
            confirm::once_more(&app, &signed_in, &given.target, &error).await
        }
    }
}

async fn list(Visitor(signed_in): Visitor, State(app): State<AppState>) -> Result<Page, ApiError> {
    let passkeys = app.core.passkeys(&signed_in).await?;
    let rows = passkeys.into_iter().map(|passkey| Row {
        id: passkey.id,
        name: passkey.name,
        created: day(passkey.created_at),
        used: passkey.last_used_at.map(day),
    });
    let is_possible = Core::passkeys_work(&app.settings.public_url);
    Page::new(&Held { passkeys: rows.collect(), is_possible })
}

async fn show_new(
    Recent(signed_in): Recent,
    State(app): State<AppState>,
) -> Result<Page, ApiError> {
    new(&app, &signed_in, "", None).await
}

async fn add(
    Recent(signed_in): Recent,
    State(app): State<AppState>,
    Form(made): Form<Made>,
) -> Result<Page, ApiError> {
    let answer = PasskeyAnswer { state: &made.state, response: &made.response };
    let site = &app.settings.public_url;
    match app.core.add_passkey(&signed_in, &answer, &made.name, site).await {
        Ok(()) => see_other("/account/passkeys"),
        Err(error) => {
            let error = to_show(error)?;
            let page = new(&app, &signed_in, &made.name, Some(message::text(&error))).await?;
            Ok(page.status(error.status()))
        }
    }
}

async fn rename(
    Recent(signed_in): Recent,
    State(app): State<AppState>,
    Form(renamed): Form<Renamed>,
) -> Result<Page, ApiError> {
    app.core.rename_passkey(&signed_in, renamed.id, &renamed.name).await?;
    see_other("/account/passkeys")
}

async fn remove(
    Recent(signed_in): Recent,
    State(app): State<AppState>,
    Form(Removed { id }): Form<Removed>,
) -> Result<Page, ApiError> {
    app.core.remove_passkey(&signed_in, id).await?;
    see_other("/account/passkeys")
}

async fn new(
    app: &AppState,
    signed_in: &SignedIn,
    name: &str,
    error: Option<String>,
) -> Result<Page, ApiError> {
    let request = app.core.new_passkey_request(signed_in, &app.settings.public_url).await?;
    Page::with_policy(&New { request, name, error }, &policy())
}

/// What is shown beside the form; everything else is a failure of its own.
fn to_show(error: Error) -> Result<ApiError, ApiError> {
    match error {
        Error::BadRequest { .. } | Error::Validation(_) => Ok(error.into()),
        other => Err(other.into()),
    }
}

/// A day, for people anywhere.
fn day(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate("2026-11-26".len());
    text
}
