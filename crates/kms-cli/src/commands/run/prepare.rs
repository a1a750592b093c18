//! What a program is given: variables, secrets, and what variables refer to.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

use kms_api::{
    SecretValue,
    secrets::{ListSecretsQuery, Secret},
};
use kms_client::Client;
use uuid::Uuid;

use super::Args;
use crate::{
    Context,
    env_vars::is_own_credential,
    error::{CliError, ResultExt as _},
    input,
    mount::{Ready, Wish},
    process::{self, Environment},
    references::{self, Folder, Found, Reference},
    selection::{self, Place, ReadArgs, Selection},
    supervise,
};

/// Where it comes from, decided once.
pub(super) struct Source<'a> {
    args: &'a Args,
    /// Where secrets are to lie in files.
    wish: Option<&'a Wish>,
    context: &'a Context,
    client: Client,
    selection: Option<Selection>,
    /// Of the own environment and of files, without our own credentials.
    variables: BTreeMap<OsString, OsString>,
    references: BTreeMap<String, Reference>,
}

/// What a program is given.
pub(super) struct Prepared {
    pub(super) environment: Environment,
    /// What is handed over in files.
    pub(super) mounted: Option<Ready>,
    /// What variables refer to, by the names of these.
    referred: Vec<(String, SecretValue)>,
    /// Secrets in its environment.
    injected: Vec<Secret>,
    /// How many secrets it is given.
    pub(super) count: usize,
}

impl Prepared {
    /// All values that came from the server.
    pub(super) fn values(&self) -> impl Iterator<Item = (&str, &SecretValue)> {
        let secrets = self.in_files().iter().chain(&self.injected);
        let secrets = secrets.map(|secret| (secret.secret_key.as_str(), &secret.secret_value));
        secrets.chain(pairs(&self.referred))
    }

    /// Whether a program would notice no difference.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let is_same = |(one, other): (&Secret, &Secret)| {
            one.secret_key == other.secret_key
                && one.secret_value.expose() == other.secret_value.expose()
        };
        self.environment.variables() == other.environment.variables()
            && self.in_files().len() == other.in_files().len()
            && self.in_files().iter().zip(other.in_files()).all(is_same)
    }

    fn in_files(&self) -> &[Secret] {
        self.mounted.as_ref().map_or(&[], |ready| &ready.secrets)
    }
}

impl<'a> Source<'a> {
    /// Decides everything before secrets are read. Only a service token has to ask for its place.
    pub(super) async fn new(
        args: &'a Args,
        wish: Option<&'a Wish>,
        context: &'a Context,
    ) -> Result<Self, CliError> {
        if context.settings.output.is_some() {
            return Err(CliError::usage("`--output` has no meaning for `run`")
                .hint("options of the program stand behind `--`"));
        }
        let variables = variables(args)?;
        let mut references = BTreeMap::new();
        for (name, value) in &variables {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
            if let Some(reference) = references::parse(value) {
                let context =
                    || format!("the variable `{}` refers to nothing", name.escape_debug());
                let reference =
                    reference.map_err(|error| CliError::usage(error).context(context()))?;
                references.insert(name.to_owned(), reference);
            }
        }
        let is_needed =
            !args.references_only || references.values().any(|it| it.folder.project.is_none());
        let (client, selection) = if is_needed {
            let chosen = Selection::to_read(&args.place, &args.read, context).await?;
            (chosen.0, Some(chosen.1))
        } else {
            (context.settings.client()?, None)
        };
        Ok(Self { args, wish, context, client, selection, variables, references })
    }

    /// Asks the server for everything.
    pub(super) async fn prepare(&self) -> Result<Prepared, CliError> {
        let secrets = match &self.selection {
            Some(chosen) if !self.args.references_only => {
                selection::unique(chosen.fetch(&self.client, self.context).await?)
            }
            _ => Vec::new(),
        };
        selection::require_values(&secrets)?;
        let referred = self.referred().await?;
        let allowed = &self.args.allow_dangerous_name;
        process::check_referred(pairs(&referred), allowed)?;
        let mut parent = self.variables.clone();
        for (name, value) in &referred {
            parent.insert(name.into(), value.expose().into());
        }
        let (mounted, injected) = match self.wish {
            Some(wish) => (Some(wish.ready(secrets)?), Vec::new()),
            None => (None, secrets),
        };
        let environment = process::environment(parent, &injected, allowed)?;
        let in_files = mounted.as_ref().map_or(0, |ready| ready.secrets.len());
        let count = referred.len() + in_files + environment.injected;
        Ok(Prepared { environment, mounted, referred, injected, count })
    }

    /// What is to be given instead of this, if it differs. Whoever may write a secret must not
    /// thereby end a program that runs: what no program could be started with is refused.
    pub(super) async fn instead_of(&self, now: &Prepared) -> Result<Option<Prepared>, CliError> {
        let new = self.prepare().await?;
        if new.is_like(now) {
            return Ok(None);
        }
        let shell = std::env::var_os("SHELL");
        supervise::check(&self.args.program(), &new.environment, shell)?;
        Ok(Some(new))
    }

    /// What variables refer to: one list for each folder.
    async fn referred(&self) -> Result<Vec<(String, SecretValue)>, CliError> {
        let mut found = Found::default();
        self.references.values().for_each(|reference| found.want(reference));
        for (folder, values) in found.folders() {
            let place = self.place_of(folder).await?;
            let read = self.args.read.as_usual();
            let secrets = selection::fetch(&self.client, &place, &read, self.context).await?;
            let secrets = selection::unique(secrets);
            let wanted: Vec<Secret> =
                secrets.into_iter().filter(|secret| self.refers_to(folder, secret)).collect();
            selection::require_values(&wanted)?;
            values.extend(wanted.into_iter().map(pair));
        }
        let mut values = Vec::new();
        for (name, reference) in &self.references {
            let value = found.value(reference).ok_or_else(|| {
                let name = name.escape_debug();
                CliError::failed(format!("there is no secret `{reference}`, which `{name}` names"))
            })?;
            values.push((name.clone(), value.clone()));
        }
        Ok(values)
    }

    fn refers_to(&self, folder: &Folder, secret: &Secret) -> bool {
        let meant = |it: &&Reference| it.folder == *folder && it.name == secret.secret_key;
        self.references.values().any(|reference| meant(&reference))
    }

    async fn place_of(&self, folder: &Folder) -> Result<Place, CliError> {
        let project = match (&folder.project, &self.selection) {
            (Some(project), _) if project.parse::<Uuid>().is_ok() => project.clone(),
            (Some(slug), _) => {
                if self.args.read.copies.is_offline(self.context) {
                    let what = format!("the id of the project `{slug}` is not known offline");
                    return Err(CliError::failed(what)
                        .hint("name the project by its id: `kms://ID/ENVIRONMENT/PATH/NAME`"));
                }
                let project = self.client.get_project_by_slug(slug).await;
                project.context(format!("could not find the project `{slug}`"))?.id.to_string()
            }
            (None, Some(chosen)) => {
                let Some(project) = chosen.project() else {
                    let title = chosen.title();
                    let text =
                        format!("{title} are of several projects, and a reference names none");
                    return Err(
                        CliError::usage(text).hint("write `kms://PROJECT/ENVIRONMENT/NAME`")
                    );
                };
                project.to_owned()
            }
            (None, None) => return Err(CliError::internal("the own project was not decided")),
        };
        let (environment, paths) = (folder.environment.clone(), vec![folder.path.clone()]);
        Ok(Place { project, environment, paths })
    }

    /// The lists that decide what a program is given.
    pub(super) async fn queries(&self) -> Result<Vec<ListSecretsQuery>, CliError> {
        let mut queries = Vec::new();
        if let Some(chosen) = &self.selection
            && !self.args.references_only
        {
            queries.extend(chosen.queries());
        }
        let mut found = Found::default();
        self.references.values().for_each(|reference| found.want(reference));
        for (folder, _) in found.folders() {
            let place = self.place_of(folder).await?;
            queries.push(selection::query(&place, &folder.path, &ReadArgs::default()));
        }
        Ok(queries)
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }
}

fn pair(secret: Secret) -> (String, SecretValue) {
    (secret.secret_key, secret.secret_value)
}

fn pairs(values: &[(String, SecretValue)]) -> impl Iterator<Item = (&str, &SecretValue)> {
    values.iter().map(|(name, value)| (name.as_str(), value))
}

/// What is inherited, then what files say.
fn variables(args: &Args) -> Result<BTreeMap<OsString, OsString>, CliError> {
    let inherit = args.inherit();
    let is_ours = |name: &OsStr| name.to_str().is_some_and(is_own_credential);
    let mut variables: BTreeMap<OsString, OsString> =
        std::env::vars_os().filter(|(name, _)| inherit.keeps(name) && !is_ours(name)).collect();
    for file in &args.env_file {
        for assignment in input::read_file(file).map_err(CliError::usage)? {
            let value = assignment.value.expose();
            if value.contains('\0') {
                let file = file.display();
                let text = format!("`{}` in `{file}` holds a null character", assignment.name);
                return Err(CliError::usage(text));
            }
            if !is_ours(OsStr::new(&assignment.name)) {
                variables.insert(assignment.name.into(), value.into());
            }
        }
    }
    Ok(variables)
}
