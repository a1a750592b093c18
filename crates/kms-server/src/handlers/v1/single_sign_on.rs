//! The identity provider of an organization.

use axum::extract::State;
use kms_api::{
    routes as paths,
    single_sign_on::{OidcConfig, OidcConfigQuery, WriteOidcConfig},
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, Query},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::OIDC_CONFIG, get, "Shows the identity provider of an organization"),
        Route::post(paths::OIDC_CONFIG, create, "Sets up an organization's identity provider"),
        Route::patch(paths::OIDC_CONFIG, update, "Changes an organization's identity provider"),
    ]
}

async fn get(
    caller: Caller,
    State(app): State<AppState>,
    Query(query): Query<OidcConfigQuery>,
) -> Result<Json<OidcConfig>, ApiError> {
    Ok(Json(app.core.oidc_config(&caller, &query, &app.settings.public_url).await?))
}

async fn create(
    caller: Caller,
    State(app): State<AppState>,
    Body(body): Body<WriteOidcConfig>,
) -> Result<Json<OidcConfig>, ApiError> {
    Ok(Json(app.core.create_oidc_config(&caller, &body, &app.settings.public_url).await?))
}

async fn update(
    caller: Caller,
    State(app): State<AppState>,
    Body(body): Body<WriteOidcConfig>,
) -> Result<Json<OidcConfig>, ApiError> {
    Ok(Json(app.core.update_oidc_config(&caller, &body, &app.settings.public_url).await?))
}
