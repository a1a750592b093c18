//! Roles of projects, under every path that they have.

use axum::extract::State;
use kms_api::{
    ProjectId, RoleId,
    roles::{CreateRole, ProjectRolesResponse, RoleResponse, UpdateRole},
    routes as paths,
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, Path},
    route::Route,
};

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::get(paths::ROLE, get, "Shows a role that a project made"),
        Route::get(
            paths::WORKSPACE_ROLES_V1,
            oldest::list,
            "Lists the roles of a project (oldest route)",
        ),
        Route::post(
            paths::WORKSPACE_ROLES_V1,
            oldest::create,
            "Makes a role of a project (oldest route)",
        ),
        Route::get(
            paths::WORKSPACE_ROLE_BY_SLUG_V1,
            oldest::by_slug,
            "Shows a role of a project by its slug (oldest route)",
        ),
        Route::patch(
            paths::WORKSPACE_ROLE_V1,
            oldest::update,
            "Changes a role of a project (oldest route)",
        ),
        Route::delete(
            paths::WORKSPACE_ROLE_V1,
            oldest::delete,
            "Deletes a role of a project (oldest route)",
        ),
    ];
    for (all, one, slug) in [
        (paths::PROJECT_ROLES, paths::PROJECT_ROLE, paths::PROJECT_ROLE_BY_SLUG),
        (paths::WORKSPACE_ROLES_V2, paths::WORKSPACE_ROLE_V2, paths::WORKSPACE_ROLE_BY_SLUG_V2),
    ] {
        routes.push(Route::get(all, list, "Lists the roles of a project"));
        routes.push(Route::post(all, create, "Makes a role of a project"));
        routes.push(Route::get(slug, by_slug, "Shows a role of a project by its slug"));
        routes.push(Route::patch(one, update, "Changes a role of a project"));
        routes.push(Route::delete(one, delete, "Deletes a role of a project"));
    }
    routes
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
) -> Answer<ProjectRolesResponse> {
    Ok(Json(app.core.list_project_roles(&caller, project).await?))
}

async fn create(
    caller: Caller,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
    Body(body): Body<CreateRole>,
) -> Answer<RoleResponse> {
    Ok(Json(app.core.create_project_role(&caller, project, &body).await?))
}

async fn by_slug(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, slug)): Path<(ProjectId, String)>,
) -> Answer<RoleResponse> {
    Ok(Json(app.core.get_project_role(&caller, project, &slug).await?))
}

async fn get(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<RoleId>,
) -> Answer<RoleResponse> {
    Ok(Json(app.core.get_role(&caller, id).await?))
}

async fn update(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, id)): Path<(ProjectId, RoleId)>,
    Body(body): Body<UpdateRole>,
) -> Answer<RoleResponse> {
    Ok(Json(app.core.update_project_role(&caller, project, id, &body).await?))
}

async fn delete(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, id)): Path<(ProjectId, RoleId)>,
) -> Answer<RoleResponse> {
    Ok(Json(app.core.delete_project_role(&caller, project, id).await?))
}

/// The oldest routes name a project by its slug, and know no rules about folders and imports: those
/// about secrets stand for all three (wire contract, rule JSON).
mod oldest {
    use super::{
        Answer, ApiError, AppState, Body, Caller, CreateRole, Json, Path, ProjectId,
        ProjectRolesResponse, RoleId, RoleResponse, State, UpdateRole,
    };

    /// By its id too, which no slug looks like.
    async fn project(app: &AppState, caller: &Caller, named: &str) -> Result<ProjectId, ApiError> {
        match named.parse() {
            Ok(id) => Ok(id),
            Err(_) => Ok(app.core.project_id_of_slug(caller, named).await?),
        }
    }

    pub(super) async fn list(
        caller: Caller,
        State(app): State<AppState>,
        Path(named): Path<String>,
    ) -> Answer<ProjectRolesResponse> {
        let project = project(&app, &caller, &named).await?;
        Ok(Json(app.core.list_project_roles(&caller, project).await?))
    }

    pub(super) async fn create(
        caller: Caller,
        State(app): State<AppState>,
        Path(named): Path<String>,
        Body(body): Body<CreateRole>,
    ) -> Answer<RoleResponse> {
        let project = project(&app, &caller, &named).await?;
        let body =
            CreateRole { permissions: kms_core::older_rules::read(body.permissions), ..body };
        Ok(as_before(app.core.create_project_role(&caller, project, &body).await?))
    }

    pub(super) async fn by_slug(
        caller: Caller,
        State(app): State<AppState>,
        Path((named, slug)): Path<(String, String)>,
    ) -> Answer<RoleResponse> {
        let project = project(&app, &caller, &named).await?;
        Ok(as_before(app.core.get_project_role(&caller, project, &slug).await?))
    }

    pub(super) async fn update(
        caller: Caller,
        State(app): State<AppState>,
        Path((named, id)): Path<(String, RoleId)>,
        Body(body): Body<UpdateRole>,
    ) -> Answer<RoleResponse> {
        let project = project(&app, &caller, &named).await?;
        let permissions = body.permissions.map(kms_core::older_rules::read);
        let body = UpdateRole { permissions, ..body };
        Ok(as_before(app.core.update_project_role(&caller, project, id, &body).await?))
    }

    pub(super) async fn delete(
        caller: Caller,
        State(app): State<AppState>,
        Path((named, id)): Path<(String, RoleId)>,
    ) -> Answer<RoleResponse> {
        let project = project(&app, &caller, &named).await?;
        Ok(as_before(app.core.delete_project_role(&caller, project, id).await?))
    }

    fn as_before(mut answer: RoleResponse) -> Json<RoleResponse> {
        answer.role.permissions = answer.role.permissions.map(kms_core::older_rules::write);
        Json(answer)
    }
}
