//! `kms://PROJECT/ENVIRONMENT/FOLDER/…/NAME` in the place of a value: which secret is meant.
//!
//! Only a whole value is a reference. It is read like any secret that is asked for by name, with
//! imports and references of its own; where there is no such secret nothing is started.

use std::{collections::BTreeMap, fmt};

use kms_api::SecretValue;

/// How a reference begins.
const SCHEME: &str = "kms://";

/// Where a referred secret is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Folder {
    /// Id or slug of the project; the command's own where the reference leaves it out.
    pub project: Option<String>,
    /// Slug of the environment.
    pub environment: String,
    /// The folder.
    pub path: String,
}

/// A reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where.
    pub folder: Folder,
    /// Which.
    pub name: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Folder { project, environment, path } = &self.folder;
        let project = project.as_deref().unwrap_or_default();
        write!(f, "{SCHEME}{project}/{environment}{}/{}", path.trim_end_matches('/'), self.name)
    }
}

/// A value that begins like a reference and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reference has the form `kms://PROJECT/ENVIRONMENT/NAME`, with folders before the name")]
pub struct Malformed;

/// The reference that a value is, if it is one.
pub fn parse(value: &str) -> Option<Result<Reference, Malformed>> {
    let rest = value.strip_prefix(SCHEME)?;
    let parts: Vec<&str> = rest.split('/').collect();
    let [project, environment, folders @ .., name] = parts.as_slice() else {
        return Some(Err(Malformed));
    };
    let is_blank = |part: &&str| part.trim().is_empty();
    if is_blank(environment) || is_blank(name) || folders.iter().any(is_blank) {
        return Some(Err(Malformed));
    }
    let folder = Folder {
        project: (!project.is_empty()).then(|| (*project).to_owned()),
        environment: (*environment).to_owned(),
        path: format!("/{}", folders.join("/")),
    };
    Some(Ok(Reference { folder, name: (*name).to_owned() }))
}

/// The folders that references lead to, each once, with the values that were found in each.
#[derive(Default)]
pub(crate) struct Found(BTreeMap<Folder, BTreeMap<String, SecretValue>>);

impl Found {
    /// Notes that a folder is needed.
    pub(crate) fn want(&mut self, reference: &Reference) {
        self.0.entry(reference.folder.clone()).or_default();
    }

    /// The folders, to be filled.
    pub(crate) fn folders(
        &mut self,
    ) -> impl Iterator<Item = (&Folder, &mut BTreeMap<String, SecretValue>)> {
        self.0.iter_mut()
    }

    /// The value that is meant.
    pub(crate) fn value(&self, reference: &Reference) -> Option<&SecretValue> {
        self.0.get(&reference.folder)?.get(&reference.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_project_environment_folders_and_secret() {
        for (text, project, path) in [
            ("kms://shop/prod/DB", Some("shop"), "/"),
            ("kms://shop/prod/a/b/DB", Some("shop"), "/a/b"),
            ("kms:///prod/DB", None, "/"),
        ] {
            let reference = parse(text).unwrap().unwrap();
            assert_eq!(reference.folder.project.as_deref(), project);
            assert_eq!((reference.folder.path.as_str(), reference.name.as_str()), (path, "DB"));
            assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_reference_is_left_alone_and_half_of_one_is_refused() {
        for text in ["", "value", "https://kms://a/b/C", " kms://a/b/C"] {
            assert_eq!(parse(text), None, "{text}");
        }
        for text in ["kms://", "kms://a", "kms://a/b", "kms://a//C", "kms://a/b/", "kms://a/b//C"] {
            assert_eq!(parse(text), Some(Err(Malformed)), "{text}");
        }
    }
}
