//! The tags of a project, as secrets name them: by id.

use std::collections::{BTreeSet, HashMap};

use kms_api::{TagId, secrets::Tag};
use kms_store::{
    Source,
    tags::{self, TagRow},
};

use super::mac;
use crate::{Core, Error, Result, access::ProjectAccess};

/// The tags of a project, or none of them as long as nothing that is looked at has a tag.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    rows: HashMap<TagId, TagRow>,
    read: bool,
}

impl Labels {
    /// The tags of these ids that there are, by slug.
    fn known<'l>(&'l self, ids: &[TagId]) -> Vec<&'l TagRow> {
        let mut rows: Vec<_> = ids.iter().filter_map(|id| self.rows.get(id)).collect();
        rows.sort_unstable_by(|one, other| one.slug.cmp(&other.slug));
        rows
    }

    /// The ids of these that are tags still.
    pub(crate) fn existing(&self, ids: &[TagId]) -> BTreeSet<TagId> {
        self.known(ids).into_iter().map(|row| row.id).collect()
    }

    /// What rules are asked about a secret with these tags.
    pub(crate) fn slugs(&self, ids: &[TagId]) -> Vec<String> {
        self.known(ids).into_iter().map(|row| row.slug.clone()).collect()
    }

    /// The tags as answers hold them.
    pub(crate) fn shown(&self, ids: &[TagId]) -> Vec<Tag> {
        let tag = |row: &TagRow| Tag {
            id: row.id.uuid(),
            slug: row.slug.clone(),
            color: Some(row.color.clone()),
            name: row.name.clone(),
        };
        self.known(ids).into_iter().map(tag).collect()
    }

    /// Refuses ids that are no tags of the project.
    pub(crate) fn require(&self, ids: &[TagId]) -> Result<()> {
        let known = self.known(ids);
        if known.len() == ids.len() {
            return Ok(());
        }
        Err(not_all(&known))
    }

    /// The ids of these slugs, all of which must be tags of the project.
    pub(crate) fn of_slugs(&self, slugs: &[String]) -> Result<Vec<TagId>> {
        let id = |slug: &String| self.rows.values().find(|row| row.slug == *slug).map(|row| row.id);
        let mut ids: Vec<_> = slugs.iter().filter_map(id).collect();
        if ids.len() < slugs.len() {
            return Err(not_all(&self.known(&ids)));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}

/// The error about tags of which only some are there.
fn not_all(found: &[&TagRow]) -> Error {
    let slugs: Vec<_> = found.iter().map(|row| row.slug.as_str()).collect();
    Error::not_found(format!("Tag not found. Found {}", slugs.join(",")))
}

impl Core {
    /// The tags of a project, if any of these lists names one: most secrets have none, and then
    /// nothing is read.
    pub(crate) async fn labels<'i>(
        &self,
        source: impl Source,
        access: &ProjectAccess,
        named: impl Iterator<Item = &'i [TagId]>,
    ) -> Result<Labels> {
        let mut labels = Labels::default();
        self.labels_also(&mut labels, source, access, named).await?;
        Ok(labels)
    }

    /// As [`Core::labels`], where some lists have been looked at before.
    pub(crate) async fn labels_also<'i>(
        &self,
        labels: &mut Labels,
        source: impl Source,
        access: &ProjectAccess,
        mut named: impl Iterator<Item = &'i [TagId]>,
    ) -> Result<()> {
        if !labels.read && !named.all(<[TagId]>::is_empty) {
            *labels = self.all_labels(source, access).await?;
        }
        Ok(())
    }

    /// All tags of a project, each as the server wrote it.
    pub(crate) async fn all_labels(
        &self,
        source: impl Source,
        access: &ProjectAccess,
    ) -> Result<Labels> {
        let found = tags::list(source, access.project.org_id, access.id()).await?;
        let mut rows = HashMap::with_capacity(found.len());
        for row in found {
            mac(&self.keys.rows, &row).verify(&row.mac)?;
            rows.insert(row.id, row);
        }
        Ok(Labels { rows, read: true })
    }
}
