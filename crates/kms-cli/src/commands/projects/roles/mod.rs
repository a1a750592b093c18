//! `kms projects roles`.

mod create;
mod delete;
mod list;
mod show;
mod update;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use kms_api::roles::ProjectRole;
use serde_json::Value;

use crate::{
    Context,
    cli::ProjectArg,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// No role is larger; what is, is the wrong file.
const MAX_BYTES: u64 = 1024 * 1024;

/// Work with the roles of a project
#[derive(Debug, clap::Subcommand)]
pub enum Roles {
    List(list::Args),
    Show(show::Args),
    Create(create::Args),
    Update(update::Args),
    Delete(delete::Args),
}

pub(super) async fn run(command: Roles, context: &Context) -> Result<(), CliError> {
    match command {
        Roles::List(args) => list::run(args, context).await,
        Roles::Show(args) => show::run(args, context).await,
        Roles::Create(args) => create::run(args, context).await,
        Roles::Update(args) => update::run(args, context).await,
        Roles::Delete(args) => delete::run(args, context).await,
    }
}

/// One role of a project.
#[derive(clap::Args, Debug)]
struct RoleArg {
    /// Slug of the role
    #[arg(value_name = "SLUG")]
    slug: String,

    #[command(flatten)]
    project: ProjectArg,
}

/// What a role is called, and what it allows.
#[derive(clap::Args, Debug)]
struct Described {
    /// Name for people
    #[arg(long)]
    name: Option<String>,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// File with its rules as JSON: a list of rules, or an object with `permissions`; `-` for
    /// standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// What a file says about a role.
#[derive(Default)]
struct Said {
    slug: Option<String>,
    name: Option<String>,
    description: Option<String>,
    permissions: Option<Vec<Value>>,
}

impl Described {
    /// Reads the file, if there is one; what is said on the command line wins.
    fn read(self) -> Result<Said, CliError> {
        let mut read = self.file.as_deref().map(read_file).transpose()?.unwrap_or_default();
        read.name = self.name.or(read.name);
        read.description = self.description.or(read.description);
        Ok(read)
    }
}

fn read_file(path: &Path) -> Result<Said, CliError> {
    let doing = || format!("could not read the rules from `{}`", path.display());
    let text = if path == Path::new("-") {
        text_of(io::stdin().lock())
    } else {
        File::open(path).map_err(CliError::usage).and_then(text_of)
    };
    text.and_then(|text| parse(&text)).context(doing())
}

fn text_of(source: impl Read) -> Result<String, CliError> {
    let mut text = String::new();
    source.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(CliError::usage)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(CliError::usage("it is too long for a role"));
    }
    Ok(text)
}

fn parse(text: &str) -> Result<Said, CliError> {
    let shape =
        || CliError::usage("it is neither a list of rules nor an object with `permissions`");
    match serde_json::from_str(text).map_err(CliError::usage)? {
        Value::Array(permissions) => Ok(Said { permissions: Some(permissions), ..Said::default() }),
        Value::Object(mut fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
            let (slug, name, description) = (text("slug"), text("name"), text("description"));
            let Some(Value::Array(permissions)) = fields.remove("permissions") else {
                return Err(shape());
            };
            Ok(Said { slug, name, description, permissions: Some(permissions) })
        }
        _ => Err(shape()),
    }
}

fn print_one(context: &Context, output: Output, role: &ProjectRole) -> Result<(), CliError> {
    print(context, output, role, std::slice::from_ref(role))
}

fn print(
    context: &Context,
    output: Output,
    json: &(impl serde::Serialize + ?Sized),
    roles: &[ProjectRole],
) -> Result<(), CliError> {
    if output == Output::Json {
        return context.ui.json(json);
    }
    let row = |role: &ProjectRole| {
        let description = role.description.clone().unwrap_or_default();
        vec![role.slug.clone(), role.name.clone(), description, role.id.to_string()]
    };
    context.ui.table(&["slug", "name", "description", "id"], roles.iter().map(row).collect())
}
