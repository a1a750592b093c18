//! Making a project: its key, its environments, its first administrator.

use kms_api::{
    OrganizationId,
    projects::{CreateProject, Project, ProjectResponse},
};
use kms_store::{
    StoreError, Tx,
    organizations::{self, OrganizationRow},
    projects::{self, ProjectRow},
};
use uuid::Uuid;

use super::{KIND, MAX_DESCRIPTION, MAX_NAME, slug_taken, to_wire};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Attributes, Subject},
    audit::Event,
    memberships::{NewMember, NewRole},
    text,
};

/// What a project has unless its maker says otherwise.
const DEFAULT_ENVIRONMENTS: [(&str, &str); 3] =
    [("Development", "dev"), ("Staging", "staging"), ("Production", "prod")];
/// Versions of a secret that point-in-time reads go back to.
const PIT_VERSIONS: i64 = 10;
/// How often a slug is made up before giving up; a second try is a one-in-millions event.
const SLUG_TRIES: usize = 4;

/// A project to make.
pub(crate) struct NewProject<'a> {
    /// What it is called.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) description: Option<String>,
    /// Its slug.
    pub(crate) slug: String,
    /// Whether the three usual environments are made.
    pub(crate) default_environments: bool,
    /// Whether a delete is refused.
    pub(crate) has_delete_protection: bool,
    /// Who administers it: `user` or `identity`, and the id.
    pub(crate) administrators: &'a [(&'static str, Uuid)],
}

impl Core {
    /// Makes a project in the caller's organization; the caller becomes its administrator.
    pub async fn create_project(
        &self,
        caller: &Caller,
        body: &CreateProject,
    ) -> Result<ProjectResponse> {
        caller.rules.require(Action::Create, Subject::Project, &Attributes::default())?;
        let name = text::name("projectName", &body.project_name, MAX_NAME)?;
        if let Some(description) = &body.project_description {
            text::note("projectDescription", description, MAX_DESCRIPTION)?;
        }
        if body.r#type.as_deref().is_some_and(|kind| kind != KIND) {
            return Err(Error::field("type", format!("must be `{KIND}`")));
        }
        let given = match &body.slug {
            Some(slug) => Some(text::slug("slug", slug, 5, 36)?),
            None => None,
        };
        let administrators = [(caller.actor.kind(), caller.actor.id())];
        for _ in 0..SLUG_TRIES {
            let slug = given.clone().unwrap_or_else(|| text::slug_from(&name, &self.slug_tail()));
            let new = NewProject {
                name: name.clone(),
                description: body.project_description.clone(),
                slug,
                default_environments: body.should_create_default_envs.unwrap_or(true),
                has_delete_protection: body.has_delete_protection.unwrap_or(false),
                administrators: &administrators,
            };
            match self.try_create_project(caller, &new).await? {
                Some(project) => return Ok(ProjectResponse { project }),
                None if given.is_some() => return Err(slug_taken()),
                None => {}
            }
        }
        Err(slug_taken())
    }

    /// The random end of a slug that is made from a name.
    pub(crate) fn slug_tail(&self) -> String {
        self.random_text::<3>()
    }

    async fn try_create_project(
        &self,
        caller: &Caller,
        new: &NewProject<'_>,
    ) -> Result<Option<Project>> {
        let mut tx = self.store.begin().await?;
        let organization = organizations::find(&mut tx, caller.organization).await?;
        let organization = organization.ok_or_else(|| gone(caller.organization))?;
        let Some(project) = self.insert_project(&mut tx, &organization, new).await? else {
            return Ok(None);
        };
        self.touches_rights(&mut tx);
        let event = Event::new("create-project").project(project.id).details([
            ("projectId", project.id.to_string().into()),
            ("name", project.name.clone().into()),
            ("slug", project.slug.clone().into()),
        ]);
        tx.audit(self.record(caller, &event));
        tx.commit().await?;
        Ok(Some(project))
    }

    /// Adds a project with its environments and administrators; `None` when the slug is taken.
    pub(crate) async fn insert_project(
        &self,
        tx: &mut Tx,
        organization: &OrganizationRow,
        new: &NewProject<'_>,
    ) -> Result<Option<Project>> {
        let id = self.new_id();
        let now = self.now().micros();
        let key = self.keys.new_project_key(
            organization.id,
            &organization.wrapped_key,
            id,
            self.entropy(),
        )?;
        let row = ProjectRow {
            id,
            org_id: organization.id,
            name: new.name.clone(),
            slug: new.slug.clone(),
            description: new.description.clone(),
            auto_capitalization: false,
            has_delete_protection: new.has_delete_protection,
            secret_sharing: true,
            pit_version_limit: PIT_VERSIONS,
            wrapped_key: key.as_bytes().to_vec(),
            created_at: now,
            updated_at: now,
            org_wrapped_key: organization.wrapped_key.clone(),
        };
        match projects::insert(tx, &row).await {
            Err(StoreError::Duplicate) => return Ok(None),
            other => other?,
        }
        for (kind, principal) in new.administrators {
            let member = NewMember {
                organization: organization.id,
                project: id,
                kind,
                principal: *principal,
            };
            self.insert_member(tx, &member, &[NewRole::permanent("admin")]).await?;
        }
        let mut environments = Vec::new();
        if new.default_environments {
            for (position, (name, slug)) in (1..).zip(DEFAULT_ENVIRONMENTS) {
                let at = (organization.id, id, position);
                environments.push(self.insert_environment(tx, at, name, slug).await?);
            }
        }
        Ok(Some(to_wire(&row, &environments)))
    }
}

/// The organization of a token that was removed while the request ran.
fn gone(organization: OrganizationId) -> Error {
    Error::not_found(format!("Organization with ID '{organization}' not found"))
}
