//! The secrets of a folder.

use kms_api::{
    secrets::{ListSecretsQuery, Secret, SecretsResponse},
    wire::WireBool,
};
use kms_store::secrets::{self, PlacedRow, SecretRow};

use super::{
    Answer, Payload, Spot,
    answer::{Asked, Made, Question, Read},
    open,
    view::{Frame, Show},
};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Attributes, Subject},
    place::Place,
};

/// Pairs of a metadata filter at most.
const MAX_PAIRS: usize = 10;
/// Secrets opened at one go, before others get their turn on the thread.
const TURN: usize = 256;

impl Core {
    /// Lists the secrets of a folder, or of it and all below, as a finished answer of
    /// [`SecretsResponse`], by folder and name.
    ///
    /// A secret that the caller may not describe is left out. One that the caller may describe
    /// but not read refuses the whole list where it is in the folder that was asked for, and is
    /// left out further below; when no values are wanted it is masked like all others.
    pub async fn list_secrets(&self, caller: &Caller, query: &ListSecretsQuery) -> Result<Answer> {
        self.list_secrets_as(caller, query, Read::Recorded).await
    }

    /// The same list where its content goes to nobody, only whether it changed.
    pub(super) async fn list_secrets_quietly(
        &self,
        caller: &Caller,
        query: &ListSecretsQuery,
    ) -> Result<Answer> {
        self.list_secrets_as(caller, query, Read::Unseen).await
    }

    async fn list_secrets_as(
        &self,
        caller: &Caller,
        query: &ListSecretsQuery,
        read: Read,
    ) -> Result<Answer> {
        let (environment, path) = (query.environment.as_deref(), query.secret_path.as_deref());
        let place =
            self.place_to_read(caller, &query.project, environment, ("secretPath", path)).await?;
        place.access.rules.require_some(Action::DescribeSecret, Subject::Secrets)?;
        let flag = |flag: Option<WireBool>, default| flag.map_or(default, |flag| flag.0);
        let wanted = Wanted {
            recursive: flag(query.recursive, false),
            show: if flag(query.view_secret_value, true) { Show::Value } else { Show::Mask },
            metadata: metadata_filter(query.metadata_filter.as_deref())?,
            tagged: query.tag_slugs.is_some(),
        };
        let question = Question::new(&place, wanted.asked());
        self.answer_as(caller, question, self.make_list(&place, &wanted), read).await
    }

    async fn make_list(&self, place: &Place, wanted: &Wanted) -> Result<Made<SecretsResponse>> {
        let rows = secrets::list(&self.store, &place.stored(), wanted.recursive).await?;
        if rows.is_empty() {
            return Err(no_such_folder(place));
        }
        let mut secrets = Vec::with_capacity(rows.len());
        for (index, (path, row)) in sorted(rows).into_iter().enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            secrets.extend(wanted.take(place, &path, row)?);
        }
        let count = secrets.len();
        let event = place.event("get-secrets").details([("numberOfSecrets", count.into())]);
        Ok(Made { body: SecretsResponse { secrets, imports: Vec::new() }, event })
    }
}

/// The order of the wire: by folder, then by name, byte for byte on every engine.
fn sorted(rows: Vec<PlacedRow>) -> Vec<(String, SecretRow)> {
    let split = |row: PlacedRow| {
        let (path, secret) = row.split();
        secret.map(|secret| (path, secret))
    };
    let mut rows: Vec<_> = rows.into_iter().filter_map(split).collect();
    rows.sort_unstable_by(|(path, row), (other_path, other)| {
        (path, &row.name).cmp(&(other_path, &other.name))
    });
    rows
}

/// What is wanted of the secrets that are found.
struct Wanted {
    recursive: bool,
    show: Show,
    metadata: Vec<(String, String)>,
    tagged: bool,
}

impl Wanted {
    fn asked(&self) -> Asked {
        Asked::All {
            recursive: self.recursive,
            values: self.show == Show::Value,
            metadata: self.metadata.clone(),
            tagged: self.tagged,
        }
    }

    /// The secret as it is listed, unless it is left out.
    fn take(&self, place: &Place, path: &str, row: SecretRow) -> Result<Option<Secret>> {
        let attributes = Attributes {
            secret_path: Some(path),
            secret_name: Some(&row.name),
            ..place.attributes()
        };
        let allows = |action| place.access.rules.allows(action, Subject::Secrets, &attributes);
        if !allows(Action::DescribeSecret) {
            return Ok(None);
        }
        if self.show == Show::Value && !allows(Action::ReadValue) {
            if path == place.path.as_str() {
                return Err(place.access.rules.denied(Action::ReadValue, Subject::Secrets));
            }
            return Ok(None);
        }
        let payload = open(&place.access, Spot::of(&row), &row.sealed)?;
        if !self.matches(&payload) {
            return Ok(None);
        }
        Ok(Some(Frame { path, ..Frame::of(place) }.secret(row, payload, self.show)))
    }

    /// Whether the filters let a secret through. None has a tag, so none has one of those asked
    /// for.
    fn matches(&self, payload: &Payload) -> bool {
        let has = |(key, value): &(String, String)| {
            payload.metadata.iter().any(|entry| entry.key == *key && entry.value == *value)
        };
        !self.tagged && self.metadata.iter().all(has)
    }
}

/// Reads `key=a,value=b|key=c,value=d`; pairs that are not of this form are dropped.
fn metadata_filter(text: Option<&str>) -> Result<Vec<(String, String)>> {
    let pair = |text: &str| {
        let (mut key, mut value) = (None, None);
        for part in text.split(',') {
            let (name, content) = part.split_once('=')?;
            match name.trim() {
                "key" => key = Some(content.trim().to_owned()),
                "value" => value = Some(content.trim().to_owned()),
                _ => return None,
            }
        }
        Some((key.filter(|key| !key.is_empty())?, value?))
    };
    let pairs: Vec<_> = text.unwrap_or_default().split('|').filter_map(pair).collect();
    if pairs.len() > MAX_PAIRS {
        let rule = format!("must have at most {MAX_PAIRS} pairs");
        return Err(Error::field("metadataFilter", rule));
    }
    Ok(pairs)
}

fn no_such_folder(place: &Place) -> Error {
    Error::not_found(format!(
        "Folder with path '{}' in environment '{}' was not found. Please ensure the environment \
         slug and secret path is correct.",
        place.path, place.environment
    ))
}
