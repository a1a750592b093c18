//! Changing the password.

use askama::Template;
use axum::extract::State;
use kms_api::accounts::ChangePassword;
use kms_core::Error;
use secrecy::SecretString;
use serde::Deserialize;

use crate::{
    ApiError, AppState,
    pages::{Form, Message, Page, Recent, cookie, message},
    route::{Class, Route},
};

#[derive(Template)]
#[template(path = "account/password.html")]
struct Password<'a> {
    email: &'a str,
    error: Option<String>,
    /// Whether that is about the new password.
    is_new: bool,
}

#[derive(Deserialize)]
struct Given {
    present: SecretString,
    new: SecretString,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/account/password", show, "Asks for a new password"),
        Route::post("/account/password", change, "Changes a person's password").class(Class::Login),
    ]
}

async fn show(Recent(signed_in): Recent, _: State<AppState>) -> Result<Page, ApiError> {
    Page::new(&Password { email: &signed_in.user.email, error: None, is_new: false })
}

async fn change(
    Recent(signed_in): Recent,
    State(app): State<AppState>,
    Form(given): Form<Given>,
) -> Result<Page, ApiError> {
    let body = ChangePassword { old_password: given.present, new_password: given.new };
    let changed = app.core.change_password(&signed_in, &body, &app.settings.public_url).await;
    let error = match changed {
        Ok(_) => return done(&app),
        Err(
            error @ (Error::BadRequest { .. } | Error::Validation(_) | Error::RateLimited { .. }),
        ) => ApiError::from(error),
        Err(other) => return Err(other.into()),
    };
    let text = match &error {
        ApiError::Core(Error::BadRequest { .. }) => "The present password is wrong.".into(),
        other => message::about(other, &[("newPassword", "The new password")]),
    };
    let is_new = message::field(&error).is_some();
    let page = Password { email: &signed_in.user.email, error: Some(text), is_new };
    Ok(Page::new(&page)?.status(error.status()))
}

/// All sessions have ended, this browser's too.
fn done(app: &AppState) -> Result<Page, ApiError> {
    let page = Message {
        heading: "Your password is changed",
        text: "All your sessions have ended, here and elsewhere. Log in with the new password.",
        link: Some(("Log in", "/login")),
        request_id: None,
    };
    Ok(Page::new(&page)?.cookie(cookie::clear(app)?))
}
