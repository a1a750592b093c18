//! Setting a new password in place of a lost one.

use askama::Template;
use axum::extract::State;
use kms_api::accounts::{Recover, ResetPassword, VerifyRecovery};
use kms_core::{Error, Origin};
use secrecy::SecretString;
use serde::Deserialize;

use super::{Mailed, Shown, about, gone};
use crate::{
    ApiError, AppState,
    pages::{Form, Guest, Link, Message, Page, cookie, see_other},
    route::{Class, Route},
};

/// Where the link in the mail leads.
const PAGE: &str = "/password-reset";
/// Where somebody who asked for a link is led.
const SENT: &str = "/password-reset/sent";

/// Asks for an address.
#[derive(Template)]
#[template(path = "mailed/password_lost.html")]
struct Lost<'a> {
    email: &'a str,
    error: Option<String>,
}

/// Asks for a new password.
#[derive(Template)]
#[template(path = "mailed/password_new.html")]
struct New<'a> {
    shown: &'a Shown,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
}

#[derive(Deserialize)]
struct Given {
    email: String,
    code: Option<SecretString>,
    proof: Option<SecretString>,
    password: SecretString,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(PAGE, show, "Asks who lost a password, or for a new one").class(Class::Login),
        Route::post(PAGE, begin, "Mails a link to set a new password with").class(Class::Login),
        Route::get(SENT, sent, "Says that a link is on its way"),
        Route::post("/password-reset/new", set, "Sets a new password; all sessions end")
            .class(Class::Login),
    ]
}

async fn show(State(app): State<AppState>, Link(mailed): Link<Mailed>) -> Result<Page, ApiError> {
    let Some((token, to)) = mailed.parts() else {
        return Page::new(&Lost { email: "", error: None });
    };
    if app.core.sees_recovery(to, token).await? {
        return Page::new(&New { shown: &Shown::of(to, token), error: None });
    }
    no_longer()
}

/// Leads to the same page whoever asks (attack H1).
async fn begin(State(app): State<AppState>, Form(given): Form<Address>) -> Result<Page, ApiError> {
    let body = Recover { email: given.email };
    let error = match app.core.start_recovery(&body, &app.settings.public_url).await {
        Ok(_) => return see_other(SENT),
        Err(error @ (Error::Validation(_) | Error::BadRequest { .. })) => ApiError::from(error),
        Err(other) => return Err(other.into()),
    };
    let page = Lost { email: &body.email, error: Some(about(&error)) };
    Ok(Page::new(&page)?.status(error.status()))
}

async fn sent(_: State<AppState>) -> Result<Page, ApiError> {
    Page::new(&Message {
        heading: "Look into your mail",
        text: "If there is an account of that address, a link to set a new password is on its way. \
               It is good for 30 minutes. If nothing comes, look among what was taken for spam.",
        link: Some(("Log in", "/login")),
        request_id: None,
    })
}

async fn set(
    guest: Guest,
    State(app): State<AppState>,
    Form(given): Form<Given>,
) -> Result<Page, ApiError> {
    let Given { email, code, proof, password } = given;
    let proof = match (proof, code) {
        (Some(proof), _) => proof,
        (None, Some(code)) => {
            match app.core.verify_recovery(&VerifyRecovery { email: email.clone(), code }).await {
                Ok(verified) => verified.token.into(),
                Err(Error::Unauthorized(_) | Error::Validation(_)) => return no_longer(),
                Err(other) => return Err(other.into()),
            }
        }
        (None, None) => return no_longer(),
    };
    let shown = Shown::proven(&email, &proof);
    match finish(&app, &shown, password, &guest.origin).await {
        Ok(()) => done(&app),
        Err(Error::Unauthorized(_) | Error::Token(_)) => no_longer(),
        Err(error @ Error::Validation(_)) => {
            let error = ApiError::from(error);
            let page = New { shown: &shown, error: Some(about(&error)) };
            Ok(Page::new(&page)?.status(error.status()))
        }
        Err(other) => Err(other.into()),
    }
}

async fn finish(
    app: &AppState,
    shown: &Shown,
    password: SecretString,
    origin: &Origin,
) -> Result<(), Error> {
    let proven = shown.proven_by(app)?;
    let body = ResetPassword { new_password: password };
    app.core.reset_password(&proven, &body, origin, &app.settings.public_url).await?;
    Ok(())
}

fn done(app: &AppState) -> Result<Page, ApiError> {
    let page = Message {
        heading: "Your password is set",
        text: "All your sessions have ended. Log in with the new password.",
        link: Some(("Log in", "/login")),
        request_id: None,
    };
    Ok(Page::new(&page)?.cookie(cookie::clear(app)?))
}

fn no_longer() -> Result<Page, ApiError> {
    gone("A link is good once, for 30 minutes.", Some(("Ask for another", PAGE)))
}
