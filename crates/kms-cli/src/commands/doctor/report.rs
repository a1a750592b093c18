//! What was found, and how it is told.

use std::{fmt::Write as _, io, io::IsTerminal as _};

use anstyle::{AnsiColor, Style};
use rustix::termios::tcgetwinsize;
use serde::Serialize;

use crate::{
    Context,
    error::{CliError, Kind},
    settings::Output,
    ui::escape_line,
};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// Nothing is in the way.
    Ok,
    /// What comes before it failed, or it has no meaning here.
    Skipped,
    /// It may be in the way of something.
    Warning,
    /// It is in the way.
    Failed,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }

    fn style(self) -> Style {
        let colour = match self {
            Self::Ok => AnsiColor::Green,
            Self::Skipped => return Style::new().dimmed(),
            Self::Warning => AnsiColor::Yellow,
            Self::Failed => AnsiColor::Red,
        };
        colour.on_default().bold()
    }
}

/// One line of the report.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    name: &'static str,
    pub(super) status: Status,
    text: String,
    /// What to type next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next: Vec<String>,
    #[serde(skip)]
    kind: Kind,
}

impl Check {
    fn new(name: &'static str, status: Status, text: impl Into<String>) -> Self {
        Self { name, status, text: text.into(), next: Vec::new(), kind: Kind::Failed }
    }

    pub(super) fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, Status::Ok, text)
    }

    pub(super) fn skipped(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, Status::Skipped, text)
    }

    pub(super) fn warning(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, Status::Warning, text)
    }

    pub(super) fn failed(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, Status::Failed, text)
    }

    /// What a command would fail with.
    pub(super) fn error(name: &'static str, error: impl Into<CliError>) -> Self {
        let error = error.into();
        let mut check = Self::failed(name, error.chain().collect::<Vec<_>>().join(": "));
        check.kind = error.kind;
        check.next = error.hints;
        check
    }

    /// The same, where it need not be in the way.
    pub(super) fn into_warning(mut self) -> Self {
        self.status = Status::Warning;
        self
    }

    /// The server was not reached.
    pub(super) fn unreachable(mut self) -> Self {
        self.kind = Kind::Unreachable;
        self
    }

    /// Adds what to do about it.
    pub(super) fn next(mut self, next: impl Into<String>) -> Self {
        self.next.push(next.into());
        self
    }

    /// The same, where nothing else was said about it.
    pub(super) fn or_next(self, next: impl Into<String>) -> Self {
        if self.next.is_empty() { self.next(next) } else { self }
    }
}

/// All of it, for programs.
#[derive(Serialize)]
struct Report<'a> {
    status: Status,
    checks: &'a [Check],
}

/// Prints what was found and fails if a check did: by the first that did.
pub(super) fn tell(checks: &[Check], output: Output, context: &Context) -> Result<(), CliError> {
    // What was skipped is no finding.
    let found = checks.iter().map(|check| check.status).filter(|it| *it != Status::Skipped);
    let status = found.max().unwrap_or(Status::Ok);
    match output {
        Output::Json => context.ui.json(&Report { status, checks })?,
        Output::Table => context.ui.styled(&lines(checks, width()))?,
    }
    let mut failed = checks.iter().filter(|check| check.status == Status::Failed);
    let Some(first) = failed.next() else { return Ok(()) };
    let kind = if first.kind == Kind::Unreachable { Kind::Unreachable } else { Kind::Failed };
    let others = failed.count();
    let more = match others {
        0 => String::new(),
        1 => ", and another check failed".to_owned(),
        _ => format!(", and {others} other checks failed"),
    };
    Err(CliError::new(kind, format!("`{}` is in the way{more}", first.name)))
}

/// Columns of the terminal; `None` where there is none, and nothing is wrapped.
fn width() -> Option<usize> {
    let is_terminal = io::stdout().is_terminal();
    let size = is_terminal.then(|| tcgetwinsize(io::stdout()).ok()).flatten()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

fn lines(checks: &[Check], width: Option<usize>) -> String {
    /// Of the words before the text.
    const INDENT: usize = 24;
    /// Where the words would leave too little room.
    const NARROW: usize = 72;
    let indent = match width {
        Some(width) if width < NARROW => 4,
        _ => INDENT,
    };
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(indent).max(20));
    let mut text = String::new();
    for check in checks {
        let style = check.status.style();
        let head = format!("{style}{:<7}{style:#}  {:<13}", check.status.name(), check.name);
        let mut paragraphs = vec![wrapped(&escape_line(&check.text), room)];
        let next = check.next.iter().map(|next| format!("next: {next}"));
        paragraphs.extend(next.map(|next| wrapped(&escape_line(&next), room)));
        let mut rest = paragraphs.into_iter().flatten();
        let first = if indent == INDENT { rest.next() } else { None };
        let _ = writeln!(text, "{}", format!("{head}  {}", first.unwrap_or_default()).trim_end());
        for line in rest {
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
    }
    text
}

/// Lines of at most `room` characters, broken at blanks; a longer word has a line of its own.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("one line is there from the start");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_terminal_unless_a_word_is() {
        let text = "one two three `four-is-rather-long`";
        assert_eq!(wrapped(text, 8), ["one two", "three", "`four-is-rather-long`"]);
        assert_eq!(wrapped(text, usize::MAX), [text]);
        let checks = [Check::failed("name", "a word ".repeat(40)).next("b ".repeat(90))];
        for width in [40, 80, 120] {
            let shown = anstream::adapter::strip_str(&lines(&checks, Some(width))).to_string();
            assert!(shown.lines().all(|line| line.chars().count() <= width), "{shown}");
        }
    }

    #[test]
    fn l11_nothing_that_was_read_steers_the_terminal() {
        let shown = lines(&[Check::ok("server", "\u{1b}]52;c;x\u{7}\u{202e}\n")], None);
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert_eq!(shown.lines().count(), 1, "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown}");
    }
}
