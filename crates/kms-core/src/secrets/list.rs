//! The secrets of a folder.

use std::collections::{BTreeSet, HashSet};

use kms_api::{
    secrets::{ListSecretsQuery, Secret, SecretImport, SecretsResponse},
    wire::WireBool,
};
use kms_store::secrets::{self, PlacedRow, SHARED, SecretRow};
use serde_json::{Value, json};

use super::{
    Answer, Opened, Payload, Skin,
    answer::{Asked, Made, Question, Reach, Read},
    overrides_of,
    references::Whole,
    view::{Frame, Show},
};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Attributes, Subject},
    audit::Event,
    place::Place,
    tags::Labels,
};

/// Pairs of a metadata filter at most.
const MAX_PAIRS: usize = 10;
/// Slugs of a tag filter at most: a secret has no more tags either.
const MAX_SLUGS: usize = 100;
/// Secrets opened at one go, before others get their turn on the thread.
pub(super) const TURN: usize = 256;

impl Core {
    /// Lists the secrets of a folder, or of it and all below, as a finished answer of
    /// [`SecretsResponse`], by folder and name.
    ///
    /// A secret that the caller may not describe is left out. One that the caller may describe
    /// but not read refuses the whole list where it is in the folder that was asked for, and is
    /// left out further below; when no values are wanted it is masked like all others.
    pub async fn list_secrets(&self, caller: &Caller, query: &ListSecretsQuery) -> Result<Answer> {
        self.list_as(Skin::V4, caller, query, Read::Recorded).await
    }

    /// The same list where its content goes to nobody, only whether it changed.
    pub(super) async fn list_secrets_quietly(
        &self,
        caller: &Caller,
        query: &ListSecretsQuery,
    ) -> Result<Answer> {
        self.list_as(Skin::V4, caller, query, Read::Unseen).await
    }

    /// As [`Core::list_secrets`], with what v3 does about parameters that are left out. A user's
    /// overrides stand beside what they override.
    pub async fn list_secrets_v3(
        &self,
        caller: &Caller,
        query: &ListSecretsQuery,
    ) -> Result<Answer> {
        self.list_as(Skin::V3, caller, query, Read::Recorded).await
    }

    async fn list_as(
        &self,
        skin: Skin,
        caller: &Caller,
        query: &ListSecretsQuery,
        read: Read,
    ) -> Result<Answer> {
        let (environment, path) = (query.environment.as_deref(), query.secret_path.as_deref());
        let place =
            self.place_to_read(caller, &query.project, environment, ("secretPath", path)).await?;
        place.access.rules.require_some(Action::DescribeSecret, Subject::Secrets)?;
        let flag = |flag: Option<WireBool>, default| flag.map_or(default, |flag| flag.0);
        let show = if flag(query.view_secret_value, true) { Show::Value } else { Show::Mask };
        let v4 = skin == Skin::V4;
        let overrides = !v4 || flag(query.include_personal_overrides, false);
        let wanted = Wanted {
            recursive: flag(query.recursive, false),
            show,
            metadata: metadata_filter(query.metadata_filter.as_deref())?,
            tags: query.tag_slugs.as_deref().map(tag_slugs).transpose()?,
            reach: Reach {
                expand: flag(query.expand_secret_references, v4) && show == Show::Value,
                imports: flag(query.include_imports, v4),
                owner: if overrides { overrides_of(caller) } else { SHARED },
                skin,
            },
        };
        let question = Question::new(&place, wanted.asked(), wanted.reach);
        self.answer_as(caller, question, self.make_list(&place, &wanted), read).await
    }

    async fn make_list(&self, place: &Place, wanted: &Wanted) -> Result<Made<SecretsResponse>> {
        let (reach, stored) = (wanted.reach, place.stored());
        let rows = secrets::list_with(&self.store, &stored, wanted.recursive, reach.owner).await?;
        if rows.is_empty() {
            return Err(no_such_folder(place));
        }
        let folders = folders(&rows);
        let rows = replaced(sorted(rows), reach.skin);
        let (mut found, mut left_out) = (Vec::with_capacity(rows.len()), HashSet::new());
        let turn = place.access.rules.turn();
        for (index, (path, row)) in rows.into_iter().enumerate() {
            if index % turn == turn - 1 {
                tokio::task::yield_now().await;
            }
            let at = Attributes { secret_path: Some(&path), ..place.attributes_of(&row.name, &[]) };
            let rules = &place.access.rules;
            if row.owner_id == SHARED
                && !rules.may_allow(Action::DescribeSecret, Subject::Secrets, &at)
            {
                left_out.insert((path, row.name));
            } else {
                found.push((path, Opened::open(&place.access, row)?));
            }
        }
        let tagged = found.iter().map(|(_, opened)| opened.tags());
        let labels = self.labels(&self.store, &place.access, tagged).await?;
        let mut secrets = Vec::with_capacity(found.len());
        for (index, (path, opened)) in found.into_iter().enumerate() {
            if index % turn == turn - 1 {
                tokio::task::yield_now().await;
            }
            let name = opened.row.name.clone();
            match wanted.take(place, &labels, &path, opened)? {
                Some(secret) => secrets.push(secret),
                None => {
                    left_out.insert((path, name));
                }
            }
        }
        let chains = if reach.imports { self.chains(place, &folders).await? } else { Vec::new() };
        let mut imports = self.open_chains(&place.access, &chains, wanted.show).await?;
        let read = if reach.expand {
            let whole =
                Whole { environment: &place.environment, folders: &folders, left_out: &left_out };
            self.expand_list(place, reach, (&chains, whole), &mut secrets, &mut imports).await?
        } else {
            0
        };
        let mut of = chains.iter();
        imports.retain(|import| of.next().is_some_and(|chain| chain.is_told(place, import)));
        let event = about(place, &secrets, &imports, read);
        for import in &mut imports {
            import.environment_info = None;
        }
        Ok(Made { body: SecretsResponse { secrets, imports }, event })
    }
}

/// What the log is told about a list.
fn about(place: &Place, secrets: &[Secret], imports: &[SecretImport], read: usize) -> Event {
    let imported = imports.iter().map(|import| {
        json!({
            "environment": import.environment,
            "secretPath": import.secret_path,
            "numberOfSecrets": import.secrets.len(),
        })
    });
    let event = place.event("get-secrets");
    if imports.is_empty() && read == 0 {
        return event.details([("numberOfSecrets", secrets.len().into())]);
    }
    event.details([
        ("numberOfSecrets", secrets.len().into()),
        ("imports", imported.collect::<Value>()),
        ("numberOfReferencedSecrets", read.into()),
    ])
}

/// The paths of all folders in a list, in order.
fn folders(rows: &[PlacedRow]) -> Vec<String> {
    let paths: BTreeSet<_> = rows.iter().map(|row| &row.path).collect();
    paths.into_iter().cloned().collect()
}

/// In v4 an override takes the place of what it overrides.
fn replaced(rows: Vec<(String, SecretRow)>, skin: Skin) -> Vec<(String, SecretRow)> {
    if skin == Skin::V3 || rows.iter().all(|(_, row)| row.owner_id == SHARED) {
        return rows;
    }
    let mut kept: Vec<(String, SecretRow)> = Vec::with_capacity(rows.len());
    for (path, row) in rows {
        match kept.last_mut() {
            // The shared one stands before it.
            Some((last, shared)) if *last == path && shared.name == row.name => *shared = row,
            _ => kept.push((path, row)),
        }
    }
    kept
}

/// The order of the wire: by folder, then by name, byte for byte on every engine.
fn sorted(rows: Vec<PlacedRow>) -> Vec<(String, SecretRow)> {
    let split = |row: PlacedRow| {
        let (path, secret) = row.split();
        secret.map(|secret| (path, secret))
    };
    let mut rows: Vec<_> = rows.into_iter().filter_map(split).collect();
    rows.sort_unstable_by(|(path, row), (other_path, other)| {
        let is_own = |row: &SecretRow| row.owner_id != SHARED;
        (path, &row.name, is_own(row)).cmp(&(other_path, &other.name, is_own(other)))
    });
    rows
}

/// What is wanted of the secrets that are found.
struct Wanted {
    recursive: bool,
    show: Show,
    metadata: Vec<(String, String)>,
    tags: Option<Vec<String>>,
    reach: Reach,
}

impl Wanted {
    fn asked(&self) -> Asked {
        Asked::All {
            recursive: self.recursive,
            values: self.show == Show::Value,
            metadata: self.metadata.clone(),
            tags: self.tags.clone(),
        }
    }

    /// The secret as it is listed, unless it is left out. Filters see only what the caller may
    /// describe, and only what they let through has to be readable.
    fn take(
        &self,
        place: &Place,
        labels: &Labels,
        path: &str,
        opened: Opened,
    ) -> Result<Option<Secret>> {
        // Who wrote an override sees it.
        let is_own = opened.is_override();
        let Opened { row, payload } = opened;
        let tags = labels.slugs(&payload.tags);
        let attributes =
            Attributes { secret_path: Some(path), ..place.attributes_of(&row.name, &tags) };
        let rules = &place.access.rules;
        let allows = |action| is_own || rules.allows(action, Subject::Secrets, &attributes);
        if !allows(Action::DescribeSecret) || !self.matches(&payload, &tags) {
            return Ok(None);
        }
        if self.show == Show::Value && !allows(Action::ReadValue) {
            if path == place.path.as_str() {
                return Err(rules.denied(Action::ReadValue, Subject::Secrets));
            }
            return Ok(None);
        }
        let show = if is_own { Show::Value } else { self.show };
        let frame = Frame { path, ..Frame::of(place, labels) };
        Ok(Some(frame.secret(row, payload, show)))
    }

    /// Whether the filters let a secret through.
    fn matches(&self, payload: &Payload, tags: &[String]) -> bool {
        let has = |(key, value): &(String, String)| {
            payload.metadata.iter().any(|entry| entry.key == *key && entry.value == *value)
        };
        let tagged = |wanted: &Vec<String>| wanted.iter().any(|slug| tags.contains(slug));
        self.tags.as_ref().is_none_or(tagged) && self.metadata.iter().all(has)
    }
}

/// Reads a comma list, whose order means nothing.
fn tag_slugs(text: &str) -> Result<Vec<String>> {
    let slugs: BTreeSet<_> =
        text.split(',').map(str::trim).filter(|slug| !slug.is_empty()).collect();
    if slugs.len() > MAX_SLUGS {
        return Err(Error::field("tagSlugs", format!("must have at most {MAX_SLUGS} slugs")));
    }
    Ok(slugs.into_iter().map(str::to_owned).collect())
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
