//! Sub-organizations, and identities of the root in them.

use axum::extract::State;
use kms_api::{
    IdentityId, OrganizationId,
    identities::{OrganizationIdentityBody, OrganizationIdentityMembershipResponse},
    organizations::{
        CreateSubOrganization, ListSubOrganizationsQuery, OrganizationResponse,
        SubOrganizationsResponse, UpdateSubOrganization,
    },
    routes as paths,
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, Path, Query},
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::SUB_ORGANIZATIONS, create, "Makes a sub-organization")
            .class(Class::Creation),
        Route::get(paths::SUB_ORGANIZATIONS, list, "Lists the sub-organizations"),
        Route::patch(paths::SUB_ORGANIZATION, update, "Changes a sub-organization"),
        Route::delete(paths::SUB_ORGANIZATION, delete, "Deletes a sub-organization"),
        Route::post(paths::SUB_ORGANIZATION_MEMBERSHIPS, join, "Joins a sub-organization"),
        Route::post(
            paths::ORGANIZATION_IDENTITY_MEMBERSHIP,
            add_identity,
            "Makes an identity of the root a member of the sub-organization",
        ),
        Route::get(
            paths::ORGANIZATION_IDENTITY_MEMBERSHIP,
            get_identity,
            "Shows the membership of an identity in the organization",
        ),
        Route::patch(
            paths::ORGANIZATION_IDENTITY_MEMBERSHIP,
            update_identity,
            "Changes the role of an identity of the root in the sub-organization",
        ),
        Route::delete(
            paths::ORGANIZATION_IDENTITY_MEMBERSHIP,
            remove_identity,
            "Ends the membership of an identity of the root in the sub-organization",
        ),
    ]
}

async fn create(
    caller: Caller,
    State(app): State<AppState>,
    Body(body): Body<CreateSubOrganization>,
) -> Result<Json<OrganizationResponse>, ApiError> {
    Ok(Json(app.core.create_sub_organization(&caller, &body).await?))
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Query(query): Query<ListSubOrganizationsQuery>,
) -> Result<Json<SubOrganizationsResponse>, ApiError> {
    Ok(Json(app.core.list_sub_organizations(&caller, &query).await?))
}

async fn update(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<OrganizationId>,
    Body(body): Body<UpdateSubOrganization>,
) -> Result<Json<OrganizationResponse>, ApiError> {
    Ok(Json(app.core.update_sub_organization(&caller, id, &body).await?))
}

async fn delete(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<OrganizationId>,
) -> Result<Json<OrganizationResponse>, ApiError> {
    Ok(Json(app.core.delete_sub_organization(&caller, id).await?))
}

async fn join(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<OrganizationId>,
) -> Result<Json<OrganizationResponse>, ApiError> {
    Ok(Json(app.core.join_sub_organization(&caller, id).await?))
}

async fn add_identity(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Body(body): Body<OrganizationIdentityBody>,
) -> Result<Json<OrganizationIdentityMembershipResponse>, ApiError> {
    Ok(Json(app.core.add_organization_identity(&caller, id, &body).await?))
}

async fn get_identity(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Result<Json<OrganizationIdentityMembershipResponse>, ApiError> {
    Ok(Json(app.core.get_organization_identity(&caller, id).await?))
}

async fn update_identity(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Body(body): Body<OrganizationIdentityBody>,
) -> Result<Json<OrganizationIdentityMembershipResponse>, ApiError> {
    Ok(Json(app.core.update_organization_identity(&caller, id, &body).await?))
}

async fn remove_identity(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Result<Json<OrganizationIdentityMembershipResponse>, ApiError> {
    Ok(Json(app.core.remove_organization_identity(&caller, id).await?))
}
