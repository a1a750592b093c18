//! Formats whose readers do not run here. Each is read back by a small reader that is written from
//! the reader's documentation, apart from the writer; the documentation of `export` says so.

use kms_cli::formats::{Format, render};

use crate::support::{Pairs, assert_same, draw, numbered, secret, text, written};

/// Every drawn value that a format carries, and that it carries most of them.
fn carried(format: Format) -> Pairs {
    let drawn = draw(text(), 2_000);
    let all = drawn.len();
    let is_carried = |value: &String| render(format, &[secret("K", value)]).is_ok();
    let pairs = numbered(drawn.into_iter().filter(is_carried));
    assert!(pairs.len() > all / 10, "{} of {all}", pairs.len());
    pairs
}

fn check(format: Format, read: fn(&str) -> Pairs) {
    let pairs = carried(format);
    let written = written(format, &pairs);
    assert_same(format.name(), &read(&written.rendered.text), &pairs);
}

/// `docker run --env-file`: lines up to a newline with the carriage return before it, blanks at
/// the start dropped, comments skipped, cut at the first `=`.
fn docker(text: &str) -> Pairs {
    let lines = text.split_inclusive('\n').map(|line| {
        let line = line.strip_suffix('\n').unwrap();
        line.strip_suffix('\r').unwrap_or(line).trim_start()
    });
    let said = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    said.map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// `EnvironmentFile=`: a value between double quotes, where a backslash keeps itself unless one of
/// four characters follows.
fn systemd(text: &str) -> Pairs {
    let mut pairs = Pairs::new();
    let mut rest = text.chars();
    loop {
        let name: String = rest.by_ref().take_while(|c| *c != '=').collect();
        if name.is_empty() {
            return pairs;
        }
        assert_eq!(rest.next(), Some('"'));
        let mut value = String::new();
        loop {
            match rest.next().unwrap() {
                '"' => break,
                '\\' => match rest.next().unwrap() {
                    c @ ('"' | '\\' | '`' | '$') => value.push(c),
                    '\n' => {}
                    other => value.extend(['\\', other]),
                },
                other => value.push(other),
            }
        }
        assert_eq!(rest.next(), Some('\n'));
        pairs.insert(name, value);
    }
}

/// `$GITHUB_ENV`: lines end with a newline, with the carriage return before it; lines of a value
/// keep the ends between them.
fn github(text: &str) -> Pairs {
    let mut pairs = Pairs::new();
    let mut lines = text.split_inclusive('\n').map(|line| {
        let bare = line.strip_suffix('\n').unwrap();
        match bare.strip_suffix('\r') {
            Some(bare) => (bare, "\r\n"),
            None => (bare, "\n"),
        }
    });
    while let Some((head, _)) = lines.next() {
        let (name, delimiter) = head.split_once("<<").unwrap();
        let (mut value, mut end) = (String::new(), None);
        for (line, its_end) in lines.by_ref() {
            if line == delimiter {
                break;
            }
            value.push_str(end.unwrap_or_default());
            value.push_str(line);
            end = Some(its_end);
        }
        pairs.insert(name.to_owned(), value);
    }
    pairs
}

/// One statement on each line: texts between single quotes and characters, added up.
fn powershell(text: &str) -> Pairs {
    assert!(text.is_ascii(), "Windows PowerShell reads in the code page of the machine");
    let statement = |line: &str| {
        let (name, expression) = line.strip_prefix("$env:").unwrap().split_once(" = ").unwrap();
        let mut units = Vec::new();
        let mut rest = expression;
        loop {
            rest = if let Some(quoted) = rest.strip_prefix('\'') {
                let end = end_of_quotes(quoted);
                units.extend(quoted[..end].replace("''", "'").encode_utf16());
                &quoted[end + 1..]
            } else {
                let code = rest.strip_prefix("[char]0x").unwrap();
                units.push(u16::from_str_radix(&code[..4], 16).unwrap());
                &code[4..]
            };
            if rest.is_empty() {
                break;
            }
            rest = rest.strip_prefix(" + ").unwrap();
        }
        (name.to_owned(), String::from_utf16(&units).unwrap())
    };
    text.lines().map(statement).collect()
}

/// Where the first single quote is that no other follows.
fn end_of_quotes(text: &str) -> usize {
    let mut from = 0;
    loop {
        let at = from + text[from..].find('\'').unwrap();
        if !text[at + 1..].starts_with('\'') {
            return at;
        }
        from = at + 2;
    }
}

#[test]
fn r2_docker_reads_back_what_its_lines_can_hold() {
    check(Format::DockerEnv, docker);
}

#[test]
fn r2_systemd_reads_back_what_it_does_not_drop() {
    check(Format::Systemd, systemd);
}

#[test]
fn r1_github_reads_back_values_of_any_lines() {
    check(Format::Github, github);
}

#[test]
fn r1_powershell_reads_back_any_text_from_ascii() {
    check(Format::Powershell, powershell);
}
