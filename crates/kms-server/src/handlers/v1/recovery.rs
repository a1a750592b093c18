//! Replacing a lost password, up to the token to do it with.

use axum::extract::State;
use kms_api::{
    accounts::{Recover, RecoveryVerified, VerifyRecovery},
    auth::user::Done,
    routes as paths,
};

use crate::{
    ApiError, AppState, Json,
    extract::Body,
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::RECOVERY_START, start, "Mails a link to set a new password with")
            .class(Class::Login),
        Route::post(paths::RECOVERY_VERIFY, verify, "Takes what the link holds")
            .class(Class::Login),
    ]
}

async fn start(
    State(app): State<AppState>,
    Body(body): Body<Recover>,
) -> Result<Json<Done>, ApiError> {
    Ok(Json(app.core.start_recovery(&body, &app.settings.public_url).await?))
}

async fn verify(
    State(app): State<AppState>,
    Body(body): Body<VerifyRecovery>,
) -> Result<Json<RecoveryVerified>, ApiError> {
    Ok(Json(app.core.verify_recovery(&body).await?))
}
