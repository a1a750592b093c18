//! Tags of projects: what secrets are marked with, and what rules may speak of.
//!
//! A tag is a row of its project; which tags a secret has is sealed with its value, version by
//! version, so that nobody gains a right by writing to the database. A tag that is deleted is gone
//! from all secrets at once. `labels` turns the ids in secrets into tags.

mod labels;
#[cfg(test)]
mod tests;

use kms_api::{
    ProjectId, TagId, Timestamp,
    tags::{CreateTag, ProjectTag, UpdateTag},
};
use kms_crypto::{RowKey, RowMac};
use kms_store::{
    StoreError, Tx,
    tags::{self, TagRow},
};

pub(crate) use labels::Labels;

use crate::{
    Caller, Core, Error, Result,
    access::{Action, Attributes, ProjectAccess, Renamed, Subject},
    audit::Event,
    text,
};

/// Tags of a project at most.
const MAX_TAGS: usize = 500;
/// The longest slug and name, in characters.
const MAX_NAME: usize = 64;
/// The longest colour, in characters.
const MAX_COLOR: usize = 64;

impl Core {
    /// Lists the tags of a project, by slug.
    pub async fn list_tags(&self, caller: &Caller, project: ProjectId) -> Result<Vec<ProjectTag>> {
        self.tags_access(caller, project, Action::Read).await?;
        let mut rows = tags::list(&self.store, caller.organization, project).await?;
        rows.sort_unstable_by(|one, other| one.slug.cmp(&other.slug));
        rows.into_iter().map(|row| self.shown(row)).collect()
    }

    /// One tag of a project.
    pub async fn get_tag(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: TagId,
    ) -> Result<ProjectTag> {
        self.tags_access(caller, project, Action::Read).await?;
        let found = tags::find(&self.store, caller.organization, project, id).await?;
        self.shown(found.ok_or_else(not_found)?)
    }

    /// The tag of a project that has a slug.
    pub async fn get_tag_by_slug(
        &self,
        caller: &Caller,
        project: ProjectId,
        slug: &str,
    ) -> Result<ProjectTag> {
        self.tags_access(caller, project, Action::Read).await?;
        let found = tags::find_by_slug(&self.store, caller.organization, project, slug).await?;
        self.shown(found.ok_or_else(not_found)?)
    }

    /// Makes a tag.
    pub async fn create_tag(
        &self,
        caller: &Caller,
        project: ProjectId,
        body: &CreateTag,
    ) -> Result<ProjectTag> {
        self.tags_access(caller, project, Action::Create).await?;
        let slug = text::slug("slug", &body.slug, 1, MAX_NAME)?;
        let name = match body.name.as_deref().filter(|name| !name.trim().is_empty()) {
            Some(name) => text::name("name", name, MAX_NAME)?,
            None => slug.clone(),
        };
        let color = color(body.color.as_deref().unwrap_or_default())?;
        let mut tx = self.store.begin().await?;
        let count = tags::list(&mut tx, caller.organization, project).await?.len();
        if count >= MAX_TAGS {
            return Err(Error::bad_request(format!("A project has at most {MAX_TAGS} tags")));
        }
        let now = self.now().micros();
        let mut row = TagRow {
            id: self.new_id(),
            org_id: caller.organization,
            project_id: project,
            slug,
            name,
            color,
            actor_kind: caller.actor.kind().to_owned(),
            actor_id: Some(caller.actor.id()),
            created_at: now,
            updated_at: now,
            mac: Vec::new(),
        };
        row.mac = mac(&self.keys.rows, &row).finish().to_vec();
        tags::insert(&mut tx, &row).await.map_err(slug_taken)?;
        self.finish_tag(caller, tx, "create-secret-tag", &row).await?;
        Ok(to_wire(row))
    }

    /// Changes what is given of a tag. Another slug is another tag to every rule that speaks of
    /// one, so nobody gives it one whose own rules would decide otherwise then.
    pub async fn update_tag(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: TagId,
        body: &UpdateTag,
    ) -> Result<ProjectTag> {
        let access = self.tags_access(caller, project, Action::Edit).await?;
        let mut tx = self.store.begin().await?;
        let found = tags::find(&mut tx, caller.organization, project, id).await?;
        let mut row = found.ok_or_else(not_found)?;
        mac(&self.keys.rows, &row).verify(&row.mac)?;
        if let Some(slug) = &body.slug {
            let slug = text::slug("slug", slug, 1, MAX_NAME)?;
            access.rules.require_alike(&Renamed::Tag { from: &row.slug, to: Some(&slug) })?;
            row.slug = slug;
        }
        if let Some(name) = &body.name {
            row.name = text::name("name", name, MAX_NAME)?;
        }
        if let Some(sent) = &body.color {
            row.color = color(sent)?;
        }
        row.updated_at = self.now().micros();
        row.mac = mac(&self.keys.rows, &row).finish().to_vec();
        if !tags::update(&mut tx, &row).await.map_err(slug_taken)? {
            return Err(not_found());
        }
        self.finish_tag(caller, tx, "update-secret-tag", &row).await?;
        Ok(to_wire(row))
    }

    /// Removes a tag, and with it its mark on every secret; not where the caller's own rules would
    /// decide otherwise then.
    pub async fn delete_tag(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: TagId,
    ) -> Result<ProjectTag> {
        let access = self.tags_access(caller, project, Action::Delete).await?;
        let mut tx = self.store.begin().await?;
        let found = tags::find(&mut tx, caller.organization, project, id).await?;
        let row = found.ok_or_else(not_found)?;
        access.rules.require_alike(&Renamed::Tag { from: &row.slug, to: None })?;
        if !tags::delete(&mut tx, caller.organization, id).await? {
            return Err(not_found());
        }
        self.finish_tag(caller, tx, "delete-secret-tag", &row).await?;
        Ok(to_wire(row))
    }

    async fn tags_access(
        &self,
        caller: &Caller,
        project: ProjectId,
        action: Action,
    ) -> Result<ProjectAccess> {
        let access = self.project_access(caller, project).await?;
        access.require(action, Subject::Tags, &Attributes::default())?;
        Ok(access)
    }

    /// A row that the server wrote, as it is answered.
    fn shown(&self, row: TagRow) -> Result<ProjectTag> {
        mac(&self.keys.rows, &row).verify(&row.mac)?;
        Ok(to_wire(row))
    }

    async fn finish_tag(
        &self,
        caller: &Caller,
        mut tx: Tx,
        kind: &'static str,
        row: &TagRow,
    ) -> Result<()> {
        self.touches_project(&mut tx, row.project_id);
        let event = Event::new(kind).project(row.project_id).details([
            ("id", row.id.to_string().into()),
            ("name", row.name.clone().into()),
            ("slug", row.slug.clone().into()),
        ]);
        tx.audit(self.record(caller, &event));
        Ok(tx.commit().await?)
    }
}

/// The authentication of a tag: rules that speak of its slug may grant rights.
fn mac(key: &RowKey, row: &TagRow) -> RowMac {
    key.mac("tags")
        .uuid(row.id.uuid())
        .uuid(row.org_id.uuid())
        .uuid(row.project_id.uuid())
        .text(&row.slug)
}

fn color(text: &str) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > MAX_COLOR || text.chars().any(char::is_control) {
        let rule = format!("must have at most {MAX_COLOR} printable characters");
        return Err(Error::field("color", rule));
    }
    Ok(text.to_owned())
}

fn slug_taken(error: StoreError) -> Error {
    match error {
        StoreError::Duplicate => Error::bad_request("Tag already exist"),
        other => other.into(),
    }
}

fn not_found() -> Error {
    Error::not_found("Tag not found")
}

fn to_wire(row: TagRow) -> ProjectTag {
    ProjectTag {
        id: row.id,
        slug: row.slug,
        name: row.name,
        color: Some(row.color),
        project_id: Some(row.project_id),
        created_at: Some(Timestamp(row.created_at)),
        updated_at: Some(Timestamp(row.updated_at)),
        created_by: row.actor_id,
        created_by_actor_type: Some(row.actor_kind),
    }
}
