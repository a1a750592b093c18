//! Setting and changing passwords, and showing whose an address is.

use axum::extract::State;
use kms_api::{
    accounts::{ChangePassword, ResetPassword, VerifyAddress},
    auth::user::Done,
    routes as paths,
};
use kms_core::{Proven, SignedIn};

use crate::{
    ApiError, AppState, Json,
    cookie::WithCookie,
    extract::{Body, Sender},
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::PASSWORD_RESET, reset, "Sets a new password; all sessions end")
            .class(Class::Login),
        Route::post(
            paths::PASSWORD_CHANGE,
            change,
            "Changes the caller's password; all sessions end",
        )
        .class(Class::Login),
        Route::post(paths::ADDRESS_CODE, send_code, "Mails a code to the caller's address")
            .class(Class::Login),
        Route::post(paths::ADDRESS_VERIFY, verify, "Confirms the caller's address")
            .class(Class::Login),
    ]
}

async fn reset(
    proven: Proven,
    Sender { origin, .. }: Sender,
    State(app): State<AppState>,
    Body(body): Body<ResetPassword>,
) -> Result<Json<Done>, ApiError> {
    let site = &app.settings.public_url;
    Ok(Json(app.core.reset_password(&proven, &body, &origin, site).await?))
}

async fn change(
    person: SignedIn,
    State(app): State<AppState>,
    Body(body): Body<ChangePassword>,
) -> Result<WithCookie<Done>, ApiError> {
    let done = app.core.change_password(&person, &body, &app.settings.public_url).await?;
    WithCookie::clear(&app, done)
}

async fn send_code(person: SignedIn, State(app): State<AppState>) -> Result<Json<Done>, ApiError> {
    Ok(Json(app.core.start_verification(&person, &app.settings.public_url).await?))
}

async fn verify(
    person: SignedIn,
    State(app): State<AppState>,
    Body(body): Body<VerifyAddress>,
) -> Result<Json<Done>, ApiError> {
    Ok(Json(app.core.verify_address(&person, &body).await?))
}
