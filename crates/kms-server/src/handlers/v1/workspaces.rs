//! Projects under their older name, where the answer is spelled differently.

use axum::extract::State;
use kms_api::{
    ProjectId,
    projects::{ListProjectsQuery, UpdateProject, WorkspaceResponse, WorkspacesResponse},
    routes as paths,
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Bearer, Body, Path, Query},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::WORKSPACES, list, "Lists the caller's projects (older route)"),
        Route::get(paths::WORKSPACE, get, "Shows a project (older route)"),
        Route::patch(paths::WORKSPACE, update, "Changes a project (older route)"),
        Route::delete(paths::WORKSPACE, delete, "Removes a project (older route)"),
    ]
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Query(query): Query<ListProjectsQuery>,
) -> Result<Json<WorkspacesResponse>, ApiError> {
    let workspaces = app.core.list_projects(&caller, &query).await?.projects;
    Ok(Json(WorkspacesResponse { workspaces }))
}

async fn get(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(id): Path<ProjectId>,
) -> Result<Json<WorkspaceResponse>, ApiError> {
    let workspace = app.core.get_project(&caller, id).await?.project;
    Ok(Json(WorkspaceResponse { workspace }))
}

async fn update(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(body): Body<UpdateProject>,
) -> Result<Json<WorkspaceResponse>, ApiError> {
    let workspace = app.core.update_project(&caller, id, &body).await?.project;
    Ok(Json(WorkspaceResponse { workspace }))
}

async fn delete(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<ProjectId>,
) -> Result<Json<WorkspaceResponse>, ApiError> {
    let workspace = app.core.delete_project(&caller, id).await?.project;
    Ok(Json(WorkspaceResponse { workspace }))
}
