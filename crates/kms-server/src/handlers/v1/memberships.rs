//! Memberships in projects, under the paths of projects and of workspaces alike.

use axum::extract::State;
use kms_api::{
    IdentityId, MembershipId, ProjectId,
    memberships::{
        AddMembers, FindMember, IdentityMembershipBody, IdentityMembershipResponse,
        IdentityMembershipsResponse, ListMembershipsQuery, ProjectUsersResponse, RemoveMembers,
        RolesResponse, UpdateMember, UserMembershipResponse, UserMembershipsResponse,
    },
    routes as paths,
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, OnlyUser, Path, Query},
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
    for all in [paths::PROJECT_MEMBERSHIPS, paths::WORKSPACE_MEMBERSHIPS_V2] {
        routes.push(Route::post(all, add_users, "Makes people members of a project"));
        routes.push(Route::delete(all, remove_users, "Ends memberships of people in a project"));
    }
    for (one, details, leaving) in [
        (paths::PROJECT_MEMBERSHIP, paths::PROJECT_MEMBERSHIP_DETAILS, paths::PROJECT_LEAVE),
        (paths::WORKSPACE_MEMBERSHIP, paths::WORKSPACE_MEMBERSHIP_DETAILS, paths::WORKSPACE_LEAVE),
    ] {
        routes.push(Route::post(details, find_user, "Finds the membership of a person"));
        routes.push(Route::patch(one, update_user, "Replaces the roles of a person"));
        routes.push(Route::delete(one, remove_user, "Ends the membership of a person"));
        routes.push(Route::delete(leaving, leave, "Ends the caller's membership in a project"));
    }
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

async fn add_users(
    caller: Caller,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
    Body(body): Body<AddMembers>,
) -> Result<Json<UserMembershipsResponse>, ApiError> {
    let memberships = app.core.add_user_memberships(&caller, project, &body).await?;
    Ok(Json(UserMembershipsResponse { memberships }))
}

async fn remove_users(
    caller: Caller,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
    Body(body): Body<RemoveMembers>,
) -> Result<Json<UserMembershipsResponse>, ApiError> {
    let memberships = app.core.remove_user_memberships(&caller, project, &body).await?;
    Ok(Json(UserMembershipsResponse { memberships }))
}

async fn find_user(
    caller: Caller,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
    Body(body): Body<FindMember>,
) -> Result<Json<UserMembershipResponse>, ApiError> {
    Ok(Json(app.core.find_user_membership(&caller, project, &body).await?))
}

async fn update_user(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, id)): Path<(ProjectId, MembershipId)>,
    Body(body): Body<UpdateMember>,
) -> Result<Json<RolesResponse>, ApiError> {
    Ok(Json(app.core.update_user_membership(&caller, project, id, &body).await?))
}

async fn remove_user(
    caller: Caller,
    State(app): State<AppState>,
    Path((project, id)): Path<(ProjectId, MembershipId)>,
) -> Result<Json<UserMembershipResponse>, ApiError> {
    Ok(Json(app.core.remove_user_membership(&caller, project, id).await?))
}

async fn leave(
    OnlyUser(caller): OnlyUser,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
) -> Result<Json<UserMembershipResponse>, ApiError> {
    Ok(Json(app.core.leave_project(&caller, project).await?))
}
