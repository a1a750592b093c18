//! From text to pieces of text and the tokens of actions.

/// A word of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `.name`, or `.` alone as an empty name.
    Field(String),
    /// `$name`, or `$` alone as an empty name.
    Variable(String),
    /// A function or a keyword.
    Word(String),
    Text(String),
    Int(i64),
    Pipe,
    Open,
    Close,
    Comma,
    /// `=`.
    Assign,
    /// `:=`.
    Declare,
    /// Blanks, which end an argument.
    Space,
}

/// A piece of a template, with its offset in bytes.
#[derive(Debug)]
pub(super) enum Piece {
    Text(String),
    Action(usize, Vec<(usize, Token)>),
}

/// An offset in bytes, and what is wrong there.
pub(super) type Wrong = (usize, String);

/// Splits a template.
pub(super) fn lex(text: &str) -> Result<Vec<Piece>, Wrong> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut trim_next = false;
    loop {
        let rest = &text[at..];
        let found = rest.find("{{");
        let mut plain = &rest[..found.unwrap_or(rest.len())];
        if trim_next {
            plain = plain.trim_start();
        }
        let Some(found) = found else {
            pieces.push(Piece::Text(plain.to_owned()));
            return Ok(pieces);
        };
        let start = at + found;
        let mut inner = start + 2;
        let after = &text[inner..];
        if after.starts_with('-') && after[1..].starts_with(char::is_whitespace) {
            plain = plain.trim_end();
            inner += 1;
        }
        pieces.push(Piece::Text(plain.to_owned()));
        let (tokens, end, trims) = action(text, inner, start)?;
        if let Some(tokens) = tokens {
            pieces.push(Piece::Action(start, tokens));
        }
        (at, trim_next) = (end, trims);
    }
}

/// The tokens of one action (none for a comment), where it ends, and whether blanks after it go.
#[expect(clippy::type_complexity, reason = "three things that only the caller takes apart")]
fn action(
    text: &str,
    mut at: usize,
    start: usize,
) -> Result<(Option<Vec<(usize, Token)>>, usize, bool), Wrong> {
    let open = || (start, "this action has no `}}`".to_owned());
    if text[at..].trim_start().starts_with("/*") {
        let end = text[at..].find("*/").ok_or_else(open)? + at + 2;
        let rest = text[end..].trim_start();
        let (rest, trims) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
        let rest = rest.strip_prefix("}}").ok_or_else(open)?;
        return Ok((None, text.len() - rest.len(), trims));
    }
    let mut tokens = Vec::new();
    loop {
        let rest = &text[at..];
        if rest.starts_with("}}") {
            return Ok((Some(tokens), at + 2, false));
        }
        let blanks = rest.len() - rest.trim_start().len();
        if blanks > 0 && rest[blanks..].starts_with("-}}") {
            return Ok((Some(tokens), at + blanks + 3, true));
        }
        if blanks > 0 {
            tokens.push((at, Token::Space));
            at += blanks;
            continue;
        }
        if rest.is_empty() {
            return Err(open());
        }
        let (token, length) = token(rest).map_err(|reason| (at, reason))?;
        tokens.push((at, token));
        at += length;
    }
}

/// The next token, and how many bytes it takes.
fn token(rest: &str) -> Result<(Token, usize), String> {
    let mut characters = rest.chars();
    let first = characters.next().unwrap_or_default();
    let one = |token| Ok((token, 1));
    match first {
        '|' => one(Token::Pipe),
        '(' => one(Token::Open),
        ')' => one(Token::Close),
        ',' => one(Token::Comma),
        '=' => one(Token::Assign),
        ':' if rest.starts_with(":=") => Ok((Token::Declare, 2)),
        '.' => {
            let name = word(&rest[1..]);
            Ok((Token::Field(name.to_owned()), 1 + name.len()))
        }
        '$' => {
            let name = word(&rest[1..]);
            Ok((Token::Variable(name.to_owned()), 1 + name.len()))
        }
        '"' => quoted(rest),
        '`' => {
            let end = rest[1..].find('`').ok_or("this text has no closing quote")?;
            Ok((Token::Text(rest[1..=end].to_owned()), end + 2))
        }
        '-' | '0'..='9' => {
            let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count() + 1;
            let number = rest[..digits].parse().map_err(|_| "this is no whole number")?;
            Ok((Token::Int(number), digits))
        }
        _ => {
            let name = word(rest);
            if name.is_empty() {
                return Err(format!("`{}` has no meaning here", first.escape_debug()));
            }
            Ok((Token::Word(name.to_owned()), name.len()))
        }
    }
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// A text between double quotes, with the escapes of Go that templates use.
fn quoted(rest: &str) -> Result<(Token, usize), String> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((Token::Text(text), at + 1)),
            '\n' => break,
            '\\' => text.push(match characters.next() {
                Some((_, 'n')) => '\n',
                Some((_, 't')) => '\t',
                Some((_, 'r')) => '\r',
                Some((_, escaped @ ('"' | '\\'))) => escaped,
                _ => return Err("this text has an escape that is not known".into()),
            }),
            other => text.push(other),
        }
    }
    Err("this text has no closing quote".into())
}
