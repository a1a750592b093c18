//! `kms secrets diff`.

use std::{collections::BTreeMap, process::ExitCode};

use kms_api::{SecretValue, secrets::Secret};
use serde::Serialize;

use super::{
    Common,
    rows::{self, Form},
};
use crate::{
    Context,
    error::{CliError, Kind},
    selection::{self, Place, Reader},
    ui,
};

/// Says that the two differ, as `diff` does.
const DIFFERENT: u8 = 1;
/// A failure must not pass for a difference.
const TROUBLE: u8 = 2;

/// Compare two environments or folders, without showing values
///
/// Exit code 0 says that they are the same, 1 that they differ, more that there is no answer.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The two to compare; one alone is compared with the environment of `--env`
    #[arg(value_name = "ENV[:PATH]", num_args = 0..=2)]
    sides: Vec<String>,

    /// The first to compare
    #[arg(long, value_name = "ENV[:PATH]", conflicts_with = "sides", requires = "to")]
    from: Option<String>,

    /// The second to compare
    #[arg(long, value_name = "ENV[:PATH]", conflicts_with = "sides")]
    to: Option<String>,

    /// Also list what is equal
    #[arg(long)]
    all: bool,

    /// Print the values
    #[arg(long)]
    show_values: bool,
}

pub(super) async fn run(
    args: &Args,
    common: &Common,
    context: &Context,
) -> Result<ExitCode, CliError> {
    let compared = compare(args, common, context).await;
    compared.map_err(|error| match error.kind {
        Kind::Failed => error.with_exit_code(TROUBLE),
        _ => error,
    })
}

async fn compare(args: &Args, common: &Common, context: &Context) -> Result<ExitCode, CliError> {
    let structured = Form::decide(common, context)?.structured()?;
    common.refuse_plain("secrets diff")?;
    let [from, to] = sides(args, common, context)?;
    let reader = Reader::new(&common.read, context)?;
    let recursive = common.read.is_recursive();
    let before = selection::fetch(&reader, &from.place, &common.read).await?;
    let after = selection::fetch(&reader, &to.place, &common.read).await?;
    let entries = entries(from.named(before, recursive), to.named(after, recursive));
    let view = View { from: &from.label, to: &to.label, recursive, values: args.show_values };
    let listed: Vec<&Entry> =
        entries.iter().filter(|entry| args.all || entry.status != Status::Equal).collect();
    match structured {
        Some(structured) => {
            let rows: Vec<Row<'_>> = listed.iter().map(|entry| view.row(entry)).collect();
            structured.print(&rows, context)?;
        }
        None if listed.is_empty() => {}
        None => view.table(&listed, context)?,
    }
    context.ui.notice(&view.summary(&entries));
    judge(&entries)
}

/// One of the two that are compared.
pub(super) struct Side {
    /// As it was asked for.
    label: String,
    pub(super) place: Place,
}

fn sides(args: &Args, common: &Common, context: &Context) -> Result<[Side; 2], CliError> {
    let (from, to) = match (args.sides.as_slice(), &args.from, &args.to) {
        ([from, to], ..) => (Some(from), to),
        ([to], ..) => (None, to),
        (_, from, Some(to)) => (from.as_ref(), to),
        _ => {
            return Err(CliError::usage("nothing was named to compare with")
                .hint("for example: `kms secrets diff dev prod`"));
        }
    };
    let place = Place::resolve(&common.place, context)?;
    let from = match from {
        Some(from) => {
            common.place.refuse_environment("two environments")?;
            Side::parse(from, &place)?
        }
        None => Side { label: place.environment.clone(), place: place.clone() },
    };
    Ok([from, Side::parse(to, &place)?])
}

impl Side {
    /// Reads `ENV` or `ENV:PATH`; the rest is as in `place`.
    pub(super) fn parse(text: &str, place: &Place) -> Result<Self, CliError> {
        let (environment, path) = match text.split_once(':') {
            Some((environment, path)) => (environment, Some(path)),
            None => (text, None),
        };
        if environment.is_empty() || path.is_some_and(str::is_empty) {
            return Err(CliError::usage(format!("`{text}` is not of the form ENV or ENV:PATH"))
                .hint("for example: `dev`, or `prod:/backend`"));
        }
        Ok(Self {
            label: text.to_owned(),
            place: Place {
                project: place.project.clone(),
                environment: environment.to_owned(),
                paths: path.map_or_else(|| place.paths.clone(), |path| vec![path.to_owned()]),
            },
        })
    }

    /// The secrets by folder and name; the folder counts only where those below are compared, too.
    fn named(&self, secrets: Vec<Secret>, recursive: bool) -> BTreeMap<Name, Secret> {
        if recursive {
            let folder = |secret: &Secret| self.below(secret.secret_path.as_deref());
            let named = secrets.into_iter().map(|it| ((folder(&it), it.secret_key.clone()), it));
            return named.collect();
        }
        let unique = selection::unique(secrets).into_iter();
        unique.map(|secret| ((String::new(), secret.secret_key.clone()), secret)).collect()
    }

    /// A folder as seen from the one that is compared, so that `/a` and `/b` can be the same.
    fn below(&self, path: Option<&str>) -> String {
        let path = path.unwrap_or("/");
        let [root] = self.place.paths.as_slice() else { return path.to_owned() };
        let root = root.trim_matches('/');
        let inner = path.trim_start_matches('/').strip_prefix(root).unwrap_or(path);
        if root.is_empty() || inner.is_empty() || inner.starts_with('/') {
            format!("/{}", inner.trim_start_matches('/'))
        } else {
            path.to_owned()
        }
    }
}

/// Folder and name.
type Name = (String, String);

/// What has become of a secret from the first to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Added,
    Removed,
    Different,
    Equal,
    /// One of the values may not be read.
    Unknown,
}

#[derive(Debug)]
struct Entry {
    name: Name,
    from: Option<Secret>,
    to: Option<Secret>,
    status: Status,
}

fn entries(mut before: BTreeMap<Name, Secret>, after: BTreeMap<Name, Secret>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = after
        .into_iter()
        .map(|(name, to)| {
            let from = before.remove(&name);
            Entry { status: status(from.as_ref(), &to), name, from, to: Some(to) }
        })
        .collect();
    entries.extend(before.into_iter().map(|(name, from)| Entry {
        name,
        from: Some(from),
        to: None,
        status: Status::Removed,
    }));
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

fn status(from: Option<&Secret>, to: &Secret) -> Status {
    match from {
        None => Status::Added,
        // The texts that stand for two hidden values are equal; the values need not be.
        Some(from) if from.secret_value_hidden || to.secret_value_hidden => Status::Unknown,
        Some(from) if from.secret_value.expose() == to.secret_value.expose() => Status::Equal,
        Some(_) => Status::Different,
    }
}

fn judge(entries: &[Entry]) -> Result<ExitCode, CliError> {
    let unknown: Vec<String> = entries
        .iter()
        .filter(|entry| entry.status == Status::Unknown)
        .map(|entry| format!("`{}`", entry.name.1))
        .collect();
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        return Err(CliError::denied(format!("you may not read both values of {names}")));
    }
    let is_same = entries.iter().all(|entry| entry.status == Status::Equal);
    Ok(if is_same { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
}

/// One secret in an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    secret_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_path: Option<&'a str>,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_value: Option<&'a SecretValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_value: Option<&'a SecretValue>,
}

/// How differences are shown.
struct View<'a> {
    from: &'a str,
    to: &'a str,
    recursive: bool,
    values: bool,
}

impl View<'_> {
    fn row<'a>(&self, entry: &'a Entry) -> Row<'a> {
        let value = |secret: &'a Option<Secret>| {
            let secret = secret.as_ref().filter(|secret| !secret.secret_value_hidden);
            secret.filter(|_| self.values).map(|secret| &secret.secret_value)
        };
        let (path, name) = &entry.name;
        Row {
            secret_key: name,
            secret_path: self.recursive.then_some(path.as_str()),
            status: entry.status,
            from_value: value(&entry.from),
            to_value: value(&entry.to),
        }
    }

    fn table(&self, entries: &[&Entry], context: &Context) -> Result<(), CliError> {
        let (from, to) = (format!("value in {}", self.from), format!("value in {}", self.to));
        let mut headers = vec!["secret name", "status"];
        if self.recursive {
            headers.push("secret path");
        }
        if self.values {
            headers.extend([from.as_str(), to.as_str()]);
        }
        let value = |secret: &Option<Secret>| {
            secret.as_ref().map(rows::shown).unwrap_or_default().to_owned()
        };
        let cells = |entry: &&Entry| {
            let mut cells = vec![ui::escape_line(&entry.name.1), self.word(entry.status)];
            if self.recursive {
                cells.push(ui::escape_line(&entry.name.0));
            }
            if self.values {
                cells.extend([value(&entry.from), value(&entry.to)]);
            }
            cells
        };
        context.ui.table(&headers, entries.iter().map(cells).collect())
    }

    fn word(&self, status: Status) -> String {
        match status {
            Status::Added => format!("only in {}", self.to),
            Status::Removed => format!("only in {}", self.from),
            Status::Different => "different".to_owned(),
            Status::Equal => "equal".to_owned(),
            Status::Unknown => "not comparable".to_owned(),
        }
    }

    fn summary(&self, entries: &[Entry]) -> String {
        let count = |status| entries.iter().filter(|entry| entry.status == status).count();
        let all =
            [Status::Different, Status::Removed, Status::Added, Status::Unknown, Status::Equal];
        let parts: Vec<String> = all
            .into_iter()
            .filter(|status| count(*status) > 0)
            .map(|status| format!("{} {}", count(status), self.word(status)))
            .collect();
        match parts.as_slice() {
            [] => format!("{} and {} have no secrets there", self.from, self.to),
            parts => format!("{} and {}: {}", self.from, self.to, parts.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(text: &str) -> Side {
        let place = Place {
            project: "p".to_owned(),
            environment: "dev".to_owned(),
            paths: vec!["/".to_owned()],
        };
        Side::parse(text, &place).unwrap()
    }

    #[test]
    fn a_side_is_an_environment_and_perhaps_a_folder() {
        assert_eq!(side("prod").place.paths, ["/"]);
        let side = side("prod:/a/b");
        assert_eq!((side.place.environment.as_str(), &*side.place.paths[0]), ("prod", "/a/b"));
        for wrong in ["", ":/a", "prod:"] {
            let place = side.place.clone();
            assert!(Side::parse(wrong, &place).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn folders_are_seen_from_the_one_that_is_compared() {
        assert_eq!(side("prod:/a").below(Some("/a/b/c")), "/b/c");
        assert_eq!(side("prod:/a/").below(Some("/a")), "/");
        assert_eq!(side("prod:/a").below(Some("/ab")), "/ab");
        assert_eq!(side("prod:/a").below(Some("/x")), "/x");
        assert_eq!(side("prod").below(Some("/x/y")), "/x/y");
        assert_eq!(side("prod").below(None), "/");
    }
}
