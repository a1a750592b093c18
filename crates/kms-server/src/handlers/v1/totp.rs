//! A person's authenticator app.

use axum::extract::State;
use kms_api::{
    auth::user::Done,
    routes as paths,
    users::{
        OptionalTotpCode, RecoveryCodes, TotpCode, TotpConfirmed, TotpRegistration, TotpState,
    },
};
use kms_core::SignedIn;

use crate::{
    ApiError, AppState, Json,
    extract::Body,
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::USER_TOTP, get, "Tells whether a person has an authenticator app"),
        Route::delete(paths::USER_TOTP, delete, "Gives up an authenticator app")
            .class(Class::Login),
        Route::post(paths::USER_TOTP_REGISTER, register, "Sets an authenticator app up"),
        Route::post(paths::USER_TOTP_VERIFY, confirm, "Takes the first code of an app")
            .class(Class::Login),
        Route::post(paths::USER_TOTP_RECOVERY_CODES, renew, "Replaces a person's recovery codes")
            .class(Class::Login),
    ]
}

async fn get(
    signed_in: SignedIn,
    State(app): State<AppState>,
) -> Result<Json<TotpState>, ApiError> {
    Ok(Json(app.core.totp_state(&signed_in).await?))
}

async fn delete(
    signed_in: SignedIn,
    State(app): State<AppState>,
    Body(body): Body<OptionalTotpCode>,
) -> Result<Json<Done>, ApiError> {
    Ok(Json(app.core.delete_totp(&signed_in, body.totp.as_ref()).await?))
}

async fn register(
    signed_in: SignedIn,
    State(app): State<AppState>,
) -> Result<Json<TotpRegistration>, ApiError> {
    Ok(Json(app.core.register_totp(&signed_in).await?))
}

async fn confirm(
    signed_in: SignedIn,
    State(app): State<AppState>,
    Body(body): Body<TotpCode>,
) -> Result<Json<TotpConfirmed>, ApiError> {
    Ok(Json(app.core.confirm_totp(&signed_in, &body).await?))
}

async fn renew(
    signed_in: SignedIn,
    State(app): State<AppState>,
    Body(body): Body<OptionalTotpCode>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    Ok(Json(app.core.renew_recovery_codes(&signed_in, body.totp.as_ref()).await?))
}
