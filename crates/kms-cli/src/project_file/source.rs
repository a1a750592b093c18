//! `sources`: the places that commands read, where it is not only one.

use serde_json::Value;

use super::fields::Fields;

const FIELDS: [&str; 6] =
    ["projectId", "workspaceId", "environment", "path", "recursive", "includeImports"];

/// A place, and how it is read. What is left out is taken from the file, else from the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The project's id (`projectId` or `workspaceId`).
    pub project: Option<String>,
    /// The environment's slug (`environment`).
    pub environment: Option<String>,
    /// The folder (`path`).
    pub path: Option<String>,
    /// Whether folders below are included (`recursive`).
    pub recursive: Option<bool>,
    /// Whether imported secrets are included (`includeImports`).
    pub include_imports: Option<bool>,
}

/// Reads the list.
pub(super) fn read(fields: &Fields<'_>) -> Result<Vec<Source>, String> {
    match fields.value("sources") {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => {
            let named = list.iter().enumerate();
            named.map(|(at, value)| source(value, &format!("sources[{at}]"))).collect()
        }
        Some(_) => Err("`sources` must be a list".to_owned()),
    }
}

fn source(value: &Value, at: &str) -> Result<Source, String> {
    let fields = Fields::of(value, at)?;
    fields.allow(&FIELDS)?;
    let (ours, compatible) = (fields.text("projectId")?, fields.text("workspaceId")?);
    if ours.is_some() && compatible.is_some() {
        return Err(format!("`{at}` has both `projectId` and `workspaceId`, which mean the same"));
    }
    Ok(Source {
        project: ours.or(compatible),
        environment: fields.text("environment")?,
        path: fields.text("path")?,
        recursive: fields.switch("recursive")?,
        include_imports: fields.switch("includeImports")?,
    })
}
