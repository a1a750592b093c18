//! Organizations.

use axum::extract::State;
use kms_api::{
    MembershipId, OrganizationId,
    identities::{ListIdentitiesQuery, OrganizationIdentitiesResponse},
    organizations::{
        CreateOrganization, OrganizationMembershipResponse, OrganizationResponse,
        OrganizationUsersResponse, OrganizationWorkspacesResponse, UpdateOrganizationMembership,
    },
    routes as paths,
};
use kms_core::{Caller, SignedIn};

use crate::{
    ApiError, AppState, Json,
    extract::{Body, OnlyUser, Path, Query},
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            paths::ORGANIZATION_WORKSPACES,
            workspaces,
            "Lists the caller's projects in an organization",
        ),
        Route::get(
            paths::ORGANIZATION_IDENTITIES,
            identities,
            "Lists the machine identities of an organization",
        ),
        Route::post(paths::ORGANIZATIONS_V2, create, "Makes an organization")
            .class(Class::Creation),
        Route::delete(paths::ORGANIZATION_V2, delete, "Deletes an organization"),
        Route::get(
            paths::ORGANIZATION_MEMBERSHIPS,
            memberships,
            "Lists the people of an organization",
        ),
        Route::get(
            paths::ORGANIZATION_MEMBERSHIP,
            membership,
            "Shows the membership of a person in an organization",
        ),
        Route::patch(
            paths::ORGANIZATION_MEMBERSHIP,
            update_membership,
            "Changes the membership of a person in an organization",
        ),
        Route::delete(
            paths::ORGANIZATION_MEMBERSHIP,
            remove_membership,
            "Ends the membership of a person in an organization",
        ),
    ]
}

async fn workspaces(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<OrganizationId>,
) -> Result<Json<OrganizationWorkspacesResponse>, ApiError> {
    Ok(Json(app.core.list_organization_workspaces(&caller, id).await?))
}

async fn identities(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<OrganizationId>,
    Query(query): Query<ListIdentitiesQuery>,
) -> Result<Json<OrganizationIdentitiesResponse>, ApiError> {
    Ok(Json(app.core.list_organization_identities(&caller, id, &query).await?))
}

async fn create(
    person: SignedIn,
    State(app): State<AppState>,
    Body(body): Body<CreateOrganization>,
) -> Result<Json<OrganizationResponse>, ApiError> {
    Ok(Json(app.core.create_organization(&person, &body).await?))
}

async fn delete(
    OnlyUser(caller): OnlyUser,
    State(app): State<AppState>,
    Path(id): Path<OrganizationId>,
) -> Result<Json<OrganizationResponse>, ApiError> {
    Ok(Json(app.core.delete_organization(&caller, id).await?))
}

async fn memberships(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<OrganizationId>,
) -> Result<Json<OrganizationUsersResponse>, ApiError> {
    Ok(Json(app.core.list_organization_users(&caller, id).await?))
}

async fn membership(
    caller: Caller,
    State(app): State<AppState>,
    Path((organization, id)): Path<(OrganizationId, MembershipId)>,
) -> Result<Json<OrganizationMembershipResponse>, ApiError> {
    Ok(Json(app.core.get_organization_membership(&caller, organization, id).await?))
}

async fn update_membership(
    caller: Caller,
    State(app): State<AppState>,
    Path((organization, id)): Path<(OrganizationId, MembershipId)>,
    Body(body): Body<UpdateOrganizationMembership>,
) -> Result<Json<OrganizationMembershipResponse>, ApiError> {
    Ok(Json(app.core.update_organization_membership(&caller, organization, id, &body).await?))
}

async fn remove_membership(
    caller: Caller,
    State(app): State<AppState>,
    Path((organization, id)): Path<(OrganizationId, MembershipId)>,
) -> Result<Json<OrganizationMembershipResponse>, ApiError> {
    Ok(Json(app.core.remove_organization_membership(&caller, organization, id).await?))
}
