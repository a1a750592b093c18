//! `kms export`.

use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf};

use crate::{
    Context,
    error::{CliError, ResultExt as _},
    formats::{self, Format, Refused, Rendered},
    private_file, process,
    selection::{self, Place, PlaceArgs, ReadArgs},
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
    let (client, place) = Place::to_read(&args.place, None, context).await?;
    let secrets = selection::fetch(&client, &place, &args.read).await?;
    let secrets = selection::unique(secrets);
    selection::require_values(&secrets)?;
    let rendered = formats::render(args.format, &secrets)?;
    warn(args.format, &rendered, &secrets, context);
    let Some(file) = &args.output_file else {
        return context.ui.raw(rendered.text.as_bytes());
    };
    let file = resolve(file, args.format, std::env::home_dir().as_deref());
    private_file::replace(&file, rendered.text.as_bytes())
        .context(format!("could not write `{}`", file.display()))?;
    context.ui.notice(&format!("Wrote {} secrets to `{}`", secrets.len(), file.display()));
    Ok(())
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
    if format == Format::DotenvExport && !dangerous.is_empty() {
        context.ui.warn(&format!(
            "where this is sourced, {} will decide what code programs load or start",
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
