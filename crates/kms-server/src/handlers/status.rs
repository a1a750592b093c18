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
        email_configured: false,
        // Nobody signs up by themselves.
        invite_only_signup: true,
        redis_configured: true,
        secret_scanning_configured: false,
    }))
}
