//! Where a request wants to go: project, environment, folder.

use std::borrow::Cow;

use kms_api::{FolderId, ProjectId, secrets::ProjectRef, service_tokens::Scope};
use kms_store::folders;

use crate::{
    Actor, Caller, Core, Error, Result,
    access::{Action, Attributes, ProjectAccess, Subject},
    audit::Event,
    text::SecretPath,
};

/// The longest slug of an environment that is looked for.
const MAX_ENVIRONMENT: usize = 64;

/// A folder of an environment, by name: whether it exists is not known yet.
#[derive(Clone)]
pub(crate) struct Place {
    /// The project and what the caller may do in it.
    pub(crate) access: ProjectAccess,
    /// The environment's slug.
    pub(crate) environment: String,
    /// The folder.
    pub(crate) path: SecretPath,
}

impl Place {
    /// The same environment, another folder.
    pub(crate) fn with_path(&self, path: SecretPath) -> Self {
        Self { path, ..self.clone() }
    }

    /// What rules are asked about this folder.
    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes {
            environment: Some(&self.environment),
            secret_path: Some(self.path.as_str()),
            ..Attributes::default()
        }
    }

    /// What rules are asked about a secret in this folder, whose tags have these slugs.
    pub(crate) fn attributes_of<'a>(&'a self, name: &'a str, tags: &'a [String]) -> Attributes<'a> {
        Attributes { secret_name: Some(name), secret_tags: tags, ..self.attributes() }
    }

    /// Refuses unless the caller may do this with folders here.
    pub(crate) fn require_folders(&self, action: Action) -> Result<()> {
        self.access.require(action, Subject::SecretFolders, &self.attributes())
    }

    /// Refuses unless the caller may do this with a secret of this name and these tags here.
    pub(crate) fn require_secret(&self, action: Action, name: &str, tags: &[String]) -> Result<()> {
        self.access.require(action, Subject::Secrets, &self.attributes_of(name, tags))
    }

    /// Refuses unless the caller may do this with a secret of this name here if it has the right
    /// tags: asked before anything is looked for.
    pub(crate) fn require_possible(&self, action: Action, name: &str) -> Result<()> {
        if self.may_allow_secret(action, name) {
            return Ok(());
        }
        Err(self.access.rules.denied(action, Subject::Secrets))
    }

    /// Whether the caller may do this with a secret of this name here if it has the right tags.
    pub(crate) fn may_allow_secret(&self, action: Action, name: &str) -> bool {
        self.access.rules.may_allow(action, Subject::Secrets, &self.attributes_of(name, &[]))
    }

    /// Whether the caller may do this with a secret of this name and these tags here.
    pub(crate) fn allows_secret(&self, action: Action, name: &str, tags: &[String]) -> bool {
        self.access.rules.allows(action, Subject::Secrets, &self.attributes_of(name, tags))
    }

    /// Refuses unless the caller may do this with a secret that is here. One that the caller may
    /// not even know of answers like one that is not here, which has no tags.
    pub(crate) fn require_found(
        &self,
        action: Action,
        name: &str,
        tags: &[String],
        absent: impl FnOnce() -> Error,
    ) -> Result<()> {
        if self.allows_secret(action, name, tags) {
            return Ok(());
        }
        if self.allows_secret(Action::DescribeSecret, name, tags) {
            return Err(self.access.rules.denied(action, Subject::Secrets));
        }
        Err(self.missing(action, name, absent))
    }

    /// The error about a secret that is not here: whoever could do nothing with it is not told.
    pub(crate) fn missing(
        &self,
        action: Action,
        name: &str,
        absent: impl FnOnce() -> Error,
    ) -> Error {
        self.require_secret(action, name, &[]).err().unwrap_or_else(absent)
    }

    /// The place as the database is asked for it.
    pub(crate) fn stored(&self) -> folders::Place<'_> {
        folders::Place {
            org: self.access.project.org_id,
            project: self.access.id(),
            environment: &self.environment,
            path: self.path.as_str(),
        }
    }

    /// Something that happened here.
    pub(crate) fn event(&self, kind: &'static str) -> Event {
        Event::new(kind).project(self.access.id()).at(&self.environment, &self.path)
    }

    /// There is no such environment or no such folder in it: both answer alike.
    pub(crate) fn not_found(&self) -> Error {
        Error::not_found(format!(
            "Folder with path '{}' in environment with slug '{}' not found",
            self.path, self.environment
        ))
    }
}

impl Core {
    /// As [`Core::place`], with what the contract answers to a read of secrets that leaves out
    /// project or environment. A service token that is good for one folder reads that folder.
    pub(crate) async fn place_to_read(
        &self,
        caller: &Caller,
        project: &ProjectRef,
        environment: Option<&str>,
        path: (&str, Option<&str>),
    ) -> Result<Place> {
        if let Actor::Service(service) = &caller.actor
            && let Some(Scope { environment, secret_path }) = service.only_place()
        {
            // Whatever is named: clients of such a token send defaults that mean nothing.
            let project = ProjectRef::id(service.project);
            return self
                .place(caller, &project, Some(environment), (path.0, Some(secret_path)))
                .await;
        }
        let ProjectRef { project_id, workspace_id, workspace_slug, project_slug } = project;
        let project_given =
            [project_id, workspace_id, workspace_slug, project_slug].iter().any(|p| p.is_some());
        if !project_given || environment.is_none_or(|text| text.trim().is_empty()) {
            return Err(Error::bad_request("Missing project id or environment"));
        }
        self.place(caller, project, environment, path).await
    }

    /// The folder that a request names, and what the caller may do in its project.
    pub(crate) async fn place(
        &self,
        caller: &Caller,
        project: &ProjectRef,
        environment: Option<&str>,
        path: (&str, Option<&str>),
    ) -> Result<Place> {
        let environment = environment.map(str::trim).filter(|text| !text.is_empty());
        let environment = environment.ok_or_else(|| Error::field("environment", "Required"))?;
        let access = self.project_of(caller, project).await?;
        let environment = check_environment(environment)?.to_owned();
        let path = SecretPath::parse(path.0, path.1)?;
        Ok(Place { access, environment, path })
    }

    /// The project that a request names, in any of its spellings.
    pub(crate) async fn project_of(
        &self,
        caller: &Caller,
        project: &ProjectRef,
    ) -> Result<ProjectAccess> {
        for (field, id) in
            [("projectId", &project.project_id), ("workspaceId", &project.workspace_id)]
        {
            if let Some(id) = id {
                let id: ProjectId =
                    id.trim().parse().map_err(|_| Error::field(field, "must be a UUID"))?;
                return self.project_access(caller, id).await;
            }
        }
        let slugs =
            [("workspaceSlug", &project.workspace_slug), ("projectSlug", &project.project_slug)];
        let given = slugs.into_iter().find_map(|(field, slug)| Some((field, slug.as_deref()?)));
        let (field, slug) = given.ok_or_else(|| Error::field("projectId", "Required"))?;
        let slug = slug.trim();
        if !is_slug(slug) {
            return Err(Error::field(field, "must be a project's slug"));
        }
        let id = self.project_id_of_slug(caller, slug).await?;
        self.project_access(caller, id).await
    }

    /// The access to a project that the caller did not name but only something in it: a caller
    /// who is no member learns nothing about it.
    pub(crate) async fn project_behind(
        &self,
        caller: &Caller,
        project: ProjectId,
        not_found: impl Into<Cow<'static, str>>,
    ) -> Result<ProjectAccess> {
        match self.project_access(caller, project).await {
            Err(Error::Forbidden { .. } | Error::NotFound(_)) => Err(Error::not_found(not_found)),
            answer => answer,
        }
    }
}

/// The text that names a folder which does not exist, by its id.
pub(crate) fn no_folder(id: FolderId) -> String {
    format!("Folder with ID '{id}' not found")
}

/// Whether a text can be somebody's slug; only then an answer may repeat it.
fn is_slug(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= MAX_ENVIRONMENT && text.bytes().all(allowed)
}

/// An environment's slug as a request names it.
pub(crate) fn check_environment(text: &str) -> Result<&str> {
    let text = text.trim();
    if is_slug(text) { Ok(text) } else { Err(Error::field("environment", "must be a slug")) }
}
