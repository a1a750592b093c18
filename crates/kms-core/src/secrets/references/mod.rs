//! References from one secret to another: `${KEY}` and `${env.folder.KEY}` in values.
//!
//! `scan` finds them in a text, `expand` puts values in their place, `known` is where it looks
//! them up, under the caller's rules. Everything is looked up in rounds: what all values of an
//! answer are found to need is read in one statement, until nothing is missing. `check` is what a
//! write is asked, `tree` and `dependents` answer who refers to whom.

mod check;
mod dependents;
mod expand;
mod known;
#[cfg(test)]
mod oracle;
pub(super) mod scan;
mod tree;

pub(super) use expand::multiline;
pub use expand::{MAX_ADDED, MAX_EXPANDED};
pub(super) use known::{Known, Outcome, Overlay, Root, Whole};

/// A folder of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Home<'a> {
    /// The environment's slug.
    pub(super) environment: &'a str,
    /// The folder's absolute path.
    pub(super) path: &'a str,
}

/// A secret by its place and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct At<'a> {
    /// Where it is.
    pub(super) home: Home<'a>,
    /// What it is called.
    pub(super) name: &'a str,
}

impl<'a> At<'a> {
    /// A secret by its place and name.
    pub(super) fn new(environment: &'a str, path: &'a str, name: &'a str) -> Self {
        Self { home: Home { environment, path }, name }
    }
}

impl std::fmt::Display for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Home { environment, path } = self.home;
        write!(f, "'{}' in environment '{environment}' at path '{path}'", self.name)
    }
}
