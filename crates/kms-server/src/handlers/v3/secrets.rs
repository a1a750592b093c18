//! `/api/v3/secrets`: the older paths of the handlers of v4, whose types read both spellings; reads
//! have other defaults.

use axum::extract::State;
use kms_api::{
    routes as paths,
    secrets::{GetSecretQuery, ListSecretsQuery, SecretResponse, SecretsResponse},
};

use crate::{
    ApiError, AppState,
    answer::Finished,
    extract::{Bearer, Path, Query},
    handlers::v4::{secrets as v4, transfers},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::SECRETS_V3, list, "Lists the secrets of a folder"),
        Route::get(paths::SECRET_V3, get, "Shows a secret"),
        Route::post(paths::SECRET_V3, v4::create, "Creates a secret"),
        Route::patch(paths::SECRET_V3, v4::update, "Changes a secret"),
        Route::delete(paths::SECRET_V3, v4::delete, "Deletes a secret"),
        Route::get(paths::SECRET_BY_ID_V3, v4::get_by_id, "Shows a secret by its id"),
        Route::get(
            paths::SECRET_REFERENCE_TREE_V3,
            v4::references,
            "Shows what a secret refers to",
        ),
        Route::post(paths::SECRETS_BATCH_V3, v4::create_many, "Creates secrets, all or none"),
        Route::patch(paths::SECRETS_BATCH_V3, v4::update_many, "Changes secrets, all or none"),
        Route::post(
            paths::SECRETS_MOVE_V3,
            transfers::relocate,
            "Moves secrets to another folder, all or none",
        ),
        Route::delete(paths::SECRETS_BATCH_V3, v4::delete_many, "Deletes secrets, all or none"),
    ]
}

async fn list(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Query(query): Query<ListSecretsQuery>,
) -> Result<Finished<SecretsResponse>, ApiError> {
    Ok(app.core.list_secrets_v3(&caller, &query).await?.into())
}

async fn get(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(name): Path<String>,
    Query(query): Query<GetSecretQuery>,
) -> Result<Finished<SecretResponse>, ApiError> {
    Ok(app.core.get_secret_v3(&caller, &name, &query).await?.into())
}
