//! Organizations.

use axum::extract::State;
use kms_api::{
    OrganizationId,
    identities::{ListIdentitiesQuery, OrganizationIdentitiesResponse},
    organizations::OrganizationWorkspacesResponse,
    routes as paths,
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Path, Query},
    route::Route,
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
