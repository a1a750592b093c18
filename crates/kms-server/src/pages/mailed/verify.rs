//! Showing that the address of an account is one's own.

use askama::Template;
use axum::extract::State;
use kms_api::accounts::VerifyAddress;
use kms_core::Error;
use secrecy::SecretString;
use serde::Deserialize;

use super::about;
use crate::{
    ApiError, AppState,
    pages::{Form, Page, Visitor, see_other},
    route::{Class, Route},
};

const PAGE: &str = "/verify";

#[derive(Template)]
#[template(path = "mailed/verify.html")]
struct Verify<'a> {
    email: &'a str,
    /// Whether a code was asked for, so that there is one to type.
    is_sent: bool,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Given {
    code: SecretString,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(PAGE, show, "Offers to confirm a person's address"),
        Route::post("/verify/send", send, "Mails a code to a person's address").class(Class::Login),
        Route::post(PAGE, verify, "Confirms a person's address").class(Class::Login),
    ]
}

async fn show(Visitor(signed_in): Visitor, State(app): State<AppState>) -> Result<Page, ApiError> {
    let user = app.core.own_account(&signed_in).await?.user;
    if user.is_email_verified {
        return see_other("/account");
    }
    Page::new(&Verify { email: &user.email, is_sent: false, error: None })
}

async fn send(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(()): Form<()>,
) -> Result<Page, ApiError> {
    let email = &signed_in.user.email;
    let error = match app.core.start_verification(&signed_in, &app.settings.public_url).await {
        Ok(_) => return Page::new(&Verify { email, is_sent: true, error: None }),
        Err(error @ (Error::BadRequest { .. } | Error::Unavailable(_))) => ApiError::from(error),
        Err(other) => return Err(other.into()),
    };
    let text = match &error {
        ApiError::Core(Error::Unavailable(text)) => (*text).to_owned(),
        other => about(other),
    };
    let page = Verify { email, is_sent: false, error: Some(text) };
    Ok(Page::new(&page)?.status(error.status()))
}

async fn verify(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(given): Form<Given>,
) -> Result<Page, ApiError> {
    match app.core.verify_address(&signed_in, &VerifyAddress { code: given.code }).await {
        Ok(_) => see_other("/account"),
        Err(error @ Error::Unauthorized(_)) => {
            let text = Some("This code is wrong, or too old.".into());
            let page = Verify { email: &signed_in.user.email, is_sent: true, error: text };
            Ok(Page::new(&page)?.status(ApiError::from(error).status()))
        }
        Err(other) => Err(other.into()),
    }
}
