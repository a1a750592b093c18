//! What a write is asked about the references in it.

use std::collections::HashSet;

use kms_api::SecretValue;
use kms_store::environments;

use super::{At, scan::references};
use crate::{
    Core, Error, Result,
    access::{Action, Attributes, Subject},
    place::Place,
};

impl Core {
    /// Refuses values that refer to what the writer may not describe, whether it exists or not;
    /// only where there is no such environment it is text like any other.
    pub(in crate::secrets) async fn check_references(
        &self,
        place: &Place,
        values: &[&SecretValue],
    ) -> Result<()> {
        let mut environments: Option<HashSet<String>> = None;
        for reference in values.iter().flat_map(|value| references(value.expose())) {
            let target = reference.target();
            let at = match &target {
                Some(target) => At::new(target.environment, &target.path, target.key),
                None if reference.text.contains('.') => continue,
                None => At::new(&place.environment, place.path.as_str(), reference.text),
            };
            if may_describe(place, at) {
                continue;
            }
            if target.is_some() {
                if environments.is_none() {
                    let (org, project) = (place.access.project.org_id, place.access.id());
                    let rows = environments::list(&self.store, org, project).await?;
                    environments = Some(rows.into_iter().map(|row| row.slug).collect());
                }
                if environments.as_ref().is_some_and(|slugs| !slugs.contains(at.home.environment)) {
                    continue;
                }
            }
            return Err(Error::forbidden(format!(
                "The value refers to secret {at}, which you are not allowed to refer to"
            )));
        }
        Ok(())
    }
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
