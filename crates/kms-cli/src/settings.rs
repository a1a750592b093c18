//! What a command works with, decided once: flag beats environment beats project file beats
//! stored login beats default.

use std::{
    cell::OnceCell,
    env,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use kms_api::service_tokens::PREFIX;
use kms_client::{Client, ClientBuilder, Origin};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    cli::GlobalArgs,
    env_vars::{self, Env, Variable},
    error::{CliError, ResultExt as _},
    profiles::{Chosen, Profile, Profiles, Refusal, Wanted, choose},
    project_file::{self, ProjectFile, ProjectFileError},
    ui::Ui,
};

mod headers;

const USER_AGENT: &str = concat!("kms-cli/", env!("CARGO_PKG_VERSION"));

/// The environment where nothing names one.
pub const DEFAULT_ENVIRONMENT: &str = "dev";

/// A decided value, and what decided it, for messages.
#[derive(Clone, Debug)]
pub struct Decided<T> {
    /// The value.
    pub value: T,
    /// A flag or a variable, such as `--domain` or `KMS_DOMAIN`; `None` for the default.
    pub by: Option<String>,
}

/// The decided settings of one run.
#[derive(Debug)]
pub struct Settings {
    /// The server.
    pub origin: Decided<Origin>,
    /// The access token, when one was given. It is used in place of any login.
    pub token: Option<Decided<SecretString>>,
    /// The logins that this machine remembers.
    pub profiles: Profiles,
    /// The value of `--output`, which each command reads by its own formats.
    pub output: Option<String>,
    /// The environment, for what only one command reads.
    pub env: Env,
    /// The name of a login, where a flag or a variable gives one.
    profile: Option<Decided<String>>,
    choice: OnceCell<Result<Option<Chosen>, Refusal>>,
    certificates: Option<PathBuf>,
    headers: Vec<(String, SecretString)>,
    allow_http: bool,
    /// The version that the server tells, once it does.
    heard: Arc<OnceLock<String>>,
    /// Where the project file is, if a flag says so.
    project_folder: Option<PathBuf>,
    project_file: OnceCell<Option<ProjectFile>>,
}

/// The forms in which an administrative command can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

impl Settings {
    /// Decides every setting that more than one command has.
    pub fn resolve(global: &GlobalArgs, env: Env, ui: Ui) -> Result<Self, CliError> {
        let headers = env
            .get(&env_vars::CUSTOM_HEADERS)
            .map(|(text, name)| headers::parse(&text).context(format!("`{name}` is not valid")))
            .transpose()?
            .unwrap_or_default();
        let mut settings = Self {
            origin: Decided { value: Origin::US_CLOUD.parse()?, by: None },
            token: token(global, &env),
            profiles: Profiles::open(ui, &env),
            output: global.output.clone(),
            profile: profile(global, &env),
            choice: OnceCell::new(),
            certificates: global
                .cacert
                .clone()
                .or_else(|| env.value(&env_vars::CACERT).map(PathBuf::from)),
            headers,
            allow_http: global.allow_http || env.is_on(&env_vars::ALLOW_HTTP),
            heard: Arc::default(),
            project_folder: global.project_config_dir.clone(),
            project_file: OnceCell::new(),
            env,
        };
        if let Some(origin) = origin(global, &settings.env)? {
            settings.origin = origin;
        } else if let Some(profile) = settings.likely_profile() {
            settings.origin.value = profile.domain;
        }
        Ok(settings)
    }

    /// The version of the server, where it is one like ours and was called.
    pub(crate) fn server_version(&self) -> Option<&str> {
        self.heard.get().map(String::as_str)
    }

    /// The login that was chosen, if there is one.
    pub(crate) fn chosen(&self) -> Result<Option<&Chosen>, CliError> {
        self.choice().as_ref().map(Option::as_ref).map_err(Refusal::error)
    }

    fn choice(&self) -> &Result<Option<Chosen>, Refusal> {
        self.choice.get_or_init(|| {
            let config = self.profiles.config().map_err(|error| Refusal::Unreadable {
                reason: error.chain().collect::<Vec<_>>().join(": "),
            })?;
            // A token that was given goes where it would go without the file. One that can't be
            // read is reported by what needs more of it.
            let file = if self.token.is_none() { self.project_file().ok().flatten() } else { None };
            let name = self.profile.as_ref();
            choose(
                &config,
                &Wanted {
                    name: name.map(|n| (n.value.as_str(), n.by.as_deref().unwrap_or_default())),
                    origin: self.origin.by.is_some().then_some(&self.origin.value),
                    file,
                },
            )
        })
    }

    /// The login whose server is meant where no server is named.
    fn likely_profile(&self) -> Option<Profile> {
        match self.choice() {
            Ok(chosen) => chosen.as_ref().map(|chosen| chosen.profile.clone()),
            Err(_) => self.profiles.config().ok()?.current().cloned(),
        }
    }

    /// Whether the token that was given is a service token.
    pub(crate) fn has_service_token(&self) -> bool {
        let token = self.token.as_ref();
        token.is_some_and(|token| token.value.expose_secret().starts_with(PREFIX))
    }

    /// A client that calls with the token that was given, else as the login that was chosen;
    /// without either, says how to get one.
    pub fn client(&self) -> Result<Client, CliError> {
        if let Some(token) = &self.token {
            return self.token_client(token);
        }
        match self.chosen()? {
            Some(chosen) => self.client_of(&chosen.profile),
            None => Err(self.nobody()),
        }
    }

    /// A client that calls as a login, its own server and no other.
    pub(crate) fn client_of(&self, profile: &Profile) -> Result<Client, CliError> {
        Ok(self.builder_of(profile)?.build()?)
    }

    /// As [`Self::client_of`], for whoever may not need it in the end.
    pub(crate) fn builder_of(&self, profile: &Profile) -> Result<ClientBuilder, CliError> {
        let store = Arc::new(self.profiles.store(profile)?);
        Ok(self.builder().origin(profile.domain.clone()).session(store))
    }

    fn token_client(&self, token: &Decided<SecretString>) -> Result<Client, CliError> {
        let builder = self.builder().token(token.value.clone());
        let named = token.by.as_deref().unwrap_or_default();
        builder.build().map_err(|error| match error {
            kms_client::Error::MalformedToken => {
                CliError::from(error).context(format!("the token in `{named}` is not valid"))
            }
            other => other.into(),
        })
    }

    /// A client without a token, for what proves itself otherwise.
    pub fn anonymous_client(&self) -> Result<Client, CliError> {
        self.anonymous_client_to(&self.origin.value)
    }

    /// As [`Self::anonymous_client`], for a server that a person has chosen.
    pub fn anonymous_client_to(&self, origin: &Origin) -> Result<Client, CliError> {
        Ok(self.builder().origin(origin.clone()).build()?)
    }

    /// As [`Self::anonymous_client`], with the client's own error, to look for causes.
    pub(crate) fn probing_client(&self) -> Result<Client, kms_client::Error> {
        self.builder().build()
    }

    /// Says how to become somebody.
    pub(crate) fn nobody(&self) -> CliError {
        let origin = &self.origin.value;
        let command = match &self.origin.by {
            Some(_) => format!("kms login --domain {origin}"),
            None => "kms login".to_owned(),
        };
        CliError::denied(format!("not logged in to `{origin}`: there is no access token"))
            .hint(format!("people: `{command}`"))
            .hint(
                "machines: `export INFISICAL_TOKEN=$(kms login --method=universal-auth --plain \
                 --silent)`",
            )
            .hint(format!(
                "with a token at hand, set {} or add `--token`",
                env_vars::TOKEN.display()
            ))
    }

    fn builder(&self) -> ClientBuilder {
        let mut builder = Client::builder()
            .origin(self.origin.value.clone())
            .user_agent(USER_AGENT)
            .server_version(Arc::clone(&self.heard))
            .allow_http(self.allow_http);
        if let Some(file) = &self.certificates {
            builder = builder.certificates(file);
        }
        for (name, value) in &self.headers {
            builder = builder.header(name, value.clone());
        }
        builder
    }

    /// The project: the flag, else the environment, else the project file.
    pub fn project_id(&self, flag: Option<&str>) -> Result<String, CliError> {
        if let Some(id) = self.optional(flag, &env_vars::PROJECT_ID) {
            return Ok(id);
        }
        let file = self.project_file()?;
        file.and_then(|file| file.project.clone()).ok_or_else(|| {
            let error = CliError::usage("no project was named").hint(format!(
                "add `--projectId ID` or set {}; `kms projects list` shows the ids",
                env_vars::PROJECT_ID.display()
            ));
            match file.filter(|file| !file.sources.is_empty()) {
                Some(file) => error.hint(format!(
                    "the sources of `{}` are for reading; `workspaceId` names the project of all \
                     else",
                    file.path.display()
                )),
                None => error,
            }
        })
    }

    /// The environment's slug: the flag, else the project file, else `dev`.
    pub fn environment(&self, flag: Option<&str>) -> Result<String, CliError> {
        if let Some(slug) = flag.filter(|slug| !slug.is_empty()) {
            return Ok(slug.to_owned());
        }
        let folder = self.project_folder()?;
        let file = self.project_file()?;
        let named = file.and_then(|file| file.environment(&folder));
        Ok(named.unwrap_or_else(|| DEFAULT_ENVIRONMENT.to_owned()))
    }

    /// The directory that a flag names for the project file, else the working directory.
    pub(crate) fn project_folder(&self) -> Result<PathBuf, CliError> {
        self.project_folder.clone().map_or_else(|| Ok(env::current_dir()?), Ok)
    }

    /// The project file of the directory that a flag names, else the nearest; read once and only
    /// when something is left to it.
    pub fn project_file(&self) -> Result<Option<&ProjectFile>, CliError> {
        if self.project_file.get().is_none() {
            let found = match &self.project_folder {
                Some(folder) => Some(file_in(folder)?),
                None => project_file::find(&env::current_dir()?).map_err(not_taken)?,
            };
            return Ok(self.project_file.get_or_init(|| found).as_ref());
        }
        Ok(self.project_file.get().and_then(Option::as_ref))
    }

    /// How to answer, for commands with a table and JSON.
    pub fn table_or_json(&self) -> Result<Output, CliError> {
        match self.output.as_deref() {
            None | Some("table") => Ok(Output::Table),
            Some("json") => Ok(Output::Json),
            Some(other) => Err(CliError::usage(format!("unknown output format `{other}`"))
                .hint("use `--output json` or `--output table`")),
        }
    }

    /// A required value: the flag unless it is empty, else the variable.
    pub fn required(
        &self,
        flag: Option<&str>,
        flag_name: &str,
        variable: &Variable,
    ) -> Result<String, CliError> {
        self.optional(flag, variable).ok_or_else(|| missing(flag_name, variable))
    }

    /// An optional value: the flag unless it is empty, else the variable.
    pub fn optional(&self, flag: Option<&str>, variable: &Variable) -> Option<String> {
        flag.filter(|value| !value.is_empty())
            .map(str::to_owned)
            .or_else(|| self.env.value(variable))
    }
}

/// Names the flag and the variable that would have given a value.
pub fn missing(flag_name: &str, variable: &Variable) -> CliError {
    CliError::usage(format!("`{flag_name}` is missing"))
        .hint(format!("add `{flag_name}` or set {}", variable.display()))
}

fn not_taken(error: ProjectFileError) -> CliError {
    let taken_by = match &error {
        ProjectFileError::Foreign { path } => path.parent().map(Path::to_owned),
        _ => None,
    };
    let error = CliError::usage(error);
    match taken_by {
        Some(folder) => error.hint(format!(
            "if you trust it, add `--project-config-dir {}`; else `kms init` makes one of your own",
            folder.display()
        )),
        None => error,
    }
}

/// The project file of exactly this folder, which must have one.
fn file_in(folder: &Path) -> Result<ProjectFile, CliError> {
    project_file::read_in(folder).map_err(CliError::usage)?.ok_or_else(|| {
        let names = project_file::NAMES.join("` or `");
        CliError::usage(format!("there is no `{names}` in `{}`", folder.display()))
            .hint("`--project-config-dir` takes the directory of a project file")
    })
}

fn origin(global: &GlobalArgs, env: &Env) -> Result<Option<Decided<Origin>>, CliError> {
    let given = match &global.domain {
        Some(domain) => Some((domain.clone(), "--domain")),
        None => env.get(&env_vars::DOMAIN).or_else(|| env.get(&env_vars::API_URL)),
    };
    let Some((text, by)) = given else { return Ok(None) };
    let value = text
        .parse()
        .map_err(|error| CliError::from(error).context(format!("`{by}` does not name a server")))?;
    Ok(Some(Decided { value, by: Some(by.to_owned()) }))
}

fn profile(global: &GlobalArgs, env: &Env) -> Option<Decided<String>> {
    let flag = global.profile.clone().filter(|name| !name.is_empty());
    let (value, by) =
        flag.map(|name| (name, "--profile")).or_else(|| env.get(&env_vars::PROFILE))?;
    Some(Decided { value, by: Some(by.to_owned()) })
}

fn token(global: &GlobalArgs, env: &Env) -> Option<Decided<SecretString>> {
    let flag = global.token.as_deref().map(str::trim);
    if let Some(token) = flag.filter(|token| !token.is_empty()) {
        return Some(Decided { value: token.into(), by: Some("--token".into()) });
    }
    let (token, by) =
        env.get(&env_vars::TOKEN).or_else(|| env.get(&env_vars::UNIVERSAL_AUTH_ACCESS_TOKEN))?;
    Some(Decided { value: token.into(), by: Some(by.to_owned()) })
}

#[cfg(test)]
mod tests;
