//! Environments, under the paths of projects and of workspaces alike.

use axum::extract::State;
use kms_api::{
    EnvironmentId, ProjectId,
    environments::{
        CreateEnvironment, Environment, EnvironmentResponse, EnvironmentWritten, UpdateEnvironment,
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
    let mut routes = vec![
        Route::get(paths::PROJECT_ENVIRONMENT_BY_SLUG, by_slug, "Shows an environment by its slug"),
        Route::get(paths::ENVIRONMENT, by_id, "Shows an environment by its id alone"),
    ];
    for (all, one) in [
        (paths::PROJECT_ENVIRONMENTS, paths::PROJECT_ENVIRONMENT),
        (paths::WORKSPACE_ENVIRONMENTS, paths::WORKSPACE_ENVIRONMENT),
    ] {
        routes.push(Route::post(all, create, "Makes an environment"));
        routes.push(Route::get(one, get, "Shows an environment"));
        routes.push(Route::patch(one, update, "Changes an environment"));
        routes.push(Route::delete(one, delete, "Removes an environment with everything in it"));
    }
    routes
}

async fn create(
    caller: Caller,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
    Body(body): Body<CreateEnvironment>,
) -> Result<Json<EnvironmentWritten>, ApiError> {
    Ok(Json(app.core.create_environment(&caller, project, &body).await?))
}

async fn get(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, id)): Path<(ProjectId, EnvironmentId)>,
) -> Result<Json<EnvironmentResponse>, ApiError> {
    Ok(Json(app.core.get_environment(&caller, project, id).await?))
}

async fn by_id(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<EnvironmentId>,
) -> Result<Json<EnvironmentResponse>, ApiError> {
    Ok(Json(app.core.get_environment_by_id(&caller, id).await?))
}

async fn by_slug(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, slug)): Path<(ProjectId, String)>,
) -> Result<Json<Environment>, ApiError> {
    Ok(Json(app.core.get_environment_by_slug(&caller, project, &slug).await?))
}

async fn update(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, id)): Path<(ProjectId, EnvironmentId)>,
    Body(body): Body<UpdateEnvironment>,
) -> Result<Json<EnvironmentWritten>, ApiError> {
    Ok(Json(app.core.update_environment(&caller, project, id, &body).await?))
}

async fn delete(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, id)): Path<(ProjectId, EnvironmentId)>,
) -> Result<Json<EnvironmentWritten>, ApiError> {
    Ok(Json(app.core.delete_environment(&caller, project, id).await?))
}
