//! The requests that carry changes to the server.

use kms_api::secrets::{BatchBody, BatchItem, CreateSecret, ProjectRef, Secret, UpdateSecret};
use kms_client::{Client, Error as ClientError};

use super::{
    Type,
    change::{CREATED, Change, Marks},
};
use crate::{error::CliError, selection::Place};

/// Where to write.
pub(super) struct Write<'a> {
    pub(super) client: &'a Client,
    pub(super) place: &'a Place,
    pub(super) path: &'a str,
    pub(super) marks: &'a Marks,
}

impl Write<'_> {
    /// One request creates all that are new, one changes all that differ; each is all or nothing.
    pub(super) async fn batches(&self, changes: &[Change]) -> Result<Vec<Secret>, CliError> {
        let mut stored = Vec::new();
        let created = self.body(changes, |change| change.operation == CREATED);
        if !created.secrets.is_empty() {
            let answer = self.client.create_secrets(&created).await;
            stored.extend(answer.map_err(|error| self.explain(error, changes))?.secrets);
        }
        let modified = self.body(changes, Change::is_update);
        if !modified.secrets.is_empty() {
            let answer = self.client.update_secrets(&modified).await;
            let answer = answer.map_err(|error| {
                let error = self.explain(error, changes);
                if created.secrets.is_empty() {
                    error
                } else {
                    error.hint("the new secrets were created, none of the others was changed")
                }
            });
            stored.extend(answer?.secrets);
        }
        Ok(stored)
    }

    fn body(&self, changes: &[Change], is_wanted: impl Fn(&Change) -> bool) -> BatchBody {
        let wanted = changes.iter().filter(|change| is_wanted(change));
        BatchBody {
            project: ProjectRef::id(&self.place.project),
            environment: Some(self.place.environment.clone()),
            secret_path: Some(self.path.to_owned()),
            mode: None,
            secrets: wanted
                .map(|change| BatchItem {
                    secret_key: change.assignment.name.clone(),
                    fields: change.fields(self.marks),
                    ..BatchItem::default()
                })
                .collect(),
        }
    }

    /// Batches know no personal values, so each takes a request.
    pub(super) async fn one_by_one(&self, changes: &[Change]) -> Result<Vec<Secret>, CliError> {
        let mut stored = Vec::new();
        for change in changes {
            let name = &change.assignment.name;
            let secret = CreateSecret {
                project: ProjectRef::id(&self.place.project),
                environment: Some(self.place.environment.clone()),
                secret_path: Some(self.path.to_owned()),
                r#type: Some(Type::Personal.wire()),
                fields: change.fields(self.marks),
            };
            let answer = if change.operation == CREATED {
                self.client.create_secret(name, &secret).await
            } else if change.is_update() {
                let body = UpdateSecret { secret, new_secret_name: None };
                self.client.update_secret(name, &body).await
            } else {
                continue;
            };
            stored.push(answer.map_err(|error| self.explain(error, changes))?.secret);
        }
        Ok(stored)
    }

    /// A server that repeats what it was sent must not bring a value into a log of errors (R6).
    fn explain(&self, error: ClientError, changes: &[Change]) -> CliError {
        let error = self.place.explain("write secrets in", self.path, error);
        let values: Vec<&str> =
            changes.iter().map(|change| change.assignment.value.expose()).collect();
        if error.chain().any(|text| repeats(&text, &values)) {
            let what = format!("could not write secrets in `{}`", self.path);
            return CliError::new(error.kind, what)
                .hint("the answer of the server repeats a value, so it is not shown");
        }
        error
    }
}

/// Whether a text holds a value; shorter ones are in every text.
fn repeats(text: &str, values: &[&str]) -> bool {
    /// In bytes.
    const SHORTEST: usize = 6;
    values.iter().any(|value| {
        let value = value.trim();
        value.len() >= SHORTEST && text.contains(value)
    })
}
