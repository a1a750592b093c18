//! All output, and the only questions. Data goes to stdout and nothing else does; notices,
//! warnings, errors and questions go to stderr.

use std::io::{self, BufRead, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, TableStyle, Width};
use secrecy::zeroize::Zeroizing;
use serde::Serialize;

use crate::error::{CliError, Kind};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// The light box of the compatible CLI.
const LIGHT_BOX: TableStyle = {
    use comfy_table::{ContentLineStyle, LineStyle};
    TableStyle::new()
        .top_border(LineStyle::new('┌', '─', '┬', '┐'))
        .header_lines(ContentLineStyle::new('│', '│', '│'))
        .header_separator(LineStyle::new('├', '─', '┼', '┤'))
        .content_lines(ContentLineStyle::new('│', '│', '│'))
        .bottom_border(LineStyle::new('└', '─', '┴', '┘'))
};

/// How this run talks.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    /// Hides notices, hints and warnings; errors are always shown.
    pub silent: bool,
    /// Whether somebody is there to answer a question.
    pub interactive: bool,
}

impl Ui {
    /// Nobody is asked anything without a terminal on both ends, whatever the flags say.
    pub fn new(silent: bool, non_interactive: bool) -> Self {
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        Self { silent, interactive: terminal && !non_interactive }
    }

    /// Writes the datum that was asked for, and a newline.
    pub fn line(&self, text: &str) -> Result<(), CliError> {
        self.raw(format!("{text}\n").as_bytes())
    }

    /// Writes data to stdout, byte by byte as given.
    pub fn raw(&self, data: &[u8]) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(data)?;
        stdout.flush()?;
        Ok(())
    }

    /// Writes text exactly, except that a terminal is not handed what steers it.
    pub fn text(&self, text: &str) -> Result<(), CliError> {
        self.shown(text, escape_text)
    }

    /// As [`Self::text`] for a text that is JSON, which stays JSON of the same meaning.
    pub(crate) fn json_text(self, text: &str) -> Result<(), CliError> {
        self.shown(text, escape_json)
    }

    fn shown(self, text: &str, escape: fn(&str) -> String) -> Result<(), CliError> {
        if io::stdout().is_terminal() {
            return self.raw(Zeroizing::new(escape(text)).as_bytes());
        }
        self.raw(text.as_bytes())
    }

    /// Writes styled text, without its styles where they are not wanted.
    pub fn styled(&self, text: &str) -> Result<(), CliError> {
        let mut stdout = anstream::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
        Ok(())
    }

    /// Writes a value as JSON with two blanks of indentation, and a newline.
    pub fn json(&self, value: &(impl Serialize + ?Sized)) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(CliError::internal)? + "\n";
        self.json_text(&Zeroizing::new(text))
    }

    /// Writes a table. Only on a terminal is it cut to the width.
    pub fn table(&self, headers: &[&str], rows: Vec<Vec<String>>) -> Result<(), CliError> {
        let terminal = io::stdout().is_terminal();
        self.line(&table(headers, rows, terminal).to_string())
    }

    /// Says what happened.
    pub fn notice(&self, text: &str) {
        if !self.silent {
            say(&escape_line(text));
        }
    }

    /// Shows what somebody needs to go on, such as an address to open. Never hidden.
    pub fn show(&self, text: &str) {
        say(&escape_text(text));
    }

    /// Says what may go wrong.
    pub fn warn(&self, text: &str) {
        if !self.silent {
            labelled(WARNING, "warning", text);
        }
    }

    /// Says what to type next.
    pub fn hint(&self, text: &str) {
        if !self.silent {
            labelled(HINT, "hint", text);
        }
    }

    /// Says what was wrong with an answer that is asked for again. Never hidden: the question after
    /// it would make no sense.
    pub fn complain(&self, text: &str) {
        labelled(ERROR, "error", text);
    }

    /// Shows why a command failed: what, the causes, what to do.
    pub fn error(&self, error: &CliError) {
        if error.kind == Kind::BrokenPipe {
            return;
        }
        let mut chain = error.chain();
        labelled(ERROR, "error", &chain.next().unwrap_or_default());
        let mut causes = chain.peekable();
        if causes.peek().is_some() {
            say("Caused by:");
        }
        for cause in causes {
            say(&format!("  {}", escape_line(&cause)));
        }
        for hint in &error.hints {
            labelled(HINT, "hint", hint);
        }
        if error.kind == Kind::Internal {
            labelled(HINT, "hint", "this is a bug; please report it");
        }
    }

    /// Asks a question that is answered by yes or no; no is the default.
    pub fn confirm(&self, question: &str) -> Result<bool, CliError> {
        let mut stderr = io::stderr().lock();
        write!(stderr, "{} [y/N] ", escape_line(question))?;
        stderr.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks before something is deleted. `--yes` answers; without anybody to ask it is required.
    pub fn confirm_deletion(&self, what: &str, yes: bool) -> Result<(), CliError> {
        if yes {
            return Ok(());
        }
        if !self.interactive {
            return Err(CliError::usage(format!("deleting {what} has to be confirmed"))
                .hint("add `--yes` to confirm it"));
        }
        if self.confirm(&format!("Delete {what}?"))? {
            Ok(())
        } else {
            Err(CliError::needs_person(format!("{what} was not deleted")))
        }
    }
}

fn table(headers: &[&str], rows: Vec<Vec<String>>, terminal: bool) -> Table {
    let mut table = Table::new();
    table.load_style(LIGHT_BOX);
    table.set_content_arrangement(if terminal {
        ContentArrangement::Dynamic
    } else {
        ContentArrangement::Disabled
    });
    table.set_truncation_indicator("…");
    let line = |cells: Vec<String>| {
        let mut row = Row::from(cells);
        if terminal {
            row.max_height(1);
        }
        row
    };
    table.set_header(line(headers.iter().map(|header| header.to_uppercase()).collect()));
    for cells in rows {
        // A tab has no width of its own, so it would move what is right of it.
        table.add_row(line(cells.iter().map(|cell| escape(cell, |c| c == '\n')).collect()));
    }
    if terminal {
        keep_names_whole(&mut table, headers);
    }
    table
}

/// Sees to it that the first column that has a header is not cut: it is what the next command is
/// given. Only what is longer than any id or usual name is.
fn keep_names_whole(table: &mut Table, headers: &[&str]) {
    /// In characters.
    const LONGEST: u16 = 48;
    let Some(first) = headers.iter().position(|header| !header.is_empty()) else { return };
    let width = table.column_max_content_widths().get(first).copied().unwrap_or_default();
    if let Some(column) = table.column_mut(first) {
        let width = width.min(LONGEST) + column.padding_width();
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
}

fn labelled(style: Style, label: &str, text: &str) {
    say(&format!("{style}{label}:{style:#} {}", escape_line(text)));
}

/// What can't be written to stderr can't be reported either.
fn say(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Panics name their place and nothing else: a message may quote what was being handled.
pub(crate) fn hide_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        labelled(ERROR, "panic", &format!("at {}", place.as_deref().unwrap_or("an unknown place")));
    }));
}

/// Makes text safe for one line of a terminal: what steers a terminal or reorders text is written
/// as its code. Names and messages come from servers, and servers are not trusted with either.
pub fn escape_line(text: &str) -> String {
    escape(text, |_| false)
}

/// As [`escape_line`], but keeps line breaks and tabs.
pub fn escape_text(text: &str) -> String {
    escape(text, |c| matches!(c, '\n' | '\t'))
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if !keep(c) && steers(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Makes JSON safe for a terminal: in a string each character has its code in UTF-16, and outside of
/// strings none stands but line breaks.
fn escape_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    let mut buffer = [0; 2];
    for c in json.chars() {
        if c != '\n' && steers(c) {
            let units = c.encode_utf16(&mut buffer).iter();
            escaped.extend(units.map(|unit| format!("\\u{unit:04x}")));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn steers(c: char) -> bool {
    c.is_control() || reorders(c)
}

/// Bidirectional controls, line and paragraph separators, and invisible characters.
fn reorders(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_light_boxes_with_upper_case_headers() {
        let rows = vec![vec!["A".into(), "one".into(), "shared".into()]];
        let text = table(&["secret name", "secret value", "secret type"], rows, false).to_string();
        assert_eq!(
            text,
            "\
┌─────────────┬──────────────┬─────────────┐
│ SECRET NAME │ SECRET VALUE │ SECRET TYPE │
├─────────────┼──────────────┼─────────────┤
│ A           │ one          │ shared      │
└─────────────┴──────────────┴─────────────┘"
        );
    }

    #[test]
    fn a_narrow_terminal_cuts_no_name() {
        let name = "alice@example.com/example-0c1d2e";
        let rows = vec![vec!["*".into(), name.into(), "x".repeat(90)]];
        let mut table = table(&["", "profile", "server"], rows, true);
        table.set_width(60);
        let text = table.to_string();
        assert!(text.contains(name) && text.contains('…'), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }

    #[test]
    fn what_a_server_says_cannot_steer_the_terminal() {
        assert_eq!(
            escape_line("a\x1b[2Jb\nhint: x\u{202e}y\u{200b}\u{9b}"),
            "a\\u{1b}[2Jb\\nhint: x\\u{202e}y\\u{200b}\\u{9b}"
        );
        assert_eq!(escape_text("a\nb\tc\r"), "a\nb\tc\\r");
        assert_eq!(escape_line("grüße 日本 👍"), "grüße 日本 👍");
    }

    #[test]
    fn l11_json_for_a_terminal_means_the_same() {
        let value = serde_json::json!({ "a\u{202e}": ["\u{9b}2J\u{7f}\u{e0041}\n\x1b", "grüße"] });
        let safe = escape_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!safe.contains(|c| c != '\n' && steers(c)), "{safe:?}");
        assert!(safe.contains("\\u009b") && safe.contains("grüße"), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }

    #[test]
    fn deleting_without_anybody_to_ask_needs_yes() {
        let ui = Ui { silent: true, interactive: false };
        assert_eq!(ui.confirm_deletion("it", false).unwrap_err().kind, Kind::Usage);
        assert!(ui.confirm_deletion("it", true).is_ok());
    }
}
