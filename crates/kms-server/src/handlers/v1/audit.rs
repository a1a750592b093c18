//! The audit log.

use axum::extract::State;
use kms_api::{
    ProjectId,
    audit::{AuditLogsResponse, AuditQuery},
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
        Route::get(paths::AUDIT_LOGS, list, "Reads the audit log"),
        Route::get(
            paths::WORKSPACE_AUDIT_LOGS,
            of_project,
            "Reads the audit log of a project (older route)",
        ),
    ]
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditLogsResponse>, ApiError> {
    Ok(Json(app.core.list_audit_logs(&caller, &query).await?))
}

async fn of_project(
    caller: Caller,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditLogsResponse>, ApiError> {
    let query = AuditQuery { project_id: Some(project.to_string()), ..query };
    Ok(Json(app.core.list_audit_logs(&caller, &query).await?))
}
