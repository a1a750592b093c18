//! `kms secrets generate-example-env`.

use std::collections::BTreeMap;

use kms_api::{
    secrets::{ListSecretsQuery, Secret},
    wire::WireBool,
};

use super::{Common, rows::Form};
use crate::{
    Context,
    error::CliError,
    formats::is_identifier,
    process,
    selection::{self, Place, shell_word},
    ui,
};

/// In characters.
const WIDTH: usize = 80;
/// What a comment has before a value that others may know.
const DEFAULT: &str = "DEFAULT:";

/// Write an example of an env file: names, comments and defaults, never a value
///
/// Secrets are grouped by their tags. Comments come along; what stands after `DEFAULT:` in a
/// comment becomes the value.
#[derive(clap::Args, Debug)]
pub(super) struct Args {}

pub(super) async fn run(_: Args, common: &Common, context: &Context) -> Result<(), CliError> {
    const COMMAND: &str = "secrets generate-example-env";
    if Form::decide(common, context)? != Form::Table {
        return Err(CliError::usage(format!("`--output` has no meaning for `{COMMAND}`")));
    }
    common.refuse_plain(COMMAND)?;
    common.read.refuse_copies(COMMAND)?;
    let place = Place::resolve(&common.place, context)?;
    let client = context.settings.client()?;
    let mut secrets = Vec::new();
    for path in &place.paths {
        // No value is needed, so none travels, and nobody has to be allowed to read one.
        let query = ListSecretsQuery {
            view_secret_value: Some(WireBool(false)),
            expand_secret_references: Some(WireBool(false)),
            include_personal_overrides: Some(WireBool(false)),
            ..selection::query(&place, path, &common.read)
        };
        let answer = client.list_secrets(&query).await;
        let answer = answer.map_err(|error| place.explain("list the secrets in", path, error))?;
        secrets.extend(selection::listed(answer, false));
    }
    let secrets = selection::unique(secrets);
    require_names(&secrets)?;
    context.ui.text(&write(&secrets))
}

/// Such files are sourced: what is no name there would be run (attack R1).
fn require_names(secrets: &[Secret]) -> Result<(), CliError> {
    let names = secrets.iter().map(|secret| &secret.secret_key);
    let unusable: Vec<_> =
        names.filter(|name| !is_identifier(name)).map(|name| format!("`{name}`")).collect();
    if unusable.is_empty() {
        return Ok(());
    }
    Err(CliError::failed(format!("an env file cannot carry the names {}", unusable.join(", "))))
}

/// Groups by tags, those without any first: nothing would end the group before them.
fn write(secrets: &[Secret]) -> String {
    let mut groups: BTreeMap<Vec<String>, Vec<&Secret>> = BTreeMap::new();
    for secret in secrets {
        groups.entry(heading(secret)).or_default().push(secret);
    }
    let headings: Vec<String> =
        groups.keys().filter(|tags| !tags.is_empty()).map(|tags| tags.join(" & ")).collect();
    let mut text = String::new();
    if !headings.is_empty() {
        banner("TABLE OF CONTENTS", &mut text);
        for heading in headings {
            text.extend(["# - ", &heading, "\n"]);
        }
    }
    for (tags, secrets) in &groups {
        if !text.is_empty() {
            text.push('\n');
        }
        if !tags.is_empty() {
            banner(&tags.join(" & "), &mut text);
        }
        for secret in secrets {
            entry(secret, &mut text);
        }
    }
    text
}

/// The names of the tags, in order.
fn heading(secret: &Secret) -> Vec<String> {
    let tags = secret.tags.iter().flatten();
    let shown = tags.map(|tag| if tag.name.is_empty() { &tag.slug } else { &tag.name });
    let mut names: Vec<String> = shown.map(|name| ui::escape_line(&name.to_uppercase())).collect();
    names.sort();
    names.dedup();
    names
}

fn banner(heading: &str, text: &mut String) {
    let stars = WIDTH.saturating_sub(heading.chars().count() + 4);
    let left = stars / 2;
    let (left, right) = ("*".repeat(left.max(1)), "*".repeat((stars - left).max(1)));
    text.extend(["# ", &left, " ", heading, " ", &right, "\n"]);
}

fn entry(secret: &Secret, text: &mut String) {
    let mut default = None;
    for line in secret.secret_comment.lines() {
        let (line, after) = match line.split_once(DEFAULT) {
            Some((line, after)) if default.is_none() => (line, Some(after.trim())),
            _ => (line, None),
        };
        default = default.or(after);
        if !line.trim().is_empty() {
            // A carriage return would end the comment for some readers.
            text.extend(["# ", &ui::escape_line(line.trim()), "\n"]);
        }
    }
    text.push_str(&secret.secret_key);
    text.push('=');
    // Nor does a comment choose what a shell or a program loads.
    let default = default.filter(|_| !process::is_dangerous(&secret.secret_key));
    if let Some(default) = default.filter(|default| !default.is_empty()) {
        // Such files are sourced: who may write a comment must not thereby run code.
        text.push_str(&shell_word(&ui::escape_line(default)));
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn secret(name: &str, comment: &str, tags: &[&str]) -> Secret {
        let id = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
        let tag = |slug: &&str| json!({ "id": id, "slug": slug, "name": slug, "color": "" });
        let tags: Vec<Value> = tags.iter().map(tag).collect();
        serde_json::from_value(json!({
            "id": id, "_id": id, "workspace": id, "environment": "dev", "version": 1,
            "type": "shared", "secretKey": name, "secretValue": "canary", "tags": tags,
            "secretComment": comment,
        }))
        .unwrap()
    }

    #[test]
    fn r1_neither_names_nor_comments_run_anything_where_the_file_is_sourced() {
        let named = |name: &str| require_names(&[secret("A", "", &[]), secret(name, "", &[])]);
        for name in ["$(id)", "A B", "a-b", "1A", "A\nB", "A;B", "A=B"] {
            assert!(named(name).is_err(), "{name}");
        }
        assert!(named("_a1").is_ok());
        let text = write(&[secret("PROMPT_COMMAND", "DEFAULT: touch x", &[])]);
        assert_eq!(text, "PROMPT_COMMAND=\n");
    }

    #[test]
    fn groups_have_banners_and_comments_become_comments_and_defaults() {
        let secrets = [
            secret("A", "", &[]),
            secret("B", "the port\nDEFAULT: 8080\nof the service", &["web", "http"]),
            secret("C", "DEFAULT:", &["web"]),
            secret("D", "where? DEFAULT:http://localhost DEFAULT: x", &["http", "web"]),
        ];
        let stars = |count| "*".repeat(count);
        let contents = format!("# {} TABLE OF CONTENTS {}\n", stars(29), stars(30));
        let both = format!("# {} HTTP & WEB {}\n", stars(33), stars(33));
        let web = format!("# {} WEB {}\n", stars(36), stars(37));
        assert_eq!(
            write(&secrets),
            format!(
                "{contents}# - HTTP & WEB\n# - WEB\n\
                 \nA=\n\
                 \n{both}# the port\n# of the service\nB=8080\n\
                 # where?\nD='http://localhost DEFAULT: x'\n\
                 \n{web}C=\n"
            )
        );
    }

    #[test]
    fn without_tags_there_are_only_names() {
        assert_eq!(write(&[secret("A", "", &[]), secret("B", "", &[])]), "A=\nB=\n");
        assert_eq!(write(&[]), "");
    }

    #[test]
    fn l11_a_comment_or_a_tag_cannot_write_a_line_of_its_own() {
        let secrets = [secret("A", "x\rEVIL=1\u{202e}\nDEFAULT: $(id)", &["t\nEVIL=1"])];
        let text = write(&secrets);
        assert!(
            text.lines()
                .all(|line| line.starts_with('#') || line.starts_with("A=") || line.is_empty())
        );
        assert!(!text.contains('\r') && !text.contains('\u{202e}'), "{text:?}");
        assert!(text.ends_with("A='$(id)'\n"), "{text}");
    }
}
