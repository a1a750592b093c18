//! Reading the audit log.

use http::StatusCode;
use kms_api::routes as paths;
use serde_json::json;

use super::{Instance, fields, path, sorted};

#[tokio::test]
async fn changes_are_told_with_who_did_them() {
    let instance = Instance::start().await;
    let project = instance.project().await;
    let logs = instance.get(&format!("{}?limit=2", paths::AUDIT_LOGS)).await.ok();
    let newest = &logs["auditLogs"][0];
    let known = sorted(
        "id sequence chain createdAt updatedAt ipAddress userAgent userAgentType expiresAt orgId
         projectId projectName actor event",
    );
    assert_eq!(fields(newest), known);
    assert_eq!(newest["event"]["type"], "create-project");
    assert_eq!(newest["event"]["metadata"]["slug"], project["slug"]);
    assert_eq!(newest["actor"]["type"], "identity");
    assert_eq!((&newest["projectName"], &newest["ipAddress"]), (&json!("p"), &json!("127.0.0.1")));
    let id = project["id"].as_str().unwrap();
    let older = instance.get(&path(paths::WORKSPACE_AUDIT_LOGS, &[id])).await.ok();
    let filtered = instance.get(&format!("{}?projectId={id}", paths::AUDIT_LOGS)).await.ok();
    assert_eq!(older, filtered);
    assert_eq!(older["auditLogs"].as_array().unwrap().len(), 1);
    let organization = instance.organization.parse().unwrap();
    assert_eq!(instance.server.core().verify_audit_chain(organization).await.unwrap(), None);
    instance.server.stop().await;
}

#[tokio::test]
async fn queries_outside_the_contract_are_refused() {
    let instance = Instance::start().await;
    for query in [
        "startDate=2026-01-01T00:00:00Z&endDate=2026-04-04T00:00:00Z",
        "startDate=2026-01-02T00:00:00Z&endDate=2026-01-01T00:00:00Z",
        "startDate=yesterday",
        "limit=1001",
        "offset=-1",
        "projectId=p",
        "actor=me",
    ] {
        let answer = instance.get(&format!("{}?{query}", paths::AUDIT_LOGS)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
    }
    instance.server.stop().await;
}
