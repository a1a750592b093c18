//! Reading the audit log, and checking that nobody edited it.

use std::collections::HashMap;

use kms_api::{
    OrganizationId, ProjectId, Timestamp,
    audit::{AuditLog, AuditLogsResponse, AuditQuery, Typed},
};
use kms_store::{
    audit::{self, AuditFilter, AuditRow},
    projects,
};
use serde_json::{Map, Value};

use crate::{
    Caller, Core, Error, Result,
    access::{Action, Attributes, Subject},
    text,
};

/// Records of one answer, at most and when nothing is said.
const MAX_PAGE: i64 = 1_000;
const PAGE: i64 = 20;
/// The longest span of one read: three months, however long they are.
const MAX_DAYS: i64 = 92;
const DAY: i64 = 86_400;
/// Links read at one time when a chain is checked.
const LINKS: i64 = 1_000;

impl Core {
    /// Reads the log of the caller's organization, or of one project in it, newest first.
    pub async fn list_audit_logs(
        &self,
        caller: &Caller,
        query: &AuditQuery,
    ) -> Result<AuditLogsResponse> {
        let project_id = match &query.project_id {
            Some(id) => Some(parse("projectId", id)?),
            None => None,
        };
        match project_id {
            Some(id) => {
                let access = self.project_access(caller, id).await?;
                access.require(Action::Read, Subject::AuditLogs, &Attributes::default())?;
            }
            None => {
                caller.rules.require(Action::Read, Subject::AuditLogs, &Attributes::default())?;
            }
        }
        let filter = self.filter(caller.organization, project_id, query)?;
        let rows = audit::list(&self.store, &filter).await?;
        let names = projects::names(&self.store, caller.organization).await?;
        let names: HashMap<_, _> = names.into_iter().map(|row| (row.id, row.name)).collect();
        let audit_logs = rows.into_iter().map(|row| to_wire(row, &names)).collect();
        Ok(AuditLogsResponse { audit_logs })
    }

    /// Checks every link of an organization's chain and answers the place of the first that is
    /// broken, missing or out of order.
    ///
    /// Whoever can write the database can only cut records off the end unnoticed, by setting the
    /// head of the chain to an earlier link; everything else breaks a link that needs the key.
    pub async fn verify_audit_chain(&self, organization: OrganizationId) -> Result<Option<i64>> {
        let (mut seq, mut link) = (0, [0; 32]);
        loop {
            let rows = audit::chain(&self.store, organization, seq, LINKS).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let genuine = self.keys.chain.verify(&link, &row.canonical(), &row.chain);
                if row.seq != seq + 1 || genuine.is_err() {
                    return Ok(Some(seq + 1));
                }
                (seq, link) = (row.seq, self.keys.chain.next(&link, &row.canonical()));
            }
        }
        let head = audit::head(&self.store, organization).await?;
        let (head_seq, head_link) = head.map_or((0, vec![0; 32]), |head| (head.seq, head.hash));
        // Records that were added since the last page was read are beyond what was checked.
        let intact = head_seq > seq && !self.is_cut(organization, seq).await?
            || (head_seq == seq && head_link == link);
        Ok((!intact).then_some(seq + 1))
    }

    async fn is_cut(&self, organization: OrganizationId, seq: i64) -> Result<bool> {
        Ok(audit::chain(&self.store, organization, seq, 1).await?.is_empty())
    }

    fn filter(
        &self,
        org_id: OrganizationId,
        project_id: Option<ProjectId>,
        query: &AuditQuery,
    ) -> Result<AuditFilter> {
        let (from, to) = self.span(query)?;
        let actor_id = match &query.actor {
            Some(id) => Some(parse("actor", id)?),
            None => None,
        };
        Ok(AuditFilter {
            org_id,
            project_id,
            environment: query.environment.clone(),
            secret_path: query.secret_path.clone(),
            secret_key: query.secret_key.clone(),
            event_types: query.event_type.as_deref().map(between_commas),
            actor_type: query.actor_type.clone(),
            actor_id,
            from,
            to,
            offset: text::number("offset", query.offset.as_deref(), 0, 0, i64::MAX)?,
            limit: text::number("limit", query.limit.as_deref(), PAGE, 1, MAX_PAGE)?,
        })
    }

    /// From the last midnight of yesterday until now unless the query says otherwise.
    fn span(&self, query: &AuditQuery) -> Result<(i64, i64)> {
        let to = query.end_date.unwrap_or_else(|| self.now());
        let from = query.start_date.unwrap_or_else(|| yesterday(self.now()));
        if to < from {
            return Err(Error::field("endDate", "must not be before startDate"));
        }
        if to > from.plus_seconds(MAX_DAYS * DAY) {
            return Err(Error::field("endDate", "must be at most three months after startDate"));
        }
        Ok((from.micros(), to.micros()))
    }
}

/// The midnight with which the day before `now` began, in UTC.
fn yesterday(now: Timestamp) -> Timestamp {
    Timestamp::from_seconds((now.seconds().div_euclid(DAY) - 1) * DAY)
}

fn parse<T: std::str::FromStr>(field: &str, text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::field(field, "Invalid uuid"))
}

/// The words of a comma list, each between commas.
fn between_commas(list: &str) -> String {
    let words: Vec<&str> = list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    format!(",{},", words.join(","))
}

fn to_wire(row: AuditRow, names: &HashMap<ProjectId, String>) -> AuditLog {
    let metadata = event_metadata(&row);
    AuditLog {
        id: row.id,
        sequence: row.seq,
        chain: hex::encode(&row.chain),
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.created_at),
        ip_address: row.ip,
        user_agent: row.user_agent,
        user_agent_type: row.user_agent_type,
        expires_at: None,
        org_id: row.org_id,
        project_id: row.project_id,
        project_name: row.project_id.and_then(|id| names.get(&id).cloned()),
        actor: Typed { r#type: row.actor_type, metadata: object(&row.actor_metadata).into() },
        event: Typed { r#type: row.event_type, metadata: metadata.into() },
    }
}

/// What an event tells, with the place that is kept beside it for filters.
fn event_metadata(row: &AuditRow) -> Map<String, Value> {
    let mut metadata = object(&row.event_metadata);
    let places = [
        ("environment", &row.environment),
        ("secretPath", &row.secret_path),
        ("secretKey", &row.secret_key),
    ];
    for (name, place) in places {
        if let Some(place) = place {
            metadata.entry(name).or_insert_with(|| place.as_str().into());
        }
    }
    metadata
}

/// The log is written by the server as JSON objects; anything else was put there by others.
fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
