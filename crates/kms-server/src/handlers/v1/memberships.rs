//! Memberships in projects, under the paths of projects and of workspaces alike.

use axum::extract::State;
use kms_api::{
    IdentityId, ProjectId,
    memberships::{
        IdentityMembershipBody, IdentityMembershipResponse, IdentityMembershipsResponse,
        ListMembershipsQuery, ProjectUsersResponse, RolesResponse, UserMembershipsResponse,
    },
    routes as paths,
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, Path, Query},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::patch(paths::PROJECT_IDENTITY, update, "Replaces the roles of an identity"),
        Route::patch(
            paths::WORKSPACE_IDENTITY,
            update_roles,
            "Replaces the roles of an identity (older route)",
        ),
        Route::get(paths::PROJECT_MEMBERSHIPS, users, "Lists the people in a project"),
        Route::get(
            paths::WORKSPACE_MEMBERSHIPS,
            users,
            "Lists the people in a project (older route)",
        ),
        Route::get(
            paths::WORKSPACE_USERS,
            workspace_users,
            "Lists the people in a project (oldest route)",
        ),
    ];
    for (all, one) in [
        (paths::PROJECT_IDENTITIES, paths::PROJECT_IDENTITY),
        (paths::WORKSPACE_IDENTITIES, paths::WORKSPACE_IDENTITY),
    ] {
        routes.push(Route::get(all, list, "Lists the identities in a project"));
        routes.push(Route::post(one, add, "Makes an identity a member of a project"));
        routes.push(Route::get(one, get, "Shows the membership of an identity"));
        routes.push(Route::delete(one, remove, "Ends the membership of an identity"));
    }
    routes
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
    Query(query): Query<ListMembershipsQuery>,
) -> Result<Json<IdentityMembershipsResponse>, ApiError> {
    Ok(Json(app.core.list_identity_memberships(&caller, project, &query).await?))
}

async fn add(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, identity)): Path<(ProjectId, IdentityId)>,
    Body(body): Body<IdentityMembershipBody>,
) -> Result<Json<IdentityMembershipResponse>, ApiError> {
    Ok(Json(app.core.add_identity_membership(&caller, project, identity, &body).await?))
}

async fn get(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, identity)): Path<(ProjectId, IdentityId)>,
) -> Result<Json<IdentityMembershipResponse>, ApiError> {
    Ok(Json(app.core.get_identity_membership(&caller, project, identity).await?))
}

async fn update(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, identity)): Path<(ProjectId, IdentityId)>,
    Body(body): Body<IdentityMembershipBody>,
) -> Result<Json<IdentityMembershipResponse>, ApiError> {
    Ok(Json(app.core.update_identity_membership(&caller, project, identity, &body).await?))
}

async fn update_roles(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, identity)): Path<(ProjectId, IdentityId)>,
    Body(body): Body<IdentityMembershipBody>,
) -> Result<Json<RolesResponse>, ApiError> {
    let answer = app.core.update_identity_membership(&caller, project, identity, &body).await?;
    Ok(Json(RolesResponse { roles: answer.identity_membership.roles }))
}

async fn remove(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, identity)): Path<(ProjectId, IdentityId)>,
) -> Result<Json<IdentityMembershipResponse>, ApiError> {
    Ok(Json(app.core.remove_identity_membership(&caller, project, identity).await?))
}

async fn users(
    caller: Caller,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
) -> Result<Json<UserMembershipsResponse>, ApiError> {
    let memberships = app.core.list_user_memberships(&caller, project).await?;
    Ok(Json(UserMembershipsResponse { memberships }))
}

async fn workspace_users(
    caller: Caller,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
) -> Result<Json<ProjectUsersResponse>, ApiError> {
    let users = app.core.list_user_memberships(&caller, project).await?;
    Ok(Json(ProjectUsersResponse { users }))
}
