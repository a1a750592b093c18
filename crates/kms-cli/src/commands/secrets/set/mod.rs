//! `kms secrets set`.

mod change;
mod gather;
mod tags;
mod write;

use std::{collections::HashMap, path::PathBuf};

use clap::ValueEnum;
use kms_api::{SecretValue, secrets::Secret};
use kms_client::Client;

use self::{
    change::{Change, Marks},
    write::Write,
};
use super::{
    Common,
    rows::{self, Form, Row},
};
use crate::{
    Context,
    error::CliError,
    process,
    selection::{self, Place, ReadArgs},
    ui,
};

const MASK: &str = "******";

/// Create secrets or change their values
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// `NAME` alone asks for the value, `NAME -` reads it from standard input; `NAME=VALUE`, where
    /// `NAME=@FILE` takes a file's content, `NAME=@-` standard input, `NAME=\@TEXT` the text with its
    /// `@`
    #[arg(value_name = "NAME=VALUE", required_unless_present = "file", conflicts_with = "file")]
    assignments: Vec<String>,

    /// Read names and values from a file: a YAML map (.yaml, .yml) or dotenv lines
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Whose value it is
    #[arg(long, value_enum, default_value_t = Type::Shared)]
    r#type: Type,

    /// Slug of a tag that the secrets get; may be repeated, and replaces the tags they have
    #[arg(id = "tag", long = "tag", value_name = "SLUG")]
    tags: Vec<String>,

    /// Comment on the secrets; an empty one removes it
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,

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

pub(super) async fn run(args: Args, common: &Common, context: &Context) -> Result<(), CliError> {
    common.read.refuse("secrets set")?;
    if args.r#type == Type::Personal && !args.tags.is_empty() {
        return Err(CliError::usage("a personal value has no tags of its own")
            .hint("set the tags with the shared value: without `--type personal`"));
    }
    let form = Form::decide(common, context)?;
    let place = Place::resolve(&common.place, context)?;
    let path = place.path()?;
    let client = context.settings.client()?;
    let assignments = gather::gather(&args, &place, path, context).await?;
    for assignment in &assignments {
        warn_about_name(&assignment.name, context);
    }
    let existing = existing(&client, &place, path, args.r#type).await?;
    let marks = Marks {
        comment: args.comment,
        tags: tags::resolve(&args.tags, &client, &place, context).await?,
    };
    let changes: Vec<Change> = assignments
        .into_iter()
        .map(|assignment| Change::new(assignment, &existing, &marks))
        .collect();
    let write = Write { client: &client, place: &place, path, marks: &marks };
    let stored = match args.r#type {
        Type::Shared => write.batches(&changes).await?,
        Type::Personal => write.one_by_one(&changes).await?,
    };
    warn_about_trimming(&changes, &stored, context);
    report(form, &changes, args.show_values, context)
}

/// Says that a name does more than to name a value (attack R3).
pub(super) fn warn_about_name(name: &str, context: &Context) {
    if process::is_dangerous(name) {
        context.ui.warn(&format!(
            "`{name}` decides what code programs load or start; `kms run` refuses it unless it \
             is told `--allow-dangerous-name {}`",
            selection::shell_word(name)
        ));
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

/// Servers of the contract trim values; whoever needs the blanks must hear of it.
fn warn_about_trimming(changes: &[Change], stored: &[Secret], context: &Context) {
    for secret in stored {
        let sent = changes.iter().find(|change| change.assignment.name == secret.secret_key);
        let is_trimmed = sent.is_some_and(|change| {
            let (sent, kept) = (change.assignment.value.expose(), secret.secret_value.expose());
            !secret.secret_value_hidden && sent != kept && sent.trim() == kept.trim()
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
                let name = ui::escape_line(&change.assignment.name);
                vec![name, value(change).expose().to_owned(), change.operation.to_owned()]
            });
            let headers = ["secret name", "secret value", "status"];
            context.ui.table(&headers, cells.collect())
        }
    }
}
