//! `/api/v4/secrets/move` and `/api/v4/secrets/duplicate`. A secret may be called like either:
//! whatever is asked of these paths but a `POST` is asked of it.

use axum::extract::State;
use kms_api::{
    routes as paths,
    secrets::{BatchResponse, DeleteSecret, GetSecretQuery, SecretResponse, UpdateSecret},
    transfers::{DuplicateSecrets, MoveResponse, MoveSecrets},
};

use super::secrets;
use crate::{
    ApiError, AppState, Json,
    answer::Finished,
    extract::{Bearer, Body, Path, Query},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::SECRETS_MOVE, relocate, "Moves secrets to another folder, all or none"),
        Route::post(paths::SECRETS_DUPLICATE, copy, "Copies secrets or a folder, all or none"),
        Route::get(paths::SECRETS_MOVE, get::<Move>, "Shows the secret named `move`"),
        Route::patch(paths::SECRETS_MOVE, update::<Move>, "Changes the secret named `move`"),
        Route::delete(paths::SECRETS_MOVE, delete::<Move>, "Deletes the secret named `move`"),
        Route::get(
            paths::SECRETS_DUPLICATE,
            get::<Duplicate>,
            "Shows the secret named `duplicate`",
        ),
        Route::patch(
            paths::SECRETS_DUPLICATE,
            update::<Duplicate>,
            "Changes the secret named `duplicate`",
        ),
        Route::delete(
            paths::SECRETS_DUPLICATE,
            delete::<Duplicate>,
            "Deletes the secret named `duplicate`",
        ),
    ]
}

/// A name that is also a path of this file.
trait Named {
    const NAME: &'static str;
}

struct Move;

impl Named for Move {
    const NAME: &'static str = "move";
}

struct Duplicate;

impl Named for Duplicate {
    const NAME: &'static str = "duplicate";
}

pub(in crate::handlers) async fn relocate(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Body(body): Body<MoveSecrets>,
) -> Result<Json<MoveResponse>, ApiError> {
    Ok(Json(app.core.move_secrets(&caller, &body).await?))
}

async fn copy(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Body(body): Body<DuplicateSecrets>,
) -> Result<Json<BatchResponse>, ApiError> {
    Ok(Json(app.core.duplicate_secrets(&caller, &body).await?))
}

async fn get<N: Named>(
    caller: Bearer,
    state: State<AppState>,
    query: Query<GetSecretQuery>,
) -> Result<Finished<SecretResponse>, ApiError> {
    secrets::get(caller, state, Path(N::NAME.to_owned()), query).await
}

async fn update<N: Named>(
    caller: Bearer,
    state: State<AppState>,
    body: Body<UpdateSecret>,
) -> Result<Json<SecretResponse>, ApiError> {
    secrets::update(caller, state, Path(N::NAME.to_owned()), body).await
}

async fn delete<N: Named>(
    caller: Bearer,
    state: State<AppState>,
    body: Body<DeleteSecret>,
) -> Result<Json<SecretResponse>, ApiError> {
    secrets::delete(caller, state, Path(N::NAME.to_owned()), body).await
}
