//! Second factors of logins that wait for one.

use axum::extract::State;
use kms_api::{
    auth::user::{Done, HasPasskeys, HasTotp, MfaVerified, VerifyMfa, VerifyRecoveryCode},
    routes as paths,
};
use kms_core::PendingLogin;

use crate::{
    ApiError, AppState, Json,
    cookie::WithCookie,
    extract::Body,
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::MFA_SEND, send, "Mails the code of a second factor").class(Class::Login),
        Route::post(paths::MFA_VERIFY, verify, "Takes a code of the second factor")
            .class(Class::Login),
        Route::post(paths::MFA_VERIFY_RECOVERY_CODE, verify_recovery, "Takes a recovery code")
            .class(Class::Login),
        Route::get(
            paths::MFA_CHECK_TOTP,
            check_totp,
            "Tells whether there is an authenticator app",
        ),
        Route::get(paths::MFA_CHECK_WEBAUTHN, check_passkeys, "Tells whether there are passkeys"),
    ]
}

async fn send(pending: PendingLogin, State(app): State<AppState>) -> Result<Json<Done>, ApiError> {
    Ok(Json(app.core.send_mfa_code(&pending).await?))
}

async fn verify(
    pending: PendingLogin,
    State(app): State<AppState>,
    Body(body): Body<VerifyMfa>,
) -> Result<WithCookie<MfaVerified>, ApiError> {
    WithCookie::set(&app, app.core.verify_mfa(&pending, &body).await?)
}

async fn verify_recovery(
    pending: PendingLogin,
    State(app): State<AppState>,
    Body(body): Body<VerifyRecoveryCode>,
) -> Result<WithCookie<MfaVerified>, ApiError> {
    WithCookie::set(&app, app.core.verify_recovery_code(&pending, &body).await?)
}

async fn check_totp(
    pending: PendingLogin,
    State(app): State<AppState>,
) -> Result<Json<HasTotp>, ApiError> {
    Ok(Json(HasTotp { is_verified: app.core.pending_has_app(&pending).await? }))
}

async fn check_passkeys(
    pending: PendingLogin,
    State(app): State<AppState>,
) -> Result<Json<HasPasskeys>, ApiError> {
    Ok(Json(HasPasskeys { has_passkeys: app.core.pending_has_passkeys(&pending).await? }))
}
