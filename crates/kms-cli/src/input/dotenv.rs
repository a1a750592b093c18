//! Dotenv lines, as `export` writes them and as people do.
//!
//! | line | meaning |
//! | --- | --- |
//! | blank, `# …`, `// …` | nothing |
//! | `NAME=text`, `export NAME=text` | the text without surrounding blanks; ` #` starts a comment |
//! | `NAME='text'` | exactly the text, over several lines if need be; `'\''` is one `'` |
//! | `NAME="text"` | the same with the escapes `\n`, `\r`, `\t`, `\\`, `\"`, `\$`, `` \` `` |
//!
//! A backslash before any other character stays. Nothing is expanded. After a closing quote only
//! a comment may follow. A byte order mark at the start is skipped.

use super::{Entry, LineError};

pub(super) fn parse(text: &str) -> Result<Vec<Entry>, LineError> {
    let mut reader = Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let mut entries = Vec::new();
    while !reader.rest.is_empty() {
        if let Some(entry) = reader.entry()? {
            entries.push(entry);
        }
    }
    Ok(entries)
}

struct Reader<'a> {
    rest: &'a str,
    /// Counts from 1.
    line: usize,
}

impl<'a> Reader<'a> {
    /// Takes the rest of the line and its end.
    fn take_line(&mut self) -> &'a str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        line
    }

    /// Takes one line, or more where quotes go on.
    fn entry(&mut self) -> Result<Option<Entry>, LineError> {
        let line = self.line;
        let trimmed = self.rest.lines().next().unwrap_or_default().trim();
        if trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with("//") {
            self.take_line();
            return Ok(None);
        }
        let Some((name, _)) = trimmed.split_once('=') else {
            return Err((line, "there is no `=`".to_owned()));
        };
        let name = match name.strip_prefix("export") {
            Some(after) if after.starts_with([' ', '\t']) => after.trim(),
            _ => name.trim_end(),
        };
        let start = self.rest.find('=').map_or(0, |position| position + 1);
        self.rest = self.rest[start..].trim_start_matches([' ', '\t']);
        let value = match self.rest.chars().next() {
            Some('\'') => self.quoted(Self::single_quoted)?,
            Some('"') => self.quoted(Self::double_quoted)?,
            _ => unquoted(self.take_line()).to_owned(),
        };
        Ok(Some(Entry { line, name: name.to_owned(), value: value.into() }))
    }

    /// Takes a quoted value and what follows it on its last line.
    fn quoted(
        &mut self,
        take: fn(&mut Self, &mut String) -> Option<()>,
    ) -> Result<String, LineError> {
        let opened = self.line;
        let mut value = String::new();
        take(self, &mut value).ok_or_else(|| (opened, "the quote is never closed".to_owned()))?;
        let closed = self.line;
        let after = self.take_line().trim();
        if after.is_empty() || after.starts_with('#') {
            Ok(value)
        } else {
            Err((closed, "there is text after the closing quote".to_owned()))
        }
    }

    fn single_quoted(&mut self, value: &mut String) -> Option<()> {
        loop {
            let (text, rest) = self.rest[1..].split_once('\'')?;
            self.line += text.matches('\n').count();
            value.push_str(text);
            self.rest = rest;
            if !rest.starts_with("\\''") {
                return Some(());
            }
            value.push('\'');
            self.rest = &rest[2..];
        }
    }

    fn double_quoted(&mut self, value: &mut String) -> Option<()> {
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((position, character)) = characters.next() {
            match character {
                '"' => {
                    self.line += self.rest[..position].matches('\n').count();
                    self.rest = &self.rest[position + 1..];
                    return Some(());
                }
                '\\' => push_escape(value, characters.next()?.1),
                other => value.push(other),
            }
        }
        None
    }
}

fn push_escape(value: &mut String, character: char) {
    match character {
        'n' => value.push('\n'),
        'r' => value.push('\r'),
        't' => value.push('\t'),
        '\\' | '"' | '$' | '`' => value.push(character),
        other => value.extend(['\\', other]),
    }
}

/// The text up to a comment, without surrounding blanks.
fn unquoted(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(position, _)| {
        line[..*position].ends_with(|c: char| c.is_whitespace()) || *position == 0
    });
    comment.map_or(line, |(position, _)| &line[..position]).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let entries = parse(text).unwrap();
        entries.into_iter().map(|entry| (entry.name, entry.value.expose().to_owned())).collect()
    }

    fn value(text: &str) -> String {
        let mut pairs = pairs(text);
        assert_eq!(pairs.len(), 1, "{pairs:?}");
        pairs.remove(0).1
    }

    #[test]
    fn comments_blanks_and_export_are_understood() {
        let text = "\u{feff}# c\n// c\n\n  export A = one \r\nB=\nexportC=x\n";
        let expected = [("A", "one"), ("B", ""), ("exportC", "x")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs(text), expected);
    }

    #[test]
    fn a_comment_needs_a_blank_before_it() {
        assert_eq!(value("A=a#b # c"), "a#b");
        assert_eq!(value("A=# c"), "");
        assert_eq!(value("A='a # b' # c"), "a # b");
    }

    #[test]
    fn single_quotes_change_nothing_and_go_over_lines() {
        assert_eq!(value("A='a\\n\"$x\n  b'"), "a\\n\"$x\n  b");
        assert_eq!(value("export A='it'\\''s'"), "it's");
        assert_eq!(value("A=''\\'''"), "'");
    }

    #[test]
    fn double_quotes_know_the_common_escapes() {
        assert_eq!(value(r#"A="a\nb\t\"\\\$\`\d""#), "a\nb\t\"\\$`\\d");
        assert_eq!(value("A=\"a\nb\""), "a\nb");
    }

    #[test]
    fn errors_name_the_line() {
        assert_eq!(parse("A=1\nB\n").unwrap_err().0, 2);
        assert_eq!(parse("A=1\n\nB='x\ny").unwrap_err().0, 3);
        assert_eq!(parse("A='x\ny' z\n").unwrap_err().0, 2);
        assert_eq!(parse("A='x\ny'\nB").unwrap_err().0, 3);
    }
}
