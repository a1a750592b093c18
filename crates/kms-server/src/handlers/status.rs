//! `GET /api/status`.

use axum::extract::State;
use kms_api::{routes as paths, status::Status};

use crate::{
    ApiError, AppState, Json,
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::STATUS, status, "Tells whether the server is ready").class(Class::Exempt),
    ]
}

async fn status(State(app): State<AppState>) -> Result<Json<Status>, ApiError> {
    Ok(Json(Status {
        date: app.core.now(),
        message: "Ok".into(),
        email_configured: app.core.sends_mail(),
        invite_only_signup: app.core.is_invite_only().await?,
        redis_configured: true,
        secret_scanning_configured: false,
    }))
}
