//! Signing up, and completing an account.

use axum::extract::State;
use kms_api::{
    accounts::{
        AccountCompleted, CompleteInvitation, CompleteSignUp, SignUpStart, SignUpVerified,
        SignUpVerify,
    },
    auth::user::Done,
    routes as paths,
};
use kms_core::Proven;

use crate::{
    ApiError, AppState, Json,
    cookie::WithCookie,
    extract::{Body, Sender},
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::SIGN_UP_START, start, "Mails a code to sign up with")
            .class(Class::Login),
        Route::post(paths::SIGN_UP_VERIFY, verify, "Takes the code to sign up with")
            .class(Class::Login),
        Route::post(
            paths::COMPLETE_SIGN_UP,
            complete_sign_up,
            "Completes an account that was signed up for",
        )
        .class(Class::Login),
        Route::post(
            paths::COMPLETE_INVITATION,
            complete_invitation,
            "Completes the account of somebody who was invited",
        )
        .class(Class::Login),
    ]
}

async fn start(
    State(app): State<AppState>,
    Body(body): Body<SignUpStart>,
) -> Result<Json<Done>, ApiError> {
    Ok(Json(app.core.start_sign_up(&body, &app.settings.public_url).await?))
}

async fn verify(
    State(app): State<AppState>,
    Body(body): Body<SignUpVerify>,
) -> Result<Json<SignUpVerified>, ApiError> {
    Ok(Json(app.core.verify_sign_up(&body).await?))
}

async fn complete_sign_up(
    proven: Proven,
    Sender { origin, .. }: Sender,
    State(app): State<AppState>,
    Body(body): Body<CompleteSignUp>,
) -> Result<WithCookie<AccountCompleted>, ApiError> {
    WithCookie::set(&app, app.core.complete_sign_up(&proven, &body, &origin).await?)
}

async fn complete_invitation(
    proven: Proven,
    Sender { origin, .. }: Sender,
    State(app): State<AppState>,
    Body(body): Body<CompleteInvitation>,
) -> Result<WithCookie<AccountCompleted>, ApiError> {
    WithCookie::set(&app, app.core.complete_invitation(&proven, &body, &origin).await?)
}
