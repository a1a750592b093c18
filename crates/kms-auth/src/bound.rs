//! What a token must say beside being genuine: the rules that OIDC and JWT auth share.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

use crate::{
    AuthError,
    check::{Check, items},
    glob::{Pattern, Rule, Stars},
    jwt::Claims,
};

/// The most claims that can be bound or mapped.
pub(crate) const MAX_CLAIMS: usize = 64;
/// The longest name or path of a claim, in bytes.
const MAX_NAME: usize = 512;
/// The most bytes of all values of claims together: each is held against a whole token.
const MAX_VALUES: usize = 16 * 1_024;
/// Hosts of issuers that sign for everybody who has an account there.
const SHARED: [&str; 16] = [
    "accounts.google.com",
    "agent.buildkite.com",
    "api.login.yahoo.com",
    "app.terraform.io",
    "appleid.apple.com",
    "cognito-identity.amazonaws.com",
    "github.com",
    "gitlab.com",
    "login.microsoftonline.com",
    "login.salesforce.com",
    "oauth2.sigstore.dev",
    "oidc.vercel.com",
    "token.actions.githubusercontent.com",
    "www.facebook.com",
    "www.googleapis.com",
    "www.linkedin.com",
];
/// Between alternatives (wire contract, machine login).
const SEPARATOR: &str = ", ";

/// Rules about the claims of a token.
pub(crate) struct Bound<'c> {
    /// Audiences of which the token must have one.
    pub(crate) audiences: &'c str,
    /// The subject that it must have.
    pub(crate) subject: &'c str,
    /// Claims that it must have.
    pub(crate) claims: &'c BTreeMap<String, String>,
    /// What `*` in a pattern does.
    pub(crate) stars: Stars,
}

impl Bound<'_> {
    /// Refuses patterns that are none, and rules that let in whoever the issuer signs for.
    pub(crate) fn check(&self, check: &mut Check) {
        for audience in self.audiences.split(SEPARATOR).filter(|text| !text.is_empty()) {
            pattern(check, "boundAudiences", audience);
        }
        pattern(check, "boundSubject", self.subject);
        check.require(self.claims.len() <= MAX_CLAIMS, "boundClaims", "Must be at most 64");
        let size = self.claims.values().map(String::len).sum::<usize>();
        check.require(size <= MAX_VALUES, "boundClaims", "Must have at most 16384 characters");
        for (claim, values) in self.claims {
            check.require(is_name(claim), "boundClaims", "Must name each claim");
            check.require(!values.is_empty(), "boundClaims", "Must name a value for each claim");
            for value in values.split(SEPARATOR) {
                pattern(check, "boundClaims", value);
            }
        }
    }

    /// Refuses an address of an issuer that signs for others too, if nothing limits who of those
    /// can log in (attack J4).
    pub(crate) fn check_shared(&self, check: &mut Check, address: &str) {
        let host = Url::parse(address).ok();
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        if SHARED.contains(&host) && self.is_open() {
            check.refuse(
                "boundAudiences",
                "This issuer signs for others too: an audience, a subject or a claim must limit \
                 who can log in",
            );
        }
    }

    /// Whether nothing limits who of those that the issuer signs for can log in.
    fn is_open(&self) -> bool {
        let limits = |text: &str| Pattern::parse(text).is_ok_and(|pattern| pattern.limits());
        let open = |rule: &str| !rule.split(SEPARATOR).all(limits);
        open(self.audiences) && open(self.subject) && self.claims.values().all(|rule| open(rule))
    }

    /// Refuses a token whose subject is another (contract: 403).
    pub(crate) fn require_subject(
        &self,
        claims: &Claims,
        refusal: &'static str,
    ) -> Result<(), AuthError> {
        if self.subject.is_empty() {
            return Ok(());
        }
        let subject = claims.text("sub");
        let subject = subject.ok_or_else(|| AuthError::denied("Access denied: no subject"))?;
        if Rule::new(self.subject, self.stars).admits(subject) {
            return Ok(());
        }
        Err(AuthError::Forbidden(refusal.into()))
    }

    /// Refuses a token that is for somebody else: each audience is compared whole (attack J4).
    pub(crate) fn require_audience(
        &self,
        claims: &Claims,
        refusal: &'static str,
    ) -> Result<(), AuthError> {
        if self.audiences.is_empty() {
            return Ok(());
        }
        let audiences = claims.audiences();
        let holds = |rule: Rule<'_>| audiences.iter().any(|text| rule.admits(text));
        if self.rules(self.audiences).any(holds) {
            return Ok(());
        }
        Err(AuthError::denied(refusal))
    }

    /// Refuses a token without a claim that is asked for, or with another value.
    pub(crate) fn require_claims(
        &self,
        claims: &Claims,
        refusal: impl Fn(&str) -> String,
    ) -> Result<(), AuthError> {
        for (path, values) in self.claims {
            let value = present(claims, path)?;
            if !self.rules(values).any(|rule| holds(&rule, value)) {
                return Err(AuthError::denied(refusal(path)));
            }
        }
        Ok(())
    }

    /// The alternatives of a setting.
    fn rules<'t>(&self, alternatives: &'t str) -> impl Iterator<Item = Rule<'t>> {
        let stars = self.stars;
        alternatives.split(SEPARATOR).map(move |text| Rule::new(text, stars))
    }
}

/// The values of claims in the form that is stored: alternatives with one separator.
pub(crate) fn stored(claims: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let joined = |values: String| items(&values).collect::<Vec<_>>().join(SEPARATOR);
    claims.into_iter().map(|(claim, values)| (claim, joined(values))).collect()
}

/// Whether a text can name a claim, or a value that was made of one.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && !text.contains(char::is_control)
}

/// A claim that has a value; false, zero, null and the empty text are none (wire contract).
pub(crate) fn present<'c>(claims: &'c Claims, path: &str) -> Result<&'c Value, AuthError> {
    let has_value = |value: &&Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    let found = claims.at(path).filter(has_value);
    found.ok_or_else(|| AuthError::denied(format!("Access denied: token has no {path} field")))
}

/// Whether a value of a claim is what a rule says. Types are not mixed: a number is compared as
/// the whole number that it is, a list has one text that is meant, an object matches nothing
/// (attack J8).
fn holds(rule: &Rule<'_>, value: &Value) -> bool {
    match value {
        Value::String(text) => rule.admits(text),
        Value::Array(values) => {
            values.iter().filter_map(Value::as_str).any(|text| rule.admits(text))
        }
        Value::Bool(flag) => *flag && rule.text() == "true",
        Value::Number(number) => {
            rule.text().parse::<i64>().is_ok_and(|rule| number.as_i64() == Some(rule))
        }
        Value::Object(_) | Value::Null => false,
    }
}

fn pattern(check: &mut Check, field: &str, text: &str) {
    if let Err(rule) = Pattern::parse(text) {
        check.refuse(field, rule);
    }
}
