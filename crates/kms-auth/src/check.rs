//! Collecting what is wrong with a configuration: every broken rule, each with its field.

use kms_api::error::Issue;

use crate::outbound::{OutboundPolicy, Target, Trust};

/// The longest text of one setting, in bytes.
const MAX_TEXT: usize = 4_096;

/// What is wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Check(Vec<Issue>);

impl Check {
    /// Notes a broken rule.
    pub(crate) fn refuse(&mut self, field: &str, rule: impl std::fmt::Display) {
        self.0.push(Issue::field(field, rule.to_string()));
    }

    /// Notes a broken rule unless it holds.
    pub(crate) fn require(&mut self, holds: bool, field: &str, rule: &str) {
        if !holds {
            self.refuse(field, rule);
        }
    }

    /// A text without control characters, trimmed (attack X4).
    pub(crate) fn text(&mut self, field: &str, text: &str) -> String {
        self.require(text.len() <= MAX_TEXT, field, "Must have at most 4096 characters");
        let clean = !text.trim().contains(char::is_control);
        self.require(clean, field, "Must not hold control characters");
        text.trim().to_owned()
    }

    /// A setting that is one text: what was sent, or else what it is, or else nothing.
    pub(crate) fn setting(
        &mut self,
        field: &str,
        sent: Option<&String>,
        current: Option<&String>,
    ) -> String {
        match sent {
            Some(text) => self.text(field, text),
            None => current.cloned().unwrap_or_default(),
        }
    }

    /// A setting that is a comma list, in the form that is stored.
    pub(crate) fn list(
        &mut self,
        field: &str,
        sent: Option<&String>,
        current: Option<&String>,
    ) -> String {
        let text = self.setting(field, sent, current);
        items(&text).collect::<Vec<_>>().join(", ")
    }

    /// A URL that may be called.
    pub(crate) fn url(&mut self, field: &str, text: &str, policy: &OutboundPolicy) {
        if let Err(rule) = Target::parse(text, policy) {
            self.refuse(field, rule);
        }
    }

    /// Certificates of authorities, or none.
    pub(crate) fn certificates(&mut self, field: &str, pem: &str) {
        if let Err(rule) = Trust::pem(pem) {
            self.refuse(field, rule);
        }
    }

    /// The configuration, if nothing is wrong with it.
    pub(crate) fn finish<T>(self, config: T) -> Result<T, Vec<Issue>> {
        if self.0.is_empty() { Ok(config) } else { Err(self.0) }
    }
}

/// The entries of a comma list: trimmed, without empty ones.
pub(crate) fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// A setting that is kept as it was sent.
pub(crate) fn kept<T: Clone + Default>(sent: Option<&T>, current: Option<&T>) -> T {
    sent.or(current).cloned().unwrap_or_default()
}

/// Whether a comma list holds a text; an empty list holds every text.
pub(crate) fn admits(list: &str, text: &str) -> bool {
    items(list).next().is_none() || items(list).any(|item| item == text)
}
