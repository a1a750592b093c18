//! `kms secrets --at`: a folder as it was.

use kms_api::{Timestamp, history::SecretsAtQuery, secrets::ProjectRef, wire::WireBool};

use super::{Common, list};
use crate::{Context, error::CliError, selection::Place};

/// Reads a date and time for `--at`.
pub(super) fn parse_time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "expected a date and time such as 2026-11-26T09:00:00Z".to_owned())
}

pub(super) async fn run(at: Timestamp, common: &Common, context: &Context) -> Result<(), CliError> {
    common.read.refuse_but_recursive("secrets --at")?;
    let view = list::View::decide(common, context)?;
    let place = Place::resolve(&common.place, context)?;
    let client = context.settings.client()?;
    let path = place.path()?;
    let query = SecretsAtQuery {
        project: ProjectRef::id(&place.project),
        environment: Some(place.environment.clone()),
        secret_path: Some(path.to_owned()),
        at: Some(at),
        recursive: Some(WireBool(common.read.is_recursive())),
        view_secret_value: None,
    };
    let answer = client.list_secrets_at(&query).await;
    let answer =
        answer.map_err(|error| place.explain(&format!("read what was at {at} in"), path, error))?;
    view.print(answer.secrets, common.read.is_recursive(), context)
}
