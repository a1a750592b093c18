//! `/api/v3/secrets/tags/{secretName}`.

use axum::extract::State;
use kms_api::{routes as paths, secrets::SecretResponse, tags::SecretTagsBody};

use crate::{
    ApiError, AppState, Json,
    extract::{Bearer, Body, Path},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::SECRET_TAGS_V3, attach, "Puts tags on a secret"),
        Route::delete(paths::SECRET_TAGS_V3, detach, "Takes tags off a secret"),
    ]
}

async fn attach(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(name): Path<String>,
    Body(body): Body<SecretTagsBody>,
) -> Result<Json<SecretResponse>, ApiError> {
    Ok(Json(app.core.attach_tags(&caller, &name, &body).await?))
}

async fn detach(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(name): Path<String>,
    Body(body): Body<SecretTagsBody>,
) -> Result<Json<SecretResponse>, ApiError> {
    Ok(Json(app.core.detach_tags(&caller, &name, &body).await?))
}
