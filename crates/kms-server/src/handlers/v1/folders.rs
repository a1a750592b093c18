//! `/api/v1/folders`: the older paths of the handlers of v2, whose types read both spellings, and
//! a folder by its path.

use axum::extract::State;
use kms_api::{folders::FolderResponse, routes as paths};

use crate::{
    ApiError, AppState, Json,
    extract::{Bearer, Path},
    handlers::v2::folders as v2,
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::FOLDERS_V1, v2::list, "Lists the folders in a folder"),
        Route::post(paths::FOLDERS_V1, v2::create, "Creates a folder"),
        Route::get(paths::FOLDER_V1, v2::get, "Shows a folder by its id"),
        Route::patch(paths::FOLDER_V1, v2::update, "Renames a folder"),
        Route::delete(paths::FOLDER_V1, v2::delete, "Deletes a folder with all that is in it"),
        Route::patch(paths::FOLDERS_BATCH_V1, v2::update_many, "Renames folders, all or none"),
        Route::get(paths::FOLDER_BY_PATH_V1, get_at, "Shows the folder at a path"),
    ]
}

async fn get_at(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path((project, environment, path)): Path<(String, String, String)>,
) -> Result<Json<FolderResponse>, ApiError> {
    Ok(Json(app.core.get_folder_at(&caller, &project, &environment, &path).await?))
}
