//! Signing up, where the instance lets strangers in.

use askama::Template;
use axum::extract::State;
use http::StatusCode;
use kms_api::accounts::{CompleteSignUp, SignUpStart, SignUpVerify};
use kms_core::{Error, Origin};
use secrecy::SecretString;
use serde::Deserialize;

use super::{About, Complete, Mailed, Problem, Shown, about, gone};
use crate::{
    ApiError, AppState,
    pages::{Form, Guest, Link, Message, Page, account, cookie, see_other},
    route::{Class, Route},
};

/// Asks for an address.
#[derive(Template)]
#[template(path = "mailed/sign_up.html")]
struct SignUp<'a> {
    email: &'a str,
    error: Option<String>,
}

/// Asks for the code that was mailed there.
#[derive(Template)]
#[template(path = "mailed/sign_up_code.html")]
struct Code<'a> {
    email: &'a str,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
}

#[derive(Deserialize)]
struct Coded {
    email: String,
    code: SecretString,
}

#[derive(Deserialize)]
struct Given {
    email: String,
    code: Option<SecretString>,
    proof: Option<SecretString>,
    first_name: String,
    #[serde(default)]
    last_name: String,
    organization: String,
    password: SecretString,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/signup", show, "Asks who wants an account").class(Class::Login),
        Route::post("/signup", begin, "Mails a code to sign up with").class(Class::Login),
        Route::post("/signup/code", code, "Takes the code to sign up with").class(Class::Login),
        Route::post("/signup/complete", complete, "Completes an account that was signed up for")
            .class(Class::Login),
    ]
}

async fn show(State(app): State<AppState>, Link(mailed): Link<Mailed>) -> Result<Page, ApiError> {
    if let Some((token, to)) = mailed.parts() {
        if app.core.sees_sign_up(to, token).await? {
            return asked(&Shown::of(to, token), &About::default(), None);
        }
        return no_longer();
    }
    if app.core.is_invite_only().await? {
        let page = Message {
            heading: "By invitation",
            text: "This server takes people in by invitation. Ask somebody who administers your \
                   organization here.",
            link: Some(("Log in", "/login")),
            request_id: None,
        };
        return Ok(Page::new(&page)?.status(StatusCode::FORBIDDEN));
    }
    Page::new(&SignUp { email: "", error: None })
}

async fn begin(State(app): State<AppState>, Form(given): Form<Address>) -> Result<Page, ApiError> {
    let body = SignUpStart { email: given.email };
    let error = match app.core.start_sign_up(&body, &app.settings.public_url).await {
        Ok(_) => return Page::new(&Code { email: body.email.trim(), error: None }),
        Err(error) => told(error)?,
    };
    let page = SignUp { email: &body.email, error: Some(about(&error)) };
    Ok(Page::new(&page)?.status(error.status()))
}

async fn code(State(app): State<AppState>, Form(given): Form<Coded>) -> Result<Page, ApiError> {
    let Coded { email, code } = given;
    let body = SignUpVerify { email, code };
    let error = match app.core.verify_sign_up(&body).await {
        Ok(verified) => {
            let shown = Shown::proven(&body.email, &verified.token.into());
            return asked(&shown, &About::default(), None);
        }
        Err(error @ Error::Unauthorized(_)) => ApiError::from(error),
        Err(other) => told(other)?,
    };
    let text = match &error {
        ApiError::Core(Error::Unauthorized(_)) => "This code is wrong, or too old.".into(),
        other => about(other),
    };
    Ok(Page::new(&Code { email: &body.email, error: Some(text) })?.status(error.status()))
}

async fn complete(
    guest: Guest,
    State(app): State<AppState>,
    Form(given): Form<Given>,
) -> Result<Page, ApiError> {
    let Given { email, code, proof, first_name, last_name, organization, password } = given;
    let proof = match (proof, code) {
        (Some(proof), _) => proof,
        (None, Some(code)) => {
            match app.core.verify_sign_up(&SignUpVerify { email: email.clone(), code }).await {
                Ok(verified) => verified.token.into(),
                Err(Error::Unauthorized(_)) => return no_longer(),
                Err(other) => return Err(other.into()),
            }
        }
        (None, None) => return no_longer(),
    };
    let about_them = About { first_name, last_name, organization };
    let shown = Shown::proven(&email, &proof);
    match finish(&app, &shown, &about_them, password, &guest.origin).await {
        Ok(page) => Ok(see_other(account::WELCOME)?.cookie(cookie::set(&app, &page)?)),
        Err(Error::Unauthorized(_) | Error::Token(_)) => no_longer(),
        Err(error) => {
            let error = told(error)?;
            Ok(asked(&shown, &about_them, Some(Problem::of(&error)))?.status(error.status()))
        }
    }
}

async fn finish(
    app: &AppState,
    shown: &Shown,
    about: &About,
    password: SecretString,
    origin: &Origin,
) -> Result<kms_core::Page, Error> {
    let proven = shown.proven_by(app)?;
    let body = CompleteSignUp {
        email: shown.email.clone(),
        first_name: about.first_name.clone(),
        last_name: Some(about.last_name.clone()),
        password,
        organization_name: Some(about.organization.clone()),
        use_default_org: None,
    };
    app.core.complete_sign_up_page(&proven, &body, origin).await
}

fn asked(shown: &Shown, about: &About, problem: Option<Problem>) -> Result<Page, ApiError> {
    let (action, heading) = ("/signup/complete", "Complete your account");
    Page::new(&Complete { action, heading, shown, joins: None, about, problem })
}

/// A failure that the form itself can tell; others are pages of their own.
fn told(error: Error) -> Result<ApiError, ApiError> {
    match error {
        Error::Validation(_)
        | Error::BadRequest { .. }
        | Error::Forbidden { .. }
        | Error::RateLimited { .. } => Ok(error.into()),
        other => Err(other.into()),
    }
}

fn no_longer() -> Result<Page, ApiError> {
    gone("A link is good once, for 15 minutes.", Some(("Sign up again", "/signup")))
}
