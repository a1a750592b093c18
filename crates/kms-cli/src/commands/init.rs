//! `kms init`.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use std::path::Path;

use kms_api::{
    OrganizationId,
    projects::{ListProjectsQuery, Project},
};
use kms_client::{Client, Origin};
use serde_json::{Map, Value};

use super::login::enter_organization;
use crate::{
    Context, env_vars,
    error::{CliError, ResultExt as _},
    private_file,
    project_file::{self, ProjectFile},
    prompt,
};

/// Tie this folder to a project
///
/// Writes `.kms.json`, which `kms secrets`, `kms run` and `kms export` find from
/// here and from every folder below. It holds no secret and may be committed.
///
/// On a terminal, what is left out is asked for. What the file says besides is
/// kept.
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Id or slug of the project [env: KMS_PROJECT_ID, INFISICAL_PROJECT_ID]
    #[arg(long = "projectId", visible_alias = "project-id", value_name = "PROJECT")]
    project: Option<String>,

    /// Id of the organization or sub-organization of the project
    #[arg(long, value_name = "ID")]
    organization_id: Option<OrganizationId>,

    /// Slug of the environment where no flag and no branch names one [default: dev]
    #[arg(long, short = 'e', value_name = "SLUG")]
    env: Option<String>,

    /// Environment of a git branch; may be repeated
    #[arg(long = "branch", value_name = "BRANCH=SLUG", value_parser = branch)]
    branches: Vec<(String, String)>,

    /// Tie the folder to another project without asking
    #[arg(long, short = 'f')]
    force: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    if context.settings.output.is_some() {
        return Err(CliError::usage("`init` has no `--output`: it writes a file"));
    }
    let work = init(&args, context);
    if context.ui.interactive { prompt::guarded(work).await } else { work.await }
}

async fn init(args: &Args, context: &Context) -> Result<(), CliError> {
    let folder = context.settings.project_folder()?;
    let former = project_file::read_in(&folder).map_err(CliError::usage)?;
    let Acting { client, organization, origin } = acting(args, context).await?;
    let project = choose_project(args, &client, organization, context).await?;
    require_replaceable(args, former.as_ref(), &project, context).await?;
    let environment = choose_environment(args, former.as_ref(), &project, context).await?;
    for (_, slug) in &args.branches {
        require_environment(&project, slug)?;
    }
    let fields = Fields { project: &project, environment, branches: &args.branches, origin };
    let path = folder.join(project_file::NAMES[0]);
    fields.write(&path, former.as_ref())?;
    tell(&path, former.as_ref(), &project, context);
    Ok(())
}

/// Who chooses the project, and where.
struct Acting {
    client: Client,
    /// The organization whose projects are offered; all where nothing is known.
    organization: Option<OrganizationId>,
    /// The server of a login, which a file may name to choose that login again.
    origin: Option<Origin>,
}

/// A token that was given, else the login, taken into the organization that is wanted.
async fn acting(args: &Args, context: &Context) -> Result<Acting, CliError> {
    let settings = &context.settings;
    if settings.token.is_some() {
        let client = settings.client()?;
        return Ok(Acting { client, organization: args.organization_id, origin: None });
    }
    let Some(chosen) = settings.chosen()? else { return Err(settings.nobody()) };
    let profile = enter_organization(&chosen.profile, args.organization_id, context).await?;
    Ok(Acting {
        client: settings.client_of(&profile)?,
        organization: Some(profile.acting().id),
        origin: Some(profile.domain),
    })
}

async fn choose_project(
    args: &Args,
    client: &Client,
    organization: Option<OrganizationId>,
    context: &Context,
) -> Result<Project, CliError> {
    let answer = client.list_projects(&ListProjectsQuery::default()).await;
    let mut projects = answer.context("could not list the projects")?.projects;
    projects.retain(|project| organization.is_none_or(|id| project.org_id == id));
    projects.sort_by(|a, b| a.name.cmp(&b.name));
    let wanted = context.settings.optional(args.project.as_deref(), &env_vars::PROJECT_ID);
    if let Some(wanted) = wanted {
        let is_it = |it: &Project| it.id.to_string() == wanted || it.slug == wanted;
        return projects.into_iter().find(is_it).ok_or_else(|| {
            CliError::usage(format!("there is no project `{wanted}` that you may act in"))
                .hint("`kms projects list` shows them; another organization has its own login")
        });
    }
    if projects.is_empty() {
        return Err(CliError::failed("there is no project that you may act in")
            .hint("make one: `kms projects create NAME`"));
    }
    if !context.ui.interactive {
        return Err(CliError::needs_person("nobody is there to choose a project").hint(
            "name it: `kms init --projectId ID --env SLUG`; `kms projects list` shows the ids",
        ));
    }
    let labels: Vec<_> = projects.iter().map(|it| format!("{} ({})", it.name, it.slug)).collect();
    let chosen = prompt::choose("Project:", &labels).await?;
    Ok(projects.swap_remove(chosen))
}

/// A folder that is tied to another project is not tied anew by accident.
async fn require_replaceable(
    args: &Args,
    former: Option<&ProjectFile>,
    project: &Project,
    context: &Context,
) -> Result<(), CliError> {
    let tied = former.and_then(|file| Some((file, file.project.as_ref()?)));
    let Some((file, tied)) = tied.filter(|(_, tied)| **tied != project.id.to_string()) else {
        return Ok(());
    };
    let is = format!("`{}` ties this folder to the project `{tied}`", file.path.display());
    if args.force {
        return Ok(());
    }
    if !context.ui.interactive {
        return Err(CliError::needs_person(is)
            .hint("to tie it to another one, add `--force`; the file's other fields are kept"));
    }
    let question = format!("{is}. Tie it to `{}` instead?", project.name);
    if prompt::confirm(&question).await? {
        return Ok(());
    }
    Err(CliError::needs_person("cancelled: nothing was changed"))
}

/// The environment to start with: the flag's, else the file's where the project has it, else the
/// one that is chosen.
async fn choose_environment(
    args: &Args,
    former: Option<&ProjectFile>,
    project: &Project,
    context: &Context,
) -> Result<Option<String>, CliError> {
    if let Some(slug) = &args.env {
        require_environment(project, slug)?;
        return Ok(Some(slug.clone()));
    }
    let slugs: Vec<_> = project.environments.iter().map(|it| it.slug.clone()).collect();
    let kept = former.and_then(|file| file.default_environment.clone());
    if let Some(kept) = kept.filter(|kept| slugs.contains(kept)) {
        return Ok(Some(kept));
    }
    match slugs.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        _ if !context.ui.interactive => Ok(None),
        _ => {
            let chosen = prompt::choose("Environment to start with:", &slugs).await?;
            Ok(Some(slugs[chosen].clone()))
        }
    }
}

fn require_environment(project: &Project, slug: &str) -> Result<(), CliError> {
    if project.environments.iter().any(|it| it.slug == slug) {
        return Ok(());
    }
    let slugs: Vec<_> = project.environments.iter().map(|it| format!("`{}`", it.slug)).collect();
    Err(CliError::usage(format!("the project `{}` has no environment `{slug}`", project.name))
        .hint(format!("it has {}", slugs.join(", "))))
}

/// What is written.
struct Fields<'a> {
    project: &'a Project,
    environment: Option<String>,
    branches: &'a [(String, String)],
    origin: Option<Origin>,
}

impl Fields<'_> {
    /// Writes the file; what the former one says besides stays.
    fn write(self, path: &Path, former: Option<&ProjectFile>) -> Result<(), CliError> {
        let mut fields = former.map_or_else(|| Ok(Map::new()), |file| object(&file.path))?;
        // Of a compatible client's file, what would be no field of ours.
        fields.retain(|name, _| project_file::is_known(name));
        fields.insert("workspaceId".into(), self.project.id.to_string().into());
        fields.insert("organizationId".into(), self.project.org_id.to_string().into());
        fields.insert("defaultEnvironment".into(), self.environment.unwrap_or_default().into());
        if let Some(origin) = self.origin.filter(|origin| !origin.is_cloud()) {
            fields.insert("domain".into(), origin.to_string().into());
        }
        if !self.branches.is_empty() {
            let known = fields.remove("gitBranchToEnvironmentMapping");
            let mut mapping = match known {
                Some(Value::Object(known)) => known,
                _ => Map::new(),
            };
            for (branch, slug) in self.branches {
                mapping.insert(branch.clone(), slug.clone().into());
            }
            fields.insert("gitBranchToEnvironmentMapping".into(), mapping.into());
        }
        let mut text = serde_json::to_vec_pretty(&fields).map_err(CliError::internal)?;
        text.push(b'\n');
        private_file::replace(path, &text).context(format!("could not write `{}`", path.display()))
    }
}

/// All fields of a file that was read before.
fn object(path: &Path) -> Result<Map<String, Value>, CliError> {
    let text = std::fs::read(path).context(format!("could not read `{}`", path.display()))?;
    serde_json::from_slice(&text)
        .map_err(|error| CliError::usage(format!("project file `{}`: {error}", path.display())))
}

fn tell(path: &Path, former: Option<&ProjectFile>, project: &Project, context: &Context) {
    let ui = context.ui;
    ui.notice(&format!("`{}` ties this folder to `{}`", path.display(), project.name));
    if let Some(other) = former.filter(|file| file.path != path) {
        let other = other.path.display();
        ui.notice(&format!("What `{other}` said was taken over; it is not read any more"));
    }
    ui.hint("next: `kms secrets`, then `kms run -- PROGRAM`");
}

/// A branch and its environment.
fn branch(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((branch, slug)) if !branch.is_empty() && !slug.is_empty() => {
            Ok((branch.to_owned(), slug.to_owned()))
        }
        _ => Err("expected BRANCH=SLUG, such as `main=prod`".into()),
    }
}
