//! `kms secrets set`.

use std::{collections::HashMap, path::PathBuf};

use clap::ValueEnum;
use kms_api::{
    SecretValue,
    secrets::{BatchBody, BatchItem, CreateSecret, ProjectRef, Secret, SecretFields, UpdateSecret},
};
use kms_client::{Client, Error as ClientError};

use super::{
    Common,
    rows::{self, Form, Row},
};
use crate::{
    Context,
    error::CliError,
    input::{self, Assignment, InputError, Source},
    process,
    selection::{self, Place, ReadArgs},
};

const MASK: &str = "******";
const CREATED: &str = "SECRET CREATED";
const MODIFIED: &str = "SECRET VALUE MODIFIED";
const UNCHANGED: &str = "SECRET VALUE UNCHANGED";

/// Create secrets or change their values
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// `NAME=VALUE`; `NAME=@FILE` takes a file's content, `NAME=@-` standard input, `NAME=\@TEXT`
    /// the text with its `@`
    #[arg(value_name = "NAME=VALUE", required_unless_present = "file", conflicts_with = "file")]
    assignments: Vec<String>,

    /// Read names and values from a file: a YAML map (.yaml, .yml) or dotenv lines
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Whose value it is
    #[arg(long, value_enum, default_value_t = Type::Shared)]
    r#type: Type,

    /// Print the values that were written
    #[arg(long)]
    show_values: bool,
}

/// Whose value a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Type {
    /// Everybody's
    Shared,
    /// Your own, in place of the shared one; not for machine identities
    Personal,
}

impl Type {
    pub(super) fn wire(self) -> String {
        match self {
            Self::Shared => "shared".to_owned(),
            Self::Personal => "personal".to_owned(),
        }
    }
}

impl From<InputError> for CliError {
    fn from(error: InputError) -> Self {
        Self::usage(error)
    }
}

/// What is to be done about an assignment.
struct Change {
    assignment: Assignment,
    operation: &'static str,
}

pub(super) async fn run(args: Args, common: &Common, context: &Context) -> Result<(), CliError> {
    common.read.refuse("secrets set")?;
    let form = Form::decide(common, context)?;
    let assignments = gather(&args, context)?;
    warn_about_names(&assignments, context);
    let place = Place::resolve(&common.place, context)?;
    let path = place.path()?;
    let client = context.settings.client()?;
    let existing = existing(&client, &place, path, args.r#type).await?;
    let changes: Vec<Change> = assignments
        .into_iter()
        .map(|assignment| Change { operation: operation(&assignment, &existing), assignment })
        .collect();
    let write = Write { client: &client, place: &place, path };
    let stored = match args.r#type {
        Type::Shared => write.batches(&changes).await?,
        Type::Personal => write.one_by_one(&changes).await?,
    };
    warn_about_trimming(&changes, &stored, context);
    report(form, &changes, args.show_values, context)
}

fn gather(args: &Args, context: &Context) -> Result<Vec<Assignment>, CliError> {
    if let Some(file) = &args.file {
        return Ok(input::read_file(file)?);
    }
    let mut assignments = Vec::with_capacity(args.assignments.len());
    let mut shown = false;
    for (position, argument) in args.assignments.iter().enumerate() {
        let (name, source) = input::parse_argument(position + 1, argument)?;
        let value = match source {
            Source::Argument(value) => {
                shown |= !value.expose().is_empty();
                value
            }
            Source::File(path) => SecretValue::from(input::read_text(&path)?.as_str()),
        };
        assignments.push(Assignment { name, value });
    }
    if shown {
        context.ui.notice(
            "A value in an argument shows in the process list and in the shell's history; \
             `NAME=@FILE`, `NAME=@-` and `--file` do not show it",
        );
    }
    Ok(input::last_of_each(assignments))
}

fn warn_about_names(assignments: &[Assignment], context: &Context) {
    for Assignment { name, .. } in assignments {
        if process::is_dangerous(name) {
            context.ui.warn(&format!(
                "`{name}` decides what code programs load or start; `kms run` refuses it unless \
                 it is told `--allow-dangerous-name {}`",
                selection::shell_word(name)
            ));
        }
    }
}

/// The secrets of that type in the folder, as they are stored: nothing expanded or imported.
async fn existing(
    client: &Client,
    place: &Place,
    path: &str,
    r#type: Type,
) -> Result<HashMap<String, Secret>, CliError> {
    let read = ReadArgs::as_stored(r#type == Type::Personal);
    let query = selection::query(place, path, &read);
    let answer = client.list_secrets(&query).await;
    let answer = answer.map_err(|error| place.explain("read the secrets in", path, error))?;
    let wire = r#type.wire();
    let of_type = answer.secrets.into_iter().filter(|secret| secret.r#type == wire);
    Ok(of_type.map(|secret| (secret.secret_key.clone(), secret)).collect())
}

fn operation(assignment: &Assignment, existing: &HashMap<String, Secret>) -> &'static str {
    match existing.get(&assignment.name) {
        None => CREATED,
        Some(secret)
            if !secret.secret_value_hidden
                && secret.secret_value.expose() == assignment.value.expose() =>
        {
            UNCHANGED
        }
        Some(_) => MODIFIED,
    }
}

/// Where to write.
struct Write<'a> {
    client: &'a Client,
    place: &'a Place,
    path: &'a str,
}

impl Write<'_> {
    /// One request creates all that are new, one changes all that differ; each is all or nothing.
    async fn batches(&self, changes: &[Change]) -> Result<Vec<Secret>, CliError> {
        let mut stored = Vec::new();
        let created = self.body(changes, CREATED);
        if !created.secrets.is_empty() {
            let answer = self.client.create_secrets(&created).await;
            stored.extend(answer.map_err(|error| self.explain(error))?.secrets);
        }
        let modified = self.body(changes, MODIFIED);
        if !modified.secrets.is_empty() {
            let answer = self.client.update_secrets(&modified).await;
            let answer = answer.map_err(|error| {
                let error = self.explain(error);
                if created.secrets.is_empty() {
                    error
                } else {
                    error.hint("the new secrets were created, none of the others was changed")
                }
            });
            stored.extend(answer?.secrets);
        }
        Ok(stored)
    }

    fn body(&self, changes: &[Change], operation: &str) -> BatchBody {
        let wanted = changes.iter().filter(|change| change.operation == operation);
        BatchBody {
            project: ProjectRef::id(&self.place.project),
            environment: Some(self.place.environment.clone()),
            secret_path: Some(self.path.to_owned()),
            mode: None,
            secrets: wanted
                .map(|change| BatchItem {
                    secret_key: change.assignment.name.clone(),
                    fields: fields(&change.assignment),
                    ..BatchItem::default()
                })
                .collect(),
        }
    }

    /// Batches know no personal values, so each takes a request.
    async fn one_by_one(&self, changes: &[Change]) -> Result<Vec<Secret>, CliError> {
        let mut stored = Vec::new();
        for Change { assignment, operation } in changes {
            let secret = CreateSecret {
                project: ProjectRef::id(&self.place.project),
                environment: Some(self.place.environment.clone()),
                secret_path: Some(self.path.to_owned()),
                r#type: Some(Type::Personal.wire()),
                fields: fields(assignment),
            };
            let answer = match *operation {
                CREATED => self.client.create_secret(&assignment.name, &secret).await,
                MODIFIED => {
                    let body = UpdateSecret { secret, new_secret_name: None };
                    self.client.update_secret(&assignment.name, &body).await
                }
                _ => continue,
            };
            stored.push(answer.map_err(|error| self.explain(error))?.secret);
        }
        Ok(stored)
    }

    fn explain(&self, error: ClientError) -> CliError {
        self.place.explain("write secrets in", self.path, error)
    }
}

fn fields(assignment: &Assignment) -> SecretFields {
    SecretFields { secret_value: Some(assignment.value.clone()), ..SecretFields::default() }
}

/// Servers of the contract trim values; whoever needs the blanks must hear of it.
fn warn_about_trimming(changes: &[Change], stored: &[Secret], context: &Context) {
    for secret in stored {
        let sent = changes.iter().find(|change| change.assignment.name == secret.secret_key);
        let is_trimmed = sent.is_some_and(|change| {
            let (sent, kept) = (change.assignment.value.expose(), secret.secret_value.expose());
            sent != kept && sent.trim() == kept.trim()
        });
        if is_trimmed {
            context.ui.warn(&format!(
                "the server stored `{}` without the white space around its value",
                secret.secret_key
            ));
        }
    }
}

fn report(
    form: Form,
    changes: &[Change],
    show_values: bool,
    context: &Context,
) -> Result<(), CliError> {
    let value = |change: &Change| {
        if show_values { change.assignment.value.clone() } else { SecretValue::from(MASK) }
    };
    let row = |change: &Change| Row {
        operation: Some(change.operation),
        ..Row::new(&change.assignment.name, value(change))
    };
    let rows: Vec<Row> = changes.iter().map(row).collect();
    match form {
        Form::Structured(structured) => structured.print(&rows, context),
        Form::Dotenv => rows::print_dotenv(&rows, context),
        Form::Table => {
            let cells = changes.iter().map(|change| {
                let name = change.assignment.name.clone();
                vec![name, value(change).expose().to_owned(), change.operation.to_owned()]
            });
            let headers = ["secret name", "secret value", "status"];
            context.ui.table(&headers, cells.collect())
        }
    }
}
