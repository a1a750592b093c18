//! The audit log.

use kms_api::{
    audit::{AuditLogsResponse, AuditQuery},
    routes,
};

use crate::{Client, Error};

impl Client {
    /// Reads one page of the audit log, newest first.
    pub async fn list_audit_logs(&self, query: &AuditQuery) -> Result<AuditLogsResponse, Error> {
        self.get(routes::AUDIT_LOGS, query).await
    }
}
