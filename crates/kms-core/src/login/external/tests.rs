mod admission;
mod replay;
mod standing;

use kms_api::IdentityId;
use kms_standins::METHODS;
use serde_json::{Value, json};

use crate::{
    Error,
    testing::{
        machines::{HOME, from, unauthorized},
        vouched::Vouched,
    },
};

const SOMEBODY: &str = "5b5fd0bb-6b86-4b0c-9d3c-5d3f2f7d1b11";

/// Statements and audit records that something takes.
async fn work<T>(vouched: &Vouched, done: impl Future<Output = T>) -> (u64, i64, T) {
    const RECORDS: &str = "SELECT COUNT(*) FROM audit_logs";
    let records = vouched.world.number(RECORDS).await;
    let statements = vouched.world.store.statements();
    let result = done.await;
    let statements = vouched.world.store.statements() - statements;
    (statements, vouched.world.number(RECORDS).await - records, result)
}

/// What the newest audit record of a kind says about its event.
async fn last_record(vouched: &Vouched, kind: &str) -> Value {
    let world = &vouched.world;
    let query = json!({ "eventType": kind, "limit": "1" });
    let query = serde_json::from_value(query).unwrap();
    let found = world.core.list_audit_logs(&world.ours, &query).await.unwrap();
    serde_json::to_value(found).unwrap()["auditLogs"][0].clone()
}
