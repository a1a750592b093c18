//! What a token must say, for the two methods that leave it to the administrator: OIDC and JWT.

use std::collections::BTreeMap;

/// The rules that a token has to meet.
#[derive(clap::Args, Debug)]
#[group(skip)]
pub(super) struct BoundArgs {
    /// Issuer that the token must be of, exactly
    #[arg(long, value_name = "ISSUER")]
    pub(super) bound_issuer: Option<String>,

    /// Audiences of which the token must have one; patterns are possible
    #[arg(long, value_name = "AUDIENCE,…")]
    pub(super) bound_audiences: Option<String>,

    /// Subject that the token must have; a pattern is possible
    #[arg(long, value_name = "SUBJECT")]
    pub(super) bound_subject: Option<String>,

    /// Claim that the token must have, by its dotted path, with values of which one must match: a
    /// comma and a blank stand between; can be repeated, replaces all when changing
    #[arg(long, value_name = "CLAIM=VALUES", value_parser = pair)]
    bound_claim: Vec<(String, String)>,

    /// Ask for no claims
    #[arg(long, conflicts_with = "bound_claim")]
    no_bound_claims: bool,
}

impl BoundArgs {
    pub(super) fn claims(&self) -> Option<BTreeMap<String, String>> {
        map(&self.bound_claim, self.no_bound_claims)
    }
}

/// The pairs that were given; none of them, if that was asked for.
pub(super) fn map(given: &[(String, String)], none: bool) -> Option<BTreeMap<String, String>> {
    (none || !given.is_empty()).then(|| given.iter().cloned().collect())
}

pub(super) fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it must be NAME=VALUE"),
    }
}
