//! The templates of `export --template`: the part of Go's text/template that documented templates of
//! the compatible CLI use, with their functions for secrets.
//!
//! No error ever holds a value (attack R6): it says where, and what kind of thing was found. Text is
//! lexed ([`lexer`]), parsed into nodes ([`parser`]) and evaluated ([`eval`]); what can be called is
//! in [`functions`].

mod eval;
mod functions;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;
mod value;

use kms_api::secrets::Secret;
use secrecy::zeroize::Zeroizing;

use crate::error::CliError;

/// Bytes of a template at most.
pub(crate) const MAX_TEMPLATE: u64 = 1024 * 1024;

/// How a project is named in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Project<'a> {
    /// By its id.
    Id(&'a str),
    /// By its slug.
    Slug(&'a str),
}

/// Which secrets a template asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// The project.
    pub(crate) project: Project<'a>,
    /// The environment's slug.
    pub(crate) environment: &'a str,
    /// The folder.
    pub(crate) path: &'a str,
    /// Whether folders below count.
    pub(crate) recursive: bool,
    /// Whether references are replaced by what they refer to.
    pub(crate) expand: bool,
}

/// Where the secrets of a template come from.
pub(crate) trait Source {
    /// The secrets of a folder, imported ones included, each name once.
    fn list(&self, asked: Asked<'_>) -> Result<Vec<Secret>, CliError>;
}

/// Something is wrong at a place of a template; never holds a value.
#[derive(Debug, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
struct Misplaced {
    /// Counted from 1.
    line: usize,
    /// Counted from 1, in characters.
    column: usize,
    reason: String,
}

/// Renders a template.
pub(crate) fn render(text: &str, source: &dyn Source) -> Result<Zeroizing<String>, CliError> {
    let at = |(offset, reason): (usize, String)| place(text, offset, reason);
    let nodes = parser::parse(lexer::lex(text).map_err(at)?).map_err(at)?;
    eval::run(&nodes, source).map_err(|failure| match failure {
        eval::Failure::Wrong(offset, reason) => place(text, offset, reason),
        eval::Failure::Source(offset, error) => {
            error.context(format!("line {} of the template", position(text, offset).0))
        }
    })
}

fn place(text: &str, offset: usize, reason: String) -> CliError {
    let (line, column) = position(text, offset);
    CliError::usage(Misplaced { line, column, reason })
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
