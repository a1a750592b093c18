//! `--tag`: slugs to the tags of the project.

use kms_api::{TagId, tags::CreateTag};
use kms_client::Client;

use crate::{
    Context,
    error::{CliError, ResultExt as _},
    selection::Place,
};

/// The tags of these slugs, in order; `None` where none is given. Those that the project does not
/// have are made, as by the compatible client.
pub(super) async fn resolve(
    slugs: &[String],
    client: &Client,
    place: &Place,
    context: &Context,
) -> Result<Option<Vec<(String, TagId)>>, CliError> {
    if slugs.is_empty() {
        return Ok(None);
    }
    let project = &place.project;
    let listed = client.list_tags(project).await;
    let listed = listed.context(format!("could not list the tags of `{project}`"))?.tags;
    let mut tags: Vec<(String, TagId)> = Vec::with_capacity(slugs.len());
    for slug in slugs {
        if tags.iter().any(|(known, _)| known == slug) {
            continue;
        }
        let id = if let Some(tag) = listed.iter().find(|tag| tag.slug == *slug) {
            tag.id
        } else {
            // What the contract has in the place of a colour.
            let color = Some(String::new());
            let body = CreateTag { slug: slug.clone(), color, name: None };
            let made = client.create_tag(project, &body).await;
            let made = made.context(format!("could not create the tag `{slug}`"))?.tag;
            context.ui.notice(&format!("Created the tag `{slug}`"));
            made.id
        };
        tags.push((slug.clone(), id));
    }
    Ok(Some(tags))
}
