//! `kms audit`.

use std::collections::HashSet;

use kms_api::{
    Timestamp,
    audit::{AuditLog, AuditQuery, Typed},
};

use crate::{
    Context,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// The most that the server answers at once.
const PAGE: usize = 1_000;

/// Show the audit log, newest first
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only of this project [default: the whole organization]
    #[arg(long = "projectId", visible_alias = "project-id", value_name = "ID")]
    project_id: Option<String>,

    /// Only of this environment
    #[arg(long, short, value_name = "SLUG")]
    env: Option<String>,

    /// Only of this folder
    #[arg(long)]
    path: Option<String>,

    /// Only of this secret
    #[arg(long, value_name = "NAME")]
    secret: Option<String>,

    /// Only of these types, such as `get-secrets`
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    event_type: Vec<String>,

    /// Only by this kind of actor
    #[arg(long, value_name = "KIND", value_parser = ["user", "identity", "service", "platform", "unknownUser"])]
    actor_type: Option<String>,

    /// Only by the actor with this id
    #[arg(long, value_name = "ID")]
    actor: Option<String>,

    /// From this time on, such as `2026-11-23T00:00:00Z` [default: the start of yesterday]
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,

    /// Until this time [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,

    /// Show at most this many records
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let records = read(args, context).await.context("could not read the audit log")?;
    if output == Output::Json {
        return context.ui.json(&records);
    }
    let rows = records.iter().map(row).collect();
    let headers = ["time", "actor", "event", "project", "address"];
    context.ui.table(&headers, rows)
}

async fn read(args: Args, context: &Context) -> Result<Vec<AuditLog>, CliError> {
    let client = context.settings.client()?;
    let limit = args.limit;
    let mut query = query(args);
    let mut records = Vec::new();
    // Records that are written meanwhile push others onto the next page a second time.
    let mut seen = HashSet::new();
    let mut offset = 0;
    while records.len() < limit {
        let wanted = (limit - records.len()).min(PAGE);
        query.offset = Some(offset.to_string());
        query.limit = Some(wanted.to_string());
        let page = client.list_audit_logs(&query).await?.audit_logs;
        let count = page.len();
        offset += count;
        records.extend(page.into_iter().filter(|record| seen.insert(record.id)));
        if count < wanted {
            break;
        }
    }
    Ok(records)
}

fn query(args: Args) -> AuditQuery {
    let types = args.event_type.join(",");
    AuditQuery {
        project_id: args.project_id,
        environment: args.env,
        secret_path: args.path,
        secret_key: args.secret,
        event_type: (!types.is_empty()).then_some(types),
        actor_type: args.actor_type,
        actor: args.actor,
        start_date: args.since,
        end_date: args.until,
        offset: None,
        limit: None,
    }
}

fn row(record: &AuditLog) -> Vec<String> {
    let project = record.project_name.clone();
    let project = project.or_else(|| record.project_id.map(|id| id.to_string()));
    vec![
        record.created_at.to_string(),
        actor(&record.actor),
        record.event.r#type.clone(),
        project.unwrap_or_default(),
        record.ip_address.clone().unwrap_or_default(),
    ]
}

/// The kind of actor and the best name there is for it.
fn actor(actor: &Typed) -> String {
    let names = ["name", "email", "username", "identityId", "userId"];
    let name = names.iter().find_map(|field| actor.metadata.get(field)?.as_str());
    match name {
        Some(name) => format!("{} {name}", actor.r#type),
        None => actor.r#type.clone(),
    }
}
