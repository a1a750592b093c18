//! `/api/v1/secret`: what secrets were.

use axum::extract::State;
use kms_api::{
    history::{RollbackSecret, SecretsAtQuery},
    routes as paths,
    secrets::{ListVersionsQuery, SecretResponse, SecretVersionsResponse, SecretsResponse},
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, Path, Query},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::SECRET_VERSIONS, list, "Lists the versions of a secret"),
        Route::post(paths::SECRET_ROLLBACK, roll_back, "Takes a secret back to a version"),
        Route::get(paths::SECRETS_AT, list_at, "Lists the secrets of a folder as they were"),
    ]
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<ListVersionsQuery>,
) -> Result<Json<SecretVersionsResponse>, ApiError> {
    Ok(Json(app.core.list_secret_versions(&caller, &id, &query).await?))
}

async fn roll_back(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<String>,
    Body(body): Body<RollbackSecret>,
) -> Result<Json<SecretResponse>, ApiError> {
    Ok(Json(app.core.roll_secret_back(&caller, &id, &body).await?))
}

async fn list_at(
    caller: Caller,
    State(app): State<AppState>,
    Query(query): Query<SecretsAtQuery>,
) -> Result<Json<SecretsResponse>, ApiError> {
    Ok(Json(app.core.list_secrets_at(&caller, &query).await?))
}
