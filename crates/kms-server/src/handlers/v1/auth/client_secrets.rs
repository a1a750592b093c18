//! Client secrets of universal auth.

use axum::extract::State;
use kms_api::{
    ClientSecretId, IdentityId,
    auth::universal::{
        ClientSecretResponse, ClientSecretsResponse, CreateClientSecret, CreateClientSecretResponse,
    },
    routes as paths,
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, Path},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::CLIENT_SECRETS, create, "Makes a client secret and shows it once"),
        Route::get(paths::CLIENT_SECRETS, list, "Lists the client secrets of an identity"),
        Route::get(paths::CLIENT_SECRET, get, "Shows what is known about a client secret"),
        Route::post(
            paths::CLIENT_SECRET_REVOKE,
            revoke,
            "Revokes a client secret and the tokens that came from it",
        ),
    ]
}

async fn create(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Body(body): Body<CreateClientSecret>,
) -> Result<Json<CreateClientSecretResponse>, ApiError> {
    Ok(Json(app.core.create_client_secret(&caller, id, &body).await?))
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Result<Json<ClientSecretsResponse>, ApiError> {
    Ok(Json(app.core.list_client_secrets(&caller, id).await?))
}

async fn get(
    caller: Caller,
    State(app): State<AppState>,
    Path((id, secret)): Path<(IdentityId, ClientSecretId)>,
) -> Result<Json<ClientSecretResponse>, ApiError> {
    Ok(Json(app.core.get_client_secret(&caller, id, secret).await?))
}

async fn revoke(
    caller: Caller,
    State(app): State<AppState>,
    Path((id, secret)): Path<(IdentityId, ClientSecretId)>,
) -> Result<Json<ClientSecretResponse>, ApiError> {
    Ok(Json(app.core.revoke_client_secret(&caller, id, secret).await?))
}
