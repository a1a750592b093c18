//! What a write is asked about the references in it.

use std::collections::HashSet;

use kms_api::SecretValue;
use kms_store::{Source, environments};

use super::{At, scan::references};
use crate::{
    Core, Error, Result,
    access::{Action, Attributes, Subject},
    place::Place,
};

/// Different references that one write may hold in a folder.
const MAX_REFERENCES: usize = 10_000;
/// References looked at in one go, before others get their turn on the thread.
const TURN: usize = 4_096;

impl Core {
    /// Refuses values that refer to what the writer may not describe, whether it exists or not;
    /// only where there is no such environment it is text like any other.
    pub(in crate::secrets) async fn check_references(
        &self,
        source: impl Source,
        place: &Place,
        values: &[&SecretValue],
    ) -> Result<()> {
        let (mut seen, mut elsewhere) = (HashSet::new(), Vec::new());
        let all = values.iter().flat_map(|value| references(value.expose()));
        for (index, reference) in all.enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            if !seen.insert(reference.text) {
                continue;
            }
            if seen.len() > MAX_REFERENCES {
                let message =
                    format!("A write holds at most {MAX_REFERENCES} different references");
                return Err(Error::bad_request(message));
            }
            match reference.target() {
                Some(target) => {
                    if !may_describe(place, At::new(target.environment, &target.path, target.key)) {
                        elsewhere.push(target);
                    }
                }
                None if reference.text.contains('.') => {}
                None => {
                    let at = At::new(&place.environment, place.path.as_str(), reference.text);
                    if !may_describe(place, at) {
                        return Err(not_yours(at));
                    }
                }
            }
        }
        if elsewhere.is_empty() {
            return Ok(());
        }
        let (org, project) = (place.access.project.org_id, place.access.id());
        let environments = environments::list(source, org, project).await?;
        let exists = |slug: &str| environments.iter().any(|row| row.slug == slug);
        match elsewhere.iter().find(|target| exists(target.environment)) {
            Some(to) => Err(not_yours(At::new(to.environment, &to.path, to.key))),
            None => Ok(()),
        }
    }
}

fn not_yours(at: At<'_>) -> Error {
    Error::forbidden(format!(
        "The value refers to secret {at}, which you are not allowed to refer to"
    ))
}

fn may_describe(place: &Place, at: At<'_>) -> bool {
    let attributes = Attributes {
        environment: Some(at.home.environment),
        secret_path: Some(at.home.path),
        secret_name: Some(at.name),
        ..Attributes::default()
    };
    // Which tags it has is asked when it is read.
    place.access.rules.may_allow(Action::DescribeSecret, Subject::Secrets, &attributes)
}
