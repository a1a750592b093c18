//! `/api/v2/folders`.

use axum::extract::State;
use kms_api::{
    folders::{
        BatchFolders, DeleteFolder, FolderBody, FolderResponse, FoldersResponse, ListFoldersQuery,
    },
    routes as paths,
};

use crate::{
    ApiError, AppState, Json,
    extract::{Bearer, Body, Path, Query},
    route::Route,
};

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::FOLDERS, list, "Lists the folders in a folder"),
        Route::post(paths::FOLDERS, create, "Creates a folder"),
        Route::get(paths::FOLDER, get, "Shows a folder by its id"),
        Route::patch(paths::FOLDER, update, "Renames a folder"),
        Route::delete(paths::FOLDER, delete, "Deletes a folder with all that is in it"),
        Route::patch(paths::FOLDERS_BATCH, update_many, "Renames folders, all or none"),
    ]
}

pub(in crate::handlers) async fn list(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Query(query): Query<ListFoldersQuery>,
) -> Answer<FoldersResponse> {
    Ok(Json(app.core.list_folders(&caller, &query).await?))
}

pub(in crate::handlers) async fn get(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(id): Path<String>,
) -> Answer<FolderResponse> {
    Ok(Json(app.core.get_folder(&caller, &id).await?))
}

pub(in crate::handlers) async fn create(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Body(body): Body<FolderBody>,
) -> Answer<FolderResponse> {
    Ok(Json(app.core.create_folder(&caller, &body).await?))
}

pub(in crate::handlers) async fn update(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(id_or_name): Path<String>,
    Body(body): Body<FolderBody>,
) -> Answer<FolderResponse> {
    Ok(Json(app.core.update_folder(&caller, &id_or_name, &body).await?))
}

pub(in crate::handlers) async fn update_many(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Body(body): Body<BatchFolders>,
) -> Answer<FoldersResponse> {
    Ok(Json(app.core.update_folders(&caller, &body).await?))
}

pub(in crate::handlers) async fn delete(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(id_or_name): Path<String>,
    Body(body): Body<DeleteFolder>,
) -> Answer<FolderResponse> {
    Ok(Json(app.core.delete_folder(&caller, &id_or_name, &body).await?))
}
