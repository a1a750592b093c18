//! `kms secrets history` and what `rollback` and `move` share with it: a secret's id by its name.

use kms_api::{
    SecretId, SecretValue, Timestamp,
    secrets::{GetSecretQuery, ListVersionsQuery, ProjectRef, SecretVersion},
    wire::WireBool,
};
use kms_client::Client;
use serde::Serialize;

use super::{Common, rows::Form};
use crate::{Context, error::CliError, selection::Place};

/// Show the versions of a secret, newest first; values only with `--show-values`
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Name of the secret
    #[arg(value_name = "NAME")]
    name: String,

    /// Show the values too
    #[arg(long)]
    show_values: bool,

    /// How many versions to show, 1 to 100
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: u32,

    /// How many of the newest to skip
    #[arg(long, default_value_t = 0, value_name = "N")]
    offset: u32,
}

/// One version in an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    version: i64,
    secret_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_value: Option<SecretValue>,
    secret_comment: String,
    tags: Vec<String>,
    changed_by: Option<String>,
    changed_at: Timestamp,
}

impl Row {
    fn new(version: SecretVersion, values: bool) -> Self {
        Self {
            version: version.version,
            secret_value: values.then_some(version.secret_value),
            secret_key: version.secret_key,
            secret_comment: version.secret_comment,
            tags: version.tags.into_iter().map(|tag| tag.slug).collect(),
            changed_by: version.actor.and_then(|actor| actor.name),
            changed_at: version.created_at,
        }
    }

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.version.to_string(), self.secret_key.clone()];
        cells.extend(self.secret_value.as_ref().map(|value| value.expose().to_owned()));
        cells.push(self.tags.join(","));
        cells.push(self.changed_by.clone().unwrap_or_default());
        cells.push(self.changed_at.to_string());
        cells
    }
}

pub(super) async fn run(args: &Args, common: &Common, context: &Context) -> Result<(), CliError> {
    common.read.refuse("secrets history")?;
    let structured = Form::decide(common, context)?.structured()?;
    let place = Place::resolve(&common.place, context)?;
    let client = context.settings.client()?;
    let id = secret_id(&client, &place, &args.name).await?;
    let query = ListVersionsQuery {
        offset: Some(args.offset.to_string()),
        limit: Some(args.limit.to_string()),
    };
    let answer = client.list_secret_versions(id, &query).await;
    let answer =
        answer.map_err(|error| explain(&place, "read the history of", &args.name, error))?;
    let versions = answer.secret_versions.into_iter();
    let rows: Vec<Row> = versions.map(|version| Row::new(version, args.show_values)).collect();
    if let Some(structured) = structured {
        return structured.print(&rows, context);
    }
    let mut headers = vec!["version", "secret name"];
    headers.extend(args.show_values.then_some("secret value"));
    headers.extend(["tags", "changed by", "changed at"]);
    context.ui.table(&headers, rows.iter().map(Row::cells).collect())
}

/// The id of the secret that has a name, found without its value.
pub(super) async fn secret_id(
    client: &Client,
    place: &Place,
    name: &str,
) -> Result<SecretId, CliError> {
    let query = GetSecretQuery {
        project: ProjectRef::id(&place.project),
        environment: Some(place.environment.clone()),
        secret_path: Some(place.path()?.to_owned()),
        view_secret_value: Some(WireBool(false)),
        expand_secret_references: Some(WireBool(false)),
        include_imports: Some(WireBool(false)),
        ..GetSecretQuery::default()
    };
    let answer = client.get_secret(name, &query).await;
    Ok(answer.map_err(|error| explain(place, "find", name, error))?.secret.id)
}

/// Explains why a call about a secret failed.
pub(super) fn explain(
    place: &Place,
    doing: &str,
    name: &str,
    error: kms_client::Error,
) -> CliError {
    let path = place.paths.first().map_or("/", String::as_str);
    place.explain(&format!("{doing} the secret `{name}` in"), path, error)
}
