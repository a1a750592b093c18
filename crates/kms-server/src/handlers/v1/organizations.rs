//! Organizations; people only.

use axum::extract::State;
use kms_api::{
    OrganizationId,
    organizations::{
        AccessibleOrganizationsResponse, OrganizationResponse, OrganizationUsersResponse,
        OrganizationWritten, OrganizationsResponse, UpdateOrganization,
    },
    routes as paths,
};

use kms_core::SignedIn;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, OnlyUser, Path},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::ORGANIZATIONS, list, "Lists the caller's organizations"),
        Route::get(
            paths::ACCESSIBLE_ORGANIZATIONS,
            list_accessible,
            "Lists the caller's organizations with their sub-organizations",
        ),
        Route::get(paths::ORGANIZATION, get, "Shows an organization"),
        Route::patch(paths::ORGANIZATION, update, "Changes an organization"),
        Route::get(paths::ORGANIZATION_USERS, users, "Lists the people of an organization"),
    ]
}

async fn list(
    person: SignedIn,
    State(app): State<AppState>,
) -> Result<Json<OrganizationsResponse>, ApiError> {
    Ok(Json(app.core.list_organizations(&person).await?))
}

async fn list_accessible(
    person: SignedIn,
    State(app): State<AppState>,
) -> Result<Json<AccessibleOrganizationsResponse>, ApiError> {
    Ok(Json(app.core.list_accessible_organizations(&person).await?))
}

async fn get(
    OnlyUser(caller): OnlyUser,
    State(app): State<AppState>,
    Path(id): Path<OrganizationId>,
) -> Result<Json<OrganizationResponse>, ApiError> {
    Ok(Json(app.core.get_organization(&caller, id).await?))
}

async fn update(
    OnlyUser(caller): OnlyUser,
    State(app): State<AppState>,
    Path(id): Path<OrganizationId>,
    Body(body): Body<UpdateOrganization>,
) -> Result<Json<OrganizationWritten>, ApiError> {
    Ok(Json(app.core.update_organization(&caller, id, &body).await?))
}

async fn users(
    OnlyUser(caller): OnlyUser,
    State(app): State<AppState>,
    Path(id): Path<OrganizationId>,
) -> Result<Json<OrganizationUsersResponse>, ApiError> {
    Ok(Json(app.core.list_organization_users(&caller, id).await?))
}
