//! `GET /api/v1/secret/{secretId}/secret-versions`.

use axum::extract::State;
use kms_api::{
    routes as paths,
    secrets::{ListVersionsQuery, SecretVersionsResponse},
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Path, Query},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get(paths::SECRET_VERSIONS, list, "Lists the versions of a secret")]
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<String>,
    Query(query): Query<ListVersionsQuery>,
) -> Result<Json<SecretVersionsResponse>, ApiError> {
    Ok(Json(app.core.list_secret_versions(&caller, &id, &query).await?))
}
