//! Projects.

use axum::extract::State;
use kms_api::{
    ProjectId,
    projects::{
        CreateProject, ListProjectsQuery, Project, ProjectChanged, ProjectResponse,
        ProjectsResponse, UpdateProject,
    },
    roles::CallerPermissionsResponse,
    routes as paths,
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Bearer, Body, Path, Query},
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::PROJECTS, create, "Makes a project").class(Class::Creation),
        // The same body and answer under its older path.
        Route::post(paths::WORKSPACES_V2, create, "Makes a project (older route)")
            .class(Class::Creation),
        Route::get(paths::PROJECTS, list, "Lists the caller's projects"),
        Route::get(paths::PROJECT, get, "Shows a project"),
        Route::patch(paths::PROJECT, update, "Changes a project"),
        Route::delete(paths::PROJECT, delete, "Removes a project with everything in it"),
        Route::get(paths::PROJECT_BY_SLUG, by_slug, "Shows a project by its slug"),
        Route::get(paths::PROJECT_PERMISSIONS, permissions, "Shows what the caller may do"),
        Route::get(
            paths::WORKSPACE_PERMISSIONS,
            permissions,
            "Shows what the caller may do (older route)",
        ),
    ]
}

async fn create(
    caller: Caller,
    State(app): State<AppState>,
    Body(body): Body<CreateProject>,
) -> Result<Json<ProjectResponse>, ApiError> {
    Ok(Json(app.core.create_project(&caller, &body).await?))
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Query(query): Query<ListProjectsQuery>,
) -> Result<Json<ProjectsResponse>, ApiError> {
    Ok(Json(app.core.list_projects(&caller, &query).await?))
}

async fn get(
    Bearer(caller): Bearer,
    State(app): State<AppState>,
    Path(id): Path<ProjectId>,
) -> Result<Json<ProjectResponse>, ApiError> {
    Ok(Json(app.core.get_project(&caller, id).await?))
}

async fn update(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<ProjectId>,
    Body(body): Body<UpdateProject>,
) -> Result<Json<ProjectChanged>, ApiError> {
    let ProjectResponse { project } = app.core.update_project(&caller, id, &body).await?;
    Ok(Json(ProjectChanged { bare: project.clone(), project }))
}

async fn delete(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<ProjectId>,
) -> Result<Json<ProjectResponse>, ApiError> {
    Ok(Json(app.core.delete_project(&caller, id).await?))
}

async fn by_slug(
    caller: Caller,
    State(app): State<AppState>,
    Path(slug): Path<String>,
) -> Result<Json<Project>, ApiError> {
    Ok(Json(app.core.get_project_by_slug(&caller, &slug).await?))
}

async fn permissions(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<ProjectId>,
) -> Result<Json<CallerPermissionsResponse>, ApiError> {
    Ok(Json(app.core.caller_permissions(&caller, id).await?))
}
