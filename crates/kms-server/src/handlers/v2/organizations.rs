//! Organizations.

use axum::extract::State;
use kms_api::{OrganizationId, organizations::OrganizationWorkspacesResponse, routes as paths};
use kms_core::Caller;

use crate::{ApiError, AppState, Json, extract::Path, route::Route};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get(
        paths::ORGANIZATION_WORKSPACES,
        workspaces,
        "Lists the caller's projects in an organization",
    )]
}

async fn workspaces(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<OrganizationId>,
) -> Result<Json<OrganizationWorkspacesResponse>, ApiError> {
    Ok(Json(app.core.list_organization_workspaces(&caller, id).await?))
}
