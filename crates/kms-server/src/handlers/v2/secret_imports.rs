//! `/api/v2/secret-imports`.

use axum::extract::State;
use kms_api::{
    routes as paths,
    secret_imports::{
        CreateImport, ImportPlace, ImportResponse, ImportedSecretsResponse, ImportsResponse,
        UpdateImport,
    },
};

use crate::{
    ApiError, AppState, Json,
    extract::{Bearer, Body, Path, Query},
    route::Route,
};

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::SECRET_IMPORTS, list, "Lists the imports of a folder"),
        Route::post(paths::SECRET_IMPORTS, create, "Imports the secrets of another folder"),
        Route::get(paths::SECRET_IMPORT, get, "Shows an import"),
        Route::patch(paths::SECRET_IMPORT, update, "Changes source or position of an import"),
        Route::delete(paths::SECRET_IMPORT, delete, "Removes an import"),
        Route::get(paths::SECRET_IMPORTS_SECRETS, secrets, "Lists imported secrets"),
    ]
}

pub(in crate::handlers) async fn list(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Query(query): Query<ImportPlace>,
) -> Answer<ImportsResponse> {
    Ok(Json(app.core.list_imports(&caller, &query).await?))
}

pub(in crate::handlers) async fn create(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Body(body): Body<CreateImport>,
) -> Answer<ImportResponse> {
    Ok(Json(app.core.create_import(&caller, &body).await?))
}

pub(in crate::handlers) async fn get(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(id): Path<String>,
) -> Answer<ImportResponse> {
    Ok(Json(app.core.get_import(&caller, &id).await?))
}

pub(in crate::handlers) async fn update(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(id): Path<String>,
    Body(body): Body<UpdateImport>,
) -> Answer<ImportResponse> {
    Ok(Json(app.core.update_import(&caller, &id, &body).await?))
}

pub(in crate::handlers) async fn delete(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(id): Path<String>,
    Body(body): Body<ImportPlace>,
) -> Answer<ImportResponse> {
    Ok(Json(app.core.delete_import(&caller, &id, &body).await?))
}

pub(in crate::handlers) async fn secrets(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Query(query): Query<ImportPlace>,
) -> Answer<ImportedSecretsResponse> {
    Ok(Json(app.core.list_imported_secrets(&caller, &query).await?))
}
