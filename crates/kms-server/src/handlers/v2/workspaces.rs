//! Projects by their slug, under their older name.

use axum::extract::State;
use kms_api::{
    projects::{Project, WorkspaceResponse},
    routes as paths,
};
use kms_core::Caller;

use crate::{ApiError, AppState, Json, extract::Path, route::Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::WORKSPACE_BY_SLUG, get, "Shows a project by its slug (older route)"),
        Route::delete(
            paths::WORKSPACE_BY_SLUG,
            delete,
            "Removes a project by its slug (older route)",
        ),
    ]
}

async fn get(
    caller: Caller,
    State(app): State<AppState>,
    Path(slug): Path<String>,
) -> Result<Json<Project>, ApiError> {
    Ok(Json(app.core.get_project_by_slug(&caller, &slug).await?))
}

async fn delete(
    caller: Caller,
    State(app): State<AppState>,
    Path(slug): Path<String>,
) -> Result<Json<WorkspaceResponse>, ApiError> {
    let id = app.core.project_id_of_slug(&caller, &slug).await?;
    let workspace = app.core.delete_project(&caller, id).await?.project;
    Ok(Json(WorkspaceResponse { workspace }))
}
