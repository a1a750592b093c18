//! Texts of conditions that nothing could ever be. A rule that forbids by one would forbid nothing,
//! and look as if it did: such texts are refused when a role is saved.

use uuid::Uuid;

use super::templates::{filled, is_template};
use crate::text::{self, SecretPath};

/// The longest slug of an environment or tag, in characters.
const MAX_SLUG: usize = 64;

/// What is wrong with a text that no value of a property equals, if it is one.
pub(super) fn unreachable_text(property: &str, text: &str) -> Option<&'static str> {
    let plain = filled(text, "x");
    match property {
        "secretPath" => {
            // A template at the beginning may stand for a path.
            let path = if is_template(text) && !text.starts_with('/') {
                format!("/{plain}")
            } else {
                plain
            };
            let is_path = SecretPath::parse("", Some(&path)).is_ok_and(|it| it.as_str() == path);
            let starts = text.starts_with('/') || text.starts_with("{{");
            (!is_path || !starts).then_some(
                "must be a folder's path as it is shown: `/`, or `/a/b` without a slash at its end",
            )
        }
        "environment" | "secretTags" => text::slug("", &plain, 1, MAX_SLUG)
            .map_or(true, |slug| slug != plain)
            .then_some("must be a slug: lower-case letters, digits and single hyphens"),
        "secretName" => text::secret_name("", &plain).map_or(true, |name| name != plain).then_some(
            "must be a name that a secret can have: no `:`, `/` or white space around it",
        ),
        "identityId" if !is_template(text) => text
            .parse::<Uuid>()
            .map_or(true, |id| id.to_string() != text)
            .then_some("must be the id of an identity, in lower case"),
        _ => None,
    }
}

/// What is wrong with a pattern that no value of a property matches, as far as its beginning tells.
pub(super) fn unreachable_pattern(property: &str, pattern: &str) -> Option<&'static str> {
    match property {
        "secretPath" => {
            // A group may begin with either.
            const STARTS: [&str; 9] = ["/", "**", "{", "@(", "+(", "?(", "*(", "!(", "["];
            let starts = STARTS.iter().any(|start| pattern.starts_with(start));
            (!starts || pattern.contains('\\'))
                .then_some("must begin with `/` or `**`, as folders' paths do, and needs no `\\`")
        }
        "environment" => pattern
            .contains(['/', '\\'])
            .then_some("must not hold `/` or `\\`, which no environment's slug does"),
        "secretName" => pattern
            .contains(['/', ':'])
            .then_some("must not hold `/` or `:`, which no secret's name does"),
        _ => None,
    }
}
