//! `kms secrets tags`.

use kms_api::{
    TagId,
    tags::{CreateTag, ProjectTag},
};
use serde::Serialize;

use super::{
    Common,
    rows::{Form, Structured},
};
use crate::{
    Context,
    cli::ConfirmArg,
    error::{CliError, ResultExt as _},
    selection::Place,
};

/// Work with the tags of a project
#[derive(Debug, clap::Subcommand)]
pub(super) enum Tags {
    /// List the tags of the project
    #[command(visible_alias = "get")]
    List,
    /// Create a tag
    Create(CreateArgs),
    /// Delete a tag, also from every secret that has it
    Delete(DeleteArgs),
}

#[derive(clap::Args, Debug)]
pub(super) struct CreateArgs {
    /// Slug by which commands and rules name it: lower-case letters, digits and hyphens
    #[arg(value_name = "SLUG")]
    slug: String,

    /// Name; the slug when left out
    #[arg(long)]
    name: Option<String>,

    /// Colour, such as `#2d7dd2`
    #[arg(long)]
    color: Option<String>,
}

#[derive(clap::Args, Debug)]
pub(super) struct DeleteArgs {
    /// Slug of the tag
    #[arg(value_name = "SLUG")]
    slug: String,

    #[command(flatten)]
    confirm: ConfirmArg,
}

/// One tag in an answer.
#[derive(Serialize)]
struct Row {
    id: TagId,
    slug: String,
    name: String,
    color: String,
}

impl From<ProjectTag> for Row {
    fn from(tag: ProjectTag) -> Self {
        let ProjectTag { id, slug, name, color, .. } = tag;
        Self { id, slug, name, color: color.unwrap_or_default() }
    }
}

pub(super) async fn run(command: Tags, common: &Common, context: &Context) -> Result<(), CliError> {
    let structured = Form::decide(common, context)?.structured()?;
    common.read.refuse("secrets tags")?;
    let project = Place::resolve(&common.place, context)?.project;
    let client = context.settings.client()?;
    match command {
        Tags::List => {
            let answer = client.list_tags(&project).await;
            let tags = answer.context(format!("could not list the tags of `{project}`"))?.tags;
            print(tags.into_iter().map(Row::from).collect(), structured, context)
        }
        Tags::Create(args) => {
            let doing = format!("could not create the tag `{}`", args.slug);
            let body = CreateTag {
                slug: args.slug,
                // What the contract has in the place of none.
                color: Some(args.color.unwrap_or_default()),
                name: args.name,
            };
            let tag = client.create_tag(&project, &body).await.context(doing)?.tag;
            print(vec![Row::from(tag)], structured, context)
        }
        Tags::Delete(args) => {
            let what = format!("the tag `{}` of the project `{project}`", args.slug);
            context.ui.confirm_deletion(&what, args.confirm.yes)?;
            let doing = format!("could not delete the tag `{}`", args.slug);
            let found = client.get_tag_by_slug(&project, &args.slug).await;
            let found = found.context(doing.clone())?.tag;
            let tag = client.delete_tag(&project, found.id).await.context(doing)?.tag;
            if structured.is_some() {
                return print(vec![Row::from(tag)], structured, context);
            }
            context.ui.notice(&format!("Deleted the tag `{}`", args.slug));
            Ok(())
        }
    }
}

fn print(
    rows: Vec<Row>,
    structured: Option<Structured>,
    context: &Context,
) -> Result<(), CliError> {
    if let Some(structured) = structured {
        return structured.print(&rows, context);
    }
    let cells = rows.into_iter().map(|row| vec![row.id.to_string(), row.slug, row.name, row.color]);
    context.ui.table(&["tag id", "slug", "name", "color"], cells.collect())
}
