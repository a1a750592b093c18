//! `/api/v4/secrets`.

use axum::extract::State;
use kms_api::{
    routes as paths,
    secrets::{
        BatchBody, BatchResponse, CreateSecret, DeleteSecret, GetSecretQuery, ListSecretsQuery,
        ReferenceTreeResponse, SecretResponse, SecretsResponse, UpdateSecret,
    },
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    answer::Finished,
    extract::{Bearer, Body, Path, Query},
    route::Route,
};

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::SECRETS, list, "Lists the secrets of a folder"),
        Route::get(paths::SECRET, get, "Shows a secret"),
        Route::post(paths::SECRET, create, "Creates a secret"),
        Route::patch(paths::SECRET, update, "Changes a secret"),
        Route::delete(paths::SECRET, delete, "Deletes a secret"),
        Route::get(paths::SECRET_BY_ID, get_by_id, "Shows a secret by its id"),
        Route::get(paths::SECRET_REFERENCE_TREE, references, "Shows what a secret refers to"),
        Route::get(paths::SECRET_DEPENDENCY_TREE, dependents, "Shows what refers to a secret"),
        Route::get(paths::SECRETS_BATCH, get_batch, "Shows the secret named `batch`"),
        Route::post(paths::SECRETS_BATCH, create_many, "Creates secrets, all or none"),
        Route::patch(paths::SECRETS_BATCH, update_many, "Changes secrets, all or none"),
        Route::delete(paths::SECRETS_BATCH, delete_many, "Deletes secrets, all or none"),
    ]
}

pub(in crate::handlers) async fn list(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Query(query): Query<ListSecretsQuery>,
) -> Result<Finished<SecretsResponse>, ApiError> {
    Ok(app.core.list_secrets(&caller, &query).await?.into())
}

pub(in crate::handlers) async fn get(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(name): Path<String>,
    Query(query): Query<GetSecretQuery>,
) -> Result<Finished<SecretResponse>, ApiError> {
    Ok(app.core.get_secret(&caller, &name, &query).await?.into())
}

/// A secret may be called like the route of batches, which are never read.
async fn get_batch(
    caller: Bearer,
    state: State<AppState>,
    query: Query<GetSecretQuery>,
) -> Result<Finished<SecretResponse>, ApiError> {
    get(caller, state, Path("batch".to_owned()), query).await
}

pub(in crate::handlers) async fn get_by_id(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<String>,
) -> Result<Finished<SecretResponse>, ApiError> {
    Ok(app.core.get_secret_by_id(&caller, &id).await?.into())
}

pub(in crate::handlers) async fn references(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(name): Path<String>,
    Query(query): Query<GetSecretQuery>,
) -> Answer<ReferenceTreeResponse> {
    Ok(Json(app.core.get_reference_tree(&caller, &name, &query).await?))
}

async fn dependents(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(name): Path<String>,
    Query(query): Query<GetSecretQuery>,
) -> Answer<ReferenceTreeResponse> {
    Ok(Json(app.core.get_reference_dependents(&caller, &name, &query).await?))
}

pub(in crate::handlers) async fn create(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(name): Path<String>,
    Body(body): Body<CreateSecret>,
) -> Answer<SecretResponse> {
    Ok(Json(app.core.create_secret(&caller, &name, &body).await?))
}

pub(in crate::handlers) async fn update(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(name): Path<String>,
    Body(body): Body<UpdateSecret>,
) -> Answer<SecretResponse> {
    Ok(Json(app.core.update_secret(&caller, &name, &body).await?))
}

pub(in crate::handlers) async fn delete(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(name): Path<String>,
    Body(body): Body<DeleteSecret>,
) -> Answer<SecretResponse> {
    Ok(Json(app.core.delete_secret(&caller, &name, &body).await?))
}

pub(in crate::handlers) async fn create_many(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Body(body): Body<BatchBody>,
) -> Answer<BatchResponse> {
    Ok(Json(app.core.create_secrets(&caller, &body).await?))
}

pub(in crate::handlers) async fn update_many(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Body(body): Body<BatchBody>,
) -> Answer<BatchResponse> {
    Ok(Json(app.core.update_secrets(&caller, &body).await?))
}

pub(in crate::handlers) async fn delete_many(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Body(body): Body<BatchBody>,
) -> Answer<BatchResponse> {
    Ok(Json(app.core.delete_secrets(&caller, &body).await?))
}
