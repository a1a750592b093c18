//! Which secrets a command is about: one grammar for `secrets`, `export` and `run`.

mod merge;
mod reader;
mod sources;

use clap::Args;
use kms_api::{
    secrets::{HIDDEN_VALUE, ListSecretsQuery, ProjectRef, Secret},
    service_tokens::Scope,
    wire::WireBool,
};
use kms_client::{Error as ClientError, Origin};

use crate::{Context, env_vars, error::CliError, offline, project_file::ProjectFile};

pub(crate) use merge::{listed, unique};
pub(crate) use reader::Reader;
pub(crate) use sources::Selection;

const ROOT: &str = "/";

/// Where secrets are.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PlaceArgs {
    /// Id of the project; `KMS_PROJECT_ID` or `INFISICAL_PROJECT_ID`, else the project file names it
    #[arg(long = "projectId", visible_alias = "project-id", value_name = "ID", global = true)]
    project_id: Option<String>,

    /// Slug of the environment [default: the project file's, else dev]
    #[arg(long, short = 'e', value_name = "SLUG", global = true)]
    env: Option<String>,

    /// Folder, or several as a comma list or by repeating it: a later one wins [default: /]
    #[arg(long, short = 'p', value_name = "PATH", value_delimiter = ',', global = true)]
    path: Vec<String>,
}

impl PlaceArgs {
    /// Says so when `--env` stands beside what names environments already.
    pub(crate) fn refuse_environment(&self, beside: &str) -> Result<(), CliError> {
        match self.env {
            Some(_) => Err(CliError::usage(format!("`--env` has no meaning beside {beside}"))),
            None => Ok(()),
        }
    }
}

/// How secrets are read.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ReadArgs {
    /// Include all folders below
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, value_name = "BOOL")]
    #[arg(default_missing_value = "true", hide_possible_values = true)]
    recursive: Option<bool>,

    /// Replace references such as `${prod.db.PASSWORD}` by what they refer to [default: true]
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, value_name = "BOOL")]
    #[arg(default_missing_value = "true", hide_possible_values = true)]
    expand: Option<bool>,

    /// Include imported secrets; the folder's own win [default: true]
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, value_name = "BOOL")]
    #[arg(default_missing_value = "true", hide_possible_values = true)]
    include_imports: Option<bool>,

    /// Let your personal values replace the shared ones [default: true]
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, value_name = "BOOL")]
    #[arg(default_missing_value = "true", hide_possible_values = true)]
    secret_overriding: Option<bool>,

    /// Only secrets with one of these tags, a comma list of slugs; may be repeated
    #[arg(long, short = 't', value_name = "TAGS", value_delimiter = ',', global = true)]
    tags: Vec<String>,

    #[command(flatten)]
    offline: offline::Flags,
}

impl ReadArgs {
    /// Reads secrets as they are stored: nothing expanded or imported.
    pub(crate) fn as_stored(personal: bool) -> Self {
        Self {
            recursive: Some(false),
            expand: Some(false),
            include_imports: Some(false),
            secret_overriding: Some(personal),
            ..Self::default()
        }
    }

    /// Says so when options for reading stand before a command that does not read.
    pub(crate) fn refuse(&self, command: &str) -> Result<(), CliError> {
        let given = [
            ("--recursive", self.recursive.is_some()),
            ("--expand", self.expand.is_some()),
            ("--include-imports", self.include_imports.is_some()),
            ("--secret-overriding", self.secret_overriding.is_some()),
            ("--tags", !self.tags.is_empty()),
        ];
        refuse_any(&given, command)?;
        self.refuse_copies(command)
    }

    /// As [`Self::refuse`], for what always asks the server.
    pub(crate) fn refuse_copies(&self, command: &str) -> Result<(), CliError> {
        refuse_any(&self.offline.given(), command)
    }

    /// As [`Self::refuse`], for a command that can read folders below.
    pub(crate) fn refuse_but_recursive(&self, command: &str) -> Result<(), CliError> {
        Self { recursive: None, ..self.clone() }.refuse(command)
    }

    /// Whether personal values replace the shared ones.
    fn takes_personal(&self) -> bool {
        self.secret_overriding != Some(false)
    }

    /// The comma list of the wire; none where only blanks were given.
    fn tag_slugs(&self) -> Option<String> {
        let slugs: Vec<&str> =
            self.tags.iter().map(|slug| slug.trim()).filter(|slug| !slug.is_empty()).collect();
        (!slugs.is_empty()).then(|| slugs.join(","))
    }

    /// Whether folders below are included.
    pub(crate) fn is_recursive(&self) -> bool {
        self.recursive == Some(true)
    }
}

fn refuse_any(given: &[(&str, bool)], command: &str) -> Result<(), CliError> {
    match given.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(CliError::usage(format!("`{flag}` has no meaning for `{command}`"))),
        None => Ok(()),
    }
}

/// A decided place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The project's id.
    pub(crate) project: String,
    /// The environment's slug.
    pub(crate) environment: String,
    /// The folders, at least one.
    pub(crate) paths: Vec<String>,
}

impl Place {
    /// Flag beats environment beats project file beats default.
    pub(crate) fn resolve(args: &PlaceArgs, context: &Context) -> Result<Self, CliError> {
        let settings = &context.settings;
        let project = settings.optional(args.project_id.as_deref(), &env_vars::PROJECT_ID);
        let is_decided = project.is_some() && args.env.is_some();
        if !is_decided && let Some(file) = settings.project_file()? {
            warn_about_domain(file, context);
        }
        Ok(Self {
            project: settings.project_id(project.as_deref())?,
            environment: settings.environment(args.env.as_deref())?,
            paths: match args.path.as_slice() {
                [] => vec![ROOT.to_owned()],
                paths => paths.iter().map(|path| folder_named(path)).collect::<Result<_, _>>()?,
            },
        })
    }

    /// As [`Self::resolve`], with a service token: its project is its own, and what else its command
    /// leaves out, as its server tells.
    async fn of_service_token(
        args: &PlaceArgs,
        read: &ReadArgs,
        context: &Context,
    ) -> Result<(Reader, Self), CliError> {
        let reader = Reader::new(read, context)?;
        let token = reader.client()?.own_service_token().await;
        let token = token.map_err(|error| {
            CliError::from(error).context("could not ask what the service token is good for")
        })?;
        let only = match token.scopes.as_slice() {
            [scope] => Some(scope),
            _ => None,
        };
        let folder_of = only.filter(|scope| is_folder(&scope.secret_path));
        // Its server would read the one folder, whatever is named.
        if let Some(scope) = folder_of {
            let other_env = args.env.as_ref().is_some_and(|env| *env != scope.environment);
            let other_path = args.path.iter().any(|path| !is_same(path, &scope.secret_path));
            if other_env || other_path {
                let Scope { environment, secret_path } = scope;
                let what =
                    format!("the service token is good for `{environment}:{secret_path}` alone");
                return Err(CliError::denied(what).hint("leave `--env` and `--path` out"));
            }
        }
        let of_token = PlaceArgs {
            project_id: Some(token.project_id.to_string()),
            env: args.env.clone().or_else(|| Some(only?.environment.clone())),
            path: match (args.path.as_slice(), folder_of) {
                ([], Some(scope)) => vec![scope.secret_path.clone()],
                (paths, _) => paths.to_vec(),
            },
        };
        Ok((reader, Self::resolve(&of_token, context)?))
    }

    /// The only folder, for commands that work in one.
    pub(crate) fn path(&self) -> Result<&str, CliError> {
        match self.paths.as_slice() {
            [path] => Ok(path),
            _ => Err(CliError::usage("only one `--path` can be given here")),
        }
    }

    /// Explains why a call about a folder failed, and what to type about it.
    pub(crate) fn explain(&self, doing: &str, path: &str, error: ClientError) -> CliError {
        let said = error.to_string().to_lowercase();
        let is_missing = matches!(error.status(), Some(400 | 404)) && said.contains("not found");
        let mut error = CliError::from(error).context(format!(
            "could not {doing} `{path}` of `{}` in the project `{}`",
            self.environment, self.project
        ));
        if is_missing && said.contains("project") {
            error = error.hint("the projects that you may see: `kms projects list`");
        } else if is_missing && (said.contains("folder") || said.contains("environment")) {
            let project = shell_word(&self.project);
            let environment = shell_word(&self.environment);
            error = error
                .hint(format!("its environments: `kms environments list --projectId {project}`"))
                .hint(format!(
                    "its folders: `kms secrets folders get --projectId {project} \
                     --env {environment} --recursive`"
                ));
        }
        error
    }
}

/// Whether a path of a scope is one folder, and no pattern.
fn is_folder(path: &str) -> bool {
    !path.contains(|character| "*?[]{}()!+@|\\".contains(character))
}

fn is_same(path: &str, other: &str) -> bool {
    path.trim_matches('/') == other.trim_matches('/')
}

fn folder_named(path: &str) -> Result<String, CliError> {
    match path.trim() {
        "" => Err(CliError::usage("`--path` names an empty folder").hint("the root folder is `/`")),
        path => Ok(path.to_owned()),
    }
}

/// A repository must not choose where credentials go, so its server is only reported (L8).
fn warn_about_domain(file: &ProjectFile, context: &Context) {
    let Some(domain) = &file.domain else { return };
    let origin = &context.settings.origin.value;
    if !domain.parse().is_ok_and(|named: Origin| named.is_same_server(origin)) {
        context.ui.warn(&format!(
            "`{}` names the server `{domain}`, which is not called; this is `{origin}`. To call \
             it, pass `--domain`",
            file.path.display()
        ));
    }
}

/// The query for one folder.
pub(crate) fn query(place: &Place, path: &str, read: &ReadArgs) -> ListSecretsQuery {
    let switch = |given: Option<bool>, default| Some(WireBool(given.unwrap_or(default)));
    ListSecretsQuery {
        project: ProjectRef::id(&place.project),
        environment: Some(place.environment.clone()),
        secret_path: Some(path.to_owned()),
        recursive: switch(read.recursive, false),
        expand_secret_references: switch(read.expand, true),
        include_imports: switch(read.include_imports, true),
        include_personal_overrides: switch(read.secret_overriding, true),
        tag_slugs: read.tag_slugs(),
        ..ListSecretsQuery::default()
    }
}

/// Reads every folder of a place, one request each, in their order.
///
/// Whatever reads secrets to hand them on comes through a [`Reader`], so that copies have one place
/// to stand in.
pub(crate) async fn fetch(
    reader: &Reader,
    place: &Place,
    read: &ReadArgs,
) -> Result<Vec<Secret>, CliError> {
    let mut secrets = Vec::new();
    for path in &place.paths {
        let explain = |error| place.explain("read the secrets in", path, error);
        let answer = reader.list(&query(place, path, read), explain).await?;
        secrets.extend(listed(answer, read.takes_personal()));
    }
    Ok(secrets)
}

/// Refuses to hand on the text that stands for a value one may not read.
pub(crate) fn require_values<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
) -> Result<(), CliError> {
    let hidden: Vec<String> = secrets
        .into_iter()
        .filter(|secret| is_hidden(secret))
        .map(|secret| format!("`{}`", secret.secret_key))
        .collect();
    if hidden.is_empty() {
        return Ok(());
    }
    Err(CliError::denied(format!("you may not read the value of {}", hidden.join(", "))))
}

/// Whether the server kept the value back.
pub(crate) fn is_hidden(secret: &Secret) -> bool {
    secret.secret_value_hidden && secret.secret_value.expose() == HIDDEN_VALUE
}

/// Quotes a word for a command that is suggested, where it needs it.
pub(crate) fn shell_word(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@%+,=".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_words_are_quoted_where_a_shell_would_read_more() {
        assert_eq!(shell_word("dev"), "dev");
        assert_eq!(shell_word("/a/b-c"), "/a/b-c");
        assert_eq!(shell_word("x; rm 'y'"), "'x; rm '\\''y'\\'''");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn tags_are_one_comma_list_without_blanks() {
        let tags = |tags: &[&str]| {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            ReadArgs { tags, ..ReadArgs::default() }.tag_slugs()
        };
        assert_eq!(tags(&[]), None);
        assert_eq!(tags(&[" ", ""]), None);
        assert_eq!(tags(&["a", " b"]), Some("a,b".to_owned()));
    }

    #[test]
    fn options_for_reading_are_refused_where_nothing_is_read() {
        let args = ReadArgs { expand: Some(false), ..ReadArgs::default() };
        let error = args.refuse("secrets set").unwrap_err();
        assert_eq!(error.source.to_string(), "`--expand` has no meaning for `secrets set`");
        assert!(ReadArgs::default().refuse("secrets set").is_ok());
    }
}
