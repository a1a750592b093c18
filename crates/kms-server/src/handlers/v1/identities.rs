//! Machine identities.

use axum::extract::State;
use kms_api::{
    IdentityId,
    identities::{
        CreateIdentity, IdentitiesResponse, IdentityDetailsResponse, IdentityResponse,
        ListIdentitiesQuery, OrganizationIdentityResponse, UpdateIdentity,
    },
    memberships::IdentityMembershipsResponse,
    routes as paths,
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, OnlyIdentity, Path, Query},
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::IDENTITIES, create, "Makes a machine identity").class(Class::Creation),
        Route::get(paths::IDENTITIES, list, "Lists the machine identities of the organization"),
        Route::get(paths::IDENTITY_DETAILS, details, "Shows who the calling machine is"),
        Route::get(paths::IDENTITY, get, "Shows a machine identity"),
        Route::patch(paths::IDENTITY, update, "Changes a machine identity"),
        Route::delete(paths::IDENTITY, delete, "Deletes a machine identity; its tokens end"),
        Route::get(paths::IDENTITY_PROJECTS, projects, "Lists the projects of a machine identity"),
    ]
}

async fn create(
    caller: Caller,
    State(app): State<AppState>,
    Body(body): Body<CreateIdentity>,
) -> Result<Json<IdentityResponse>, ApiError> {
    Ok(Json(app.core.create_identity(&caller, &body).await?))
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Query(query): Query<ListIdentitiesQuery>,
) -> Result<Json<IdentitiesResponse>, ApiError> {
    Ok(Json(app.core.list_identities(&caller, &query).await?))
}

async fn details(
    OnlyIdentity(caller): OnlyIdentity,
    State(app): State<AppState>,
) -> Result<Json<IdentityDetailsResponse>, ApiError> {
    Ok(Json(app.core.identity_details(&caller).await?))
}

async fn get(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Result<Json<OrganizationIdentityResponse>, ApiError> {
    Ok(Json(app.core.get_identity(&caller, id).await?))
}

async fn update(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Body(body): Body<UpdateIdentity>,
) -> Result<Json<IdentityResponse>, ApiError> {
    Ok(Json(app.core.update_identity(&caller, id, &body).await?))
}

async fn delete(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Result<Json<IdentityResponse>, ApiError> {
    Ok(Json(app.core.delete_identity(&caller, id).await?))
}

async fn projects(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Result<Json<IdentityMembershipsResponse>, ApiError> {
    Ok(Json(app.core.list_projects_of_identity(&caller, id).await?))
}
