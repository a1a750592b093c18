//! `kms export`.

use std::{
    fs::File,
    io::Read as _,
    path::{MAIN_SEPARATOR_STR, Path, PathBuf},
};

use kms_api::{
    secrets::{ListSecretsQuery, ProjectRef, Secret},
    wire::WireBool,
};
use secrecy::zeroize::Zeroizing;
use tokio::runtime::Handle;

use crate::{
    Context,
    error::{CliError, ResultExt as _},
    formats::{self, Format, Options, Refused, Rendered, kubernetes},
    private_file, process,
    selection::{self, PlaceArgs, ReadArgs, Reader, Selection},
    template::{self, Asked, MAX_TEMPLATE},
};

/// Write secrets in a format that other programs read
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    place: PlaceArgs,

    #[command(flatten)]
    read: ReadArgs,

    /// How to write them
    #[arg(long, short, value_enum, ignore_case = true, default_value_t = Format::Dotenv)]
    format: Format,

    /// Write to this file, which only you may read; in a directory, to one named by the format
    #[arg(long, short, value_name = "FILE")]
    output_file: Option<PathBuf>,

    /// Write what a template in the language of Go makes of secrets that it asks for by itself
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "name", "namespace"])]
    template: Option<PathBuf>,

    /// With `--format kubernetes`: name of the Secret [default: kms-secrets]
    #[arg(long, value_name = "NAME", value_parser = kubernetes::name)]
    name: Option<String>,

    /// With `--format kubernetes`: namespace of the Secret
    #[arg(long, value_name = "NAME", value_parser = kubernetes::name)]
    namespace: Option<String>,
}

impl From<Refused> for CliError {
    fn from(refused: Refused) -> Self {
        let hint = "nothing was written; `--format json` and `--format yaml` carry every name and \
                    value";
        Self::failed(refused).hint(hint)
    }
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    if context.settings.output.is_some() {
        return Err(CliError::usage("`--output` has no meaning for `export`")
            .hint("use `--format` for how and `--output-file` for where to write"));
    }
    if let Some(template) = &args.template {
        let text = from_template(template, &args.read, context).await?;
        return write(&args, &text, None, context);
    }
    let options = args.options()?;
    let (reader, chosen) = Selection::to_read(&args.place, &args.read, context).await?;
    let secrets = selection::unique(chosen.fetch(&reader).await?);
    selection::require_values(&secrets)?;
    let rendered = formats::render_with(args.format, &secrets, options)?;
    warn(args.format, &rendered, &secrets, context);
    write(&args, &rendered.text, Some(secrets.len()), context)
}

/// Writes the text to where it shall go.
fn write(args: &Args, text: &str, count: Option<usize>, context: &Context) -> Result<(), CliError> {
    let Some(file) = &args.output_file else {
        return match (args.format, count) {
            (Format::Json, Some(_)) => context.ui.json_text(text),
            _ => context.ui.text(text),
        };
    };
    let file = match count {
        Some(_) => resolve(file, args.format, std::env::home_dir().as_deref()),
        None => file.clone(),
    };
    private_file::replace(&file, text.as_bytes())
        .context(format!("could not write `{}`", file.display()))?;
    let what = count.map_or_else(|| "the template".into(), |count| format!("{count} secrets"));
    context.ui.notice(&format!("Wrote {what} to `{}`", file.display()));
    Ok(())
}

/// What a template makes of the secrets that it asks for.
async fn from_template(
    file: &Path,
    read: &ReadArgs,
    context: &Context,
) -> Result<Zeroizing<String>, CliError> {
    let named = format!("could not use the template `{}`", file.display());
    let text = read_template(file).context(named.clone())?;
    let reader = Asking { reader: Reader::new(read, context)?, runtime: Handle::current() };
    // What is asked for is known only while the template is evaluated, which waits for the answers.
    let rendered = tokio::task::spawn_blocking(move || template::render(&text, &reader)).await;
    rendered.map_err(CliError::internal)?.context(named)
}

fn read_template(file: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    File::open(file)?.take(MAX_TEMPLATE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_TEMPLATE {
        return Err(CliError::usage("it is larger than 1 MiB"));
    }
    Ok(text)
}

/// Reads what a template asks for.
struct Asking {
    reader: Reader,
    runtime: Handle,
}

impl template::Source for Asking {
    fn list(&self, asked: Asked<'_>) -> Result<Vec<Secret>, CliError> {
        self.runtime.block_on(async {
            let project = match asked.project {
                template::Project::Id(id) => id.to_owned(),
                template::Project::Slug(slug) => {
                    self.reader.client()?.get_project_by_slug(slug).await?.id.to_string()
                }
            };
            let query = ListSecretsQuery {
                project: ProjectRef::id(project),
                environment: Some(asked.environment.to_owned()),
                secret_path: Some(asked.path.to_owned()),
                recursive: Some(WireBool(asked.recursive)),
                expand_secret_references: Some(WireBool(asked.expand)),
                include_imports: Some(WireBool(true)),
                ..ListSecretsQuery::default()
            };
            let answer = self.reader.list(&query, CliError::from).await?;
            let secrets = selection::unique(selection::listed(answer, false));
            selection::require_values(&secrets)?;
            Ok(secrets)
        })
    }
}

impl Args {
    /// What the format has to know.
    fn options(&self) -> Result<Options<'_>, CliError> {
        let named = self.name.is_some() || self.namespace.is_some();
        if named && self.format != Format::Kubernetes {
            let text = "`--name` and `--namespace` are of the Secret of `--format kubernetes`";
            return Err(CliError::usage(text));
        }
        let mut options = Options::default();
        if let Some(name) = &self.name {
            options.object.name = name;
        }
        options.object.namespace = self.namespace.as_deref();
        Ok(options)
    }
}

fn warn(
    format: Format,
    rendered: &Rendered,
    secrets: &[kms_api::secrets::Secret],
    context: &Context,
) {
    if !rendered.shell_only.is_empty() {
        context.ui.warn(&format!(
            "dotenv readers disagree about these values, which are written for a shell: {}; \
             other readers need `--format json`",
            list(rendered.shell_only.iter())
        ));
    }
    let names = secrets.iter().map(|secret| &secret.secret_key);
    let dangerous: Vec<&String> = names.filter(|name| process::is_dangerous(name)).collect();
    if format.sets_variables() && !dangerous.is_empty() {
        context.ui.warn(&format!(
            "where this is read, {} will decide what code programs load or start",
            list(dangerous.into_iter())
        ));
    }
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The file that is meant: a leading `~` is the home directory, a directory gets a file named by
/// the format, a new file without an extension gets the format's.
fn resolve(given: &Path, format: Format, home: Option<&Path>) -> PathBuf {
    let path = match (given.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => given.to_owned(),
    };
    let is_directory = path.is_dir() || given.to_string_lossy().ends_with(MAIN_SEPARATOR_STR);
    if is_directory {
        return path.join(format.file_name());
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let has_extension = name.is_some_and(|name| name.contains('.'));
    if has_extension || path.symlink_metadata().is_ok() {
        return path;
    }
    let extension = format.file_name().rsplit('.').next().unwrap_or_default();
    path.with_extension(extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_follows_the_rules_of_the_compatible_client() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        let resolve = |given: &Path, format| resolve(given, format, Some(home));
        assert_eq!(resolve(home, Format::Json), home.join("secrets.json"));
        assert_eq!(resolve(home, Format::DotenvExport), home.join(".env"));
        assert_eq!(resolve(Path::new("~/x"), Format::Yaml), home.join("x.yaml"));
        assert_eq!(resolve(&home.join("x"), Format::Dotenv), home.join("x.env"));
        assert_eq!(resolve(&home.join(".env"), Format::Json), home.join(".env"));
        assert_eq!(resolve(&home.join("a.b"), Format::Csv), home.join("a.b"));
        assert_eq!(resolve(&home.join("new/"), Format::Csv), home.join("new/secrets.csv"));
        std::fs::write(home.join("there"), "").unwrap();
        assert_eq!(resolve(&home.join("there"), Format::Csv), home.join("there"));
    }
}
