//! One array of objects on one line, in the compatible client's shape.

use kms_api::secrets::{Secret, Tag};
use secrecy::zeroize::Zeroizing;
use serde::Serialize;

/// One secret; the order of the fields is the order in the file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    key: &'a str,
    workspace: String,
    value: &'a str,
    r#type: &'a str,
    #[serde(rename = "_id")]
    id: String,
    secret_path: &'a str,
    tags: Option<Vec<RowTag<'a>>>,
    comment: &'a str,
    /// Always empty; readers of the shape may expect the field.
    #[serde(rename = "Etag")]
    etag: &'static str,
    skip_multiline_encoding: bool,
}

#[derive(Serialize)]
struct RowTag<'a> {
    id: String,
    name: &'a str,
    slug: &'a str,
    color: &'a str,
}

impl<'a> From<&'a Tag> for RowTag<'a> {
    fn from(tag: &'a Tag) -> Self {
        Self {
            id: tag.id.to_string(),
            name: &tag.name,
            slug: &tag.slug,
            color: tag.color.as_deref().unwrap_or_default(),
        }
    }
}

impl<'a> From<&'a Secret> for Row<'a> {
    fn from(secret: &'a Secret) -> Self {
        let tags = secret.tags.as_ref();
        Self {
            key: &secret.secret_key,
            workspace: secret.workspace.to_string(),
            value: secret.secret_value.expose(),
            r#type: &secret.r#type,
            id: secret.id.to_string(),
            secret_path: secret.secret_path.as_deref().unwrap_or_default(),
            tags: tags.map(|tags| tags.iter().map(RowTag::from).collect()),
            comment: &secret.secret_comment,
            etag: "",
            skip_multiline_encoding: secret.skip_multiline_encoding.unwrap_or_default(),
        }
    }
}

pub(super) fn write(secrets: &[&Secret]) -> Zeroizing<String> {
    let rows: Vec<Row<'_>> = secrets.iter().map(|secret| Row::from(*secret)).collect();
    let mut text = serde_json::to_string(&rows).expect("text and flags are always JSON");
    text.push('\n');
    Zeroizing::new(text)
}
