//! What `secrets set` reads: `NAME=VALUE` arguments and files. No requests, no output.

mod assignment;
mod dotenv;
mod name;
mod yaml;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use kms_api::SecretValue;
use secrecy::zeroize::Zeroizing;

pub use assignment::{Source, parse_argument};
pub use name::{NameError, check_name};

/// More than any store takes; a wrong path such as a device must not fill the memory.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// A name and the value it is to have.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The name, checked.
    pub name: String,
    /// The value; may be empty.
    pub value: SecretValue,
}

/// Why arguments or files were not taken. Texts name lines and names, never values.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// No `=` in an argument, or nothing before it. The argument is not repeated: it may be a
    /// value.
    #[error("argument {position} is not of the form NAME=VALUE")]
    NotAnAssignment {
        /// Counts from 1.
        position: usize,
    },
    /// A name that cannot be stored.
    #[error("name `{}` {reason}", .name.escape_debug())]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: NameError,
    },
    /// A file could not be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else than UTF-8 text.
    #[error("`{}` is not UTF-8 text; encode it first, for example with base64", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A file is larger than any secret may be.
    #[error("`{}` is larger than {} MiB", .path.display(), MAX_FILE_BYTES / 1024 / 1024)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A line of a file was not understood.
    #[error("`{}`, line {line}: {reason}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counts from 1.
        line: usize,
        /// What is wrong with it; never its text.
        reason: String,
    },
}

/// Reads all of a file as UTF-8 text; `-` is the standard input.
pub fn read_text(path: &Path) -> Result<Zeroizing<String>, InputError> {
    let read_error = |source| InputError::Read { path: path.to_owned(), source };
    let mut bytes = Zeroizing::new(Vec::new());
    let count = if path == Path::new("-") {
        io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)
    } else {
        let file = File::open(path).map_err(read_error)?;
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)
    };
    if count.map_err(read_error)? as u64 > MAX_FILE_BYTES {
        return Err(InputError::TooLarge { path: path.to_owned() });
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(InputError::NotText { path: path.to_owned() })
        }
    }
}

/// Reads `--file`: a flat map of strings for `.yaml` and `.yml`, else dotenv lines. A name that
/// stands there twice has its last value.
pub fn read_file(path: &Path) -> Result<Vec<Assignment>, InputError> {
    let text = read_text(path)?;
    let is_yaml = path
        .extension()
        .is_some_and(|ext| ext.eq_ignore_ascii_case("yaml") || ext.eq_ignore_ascii_case("yml"));
    let parsed = if is_yaml { yaml::parse(&text) } else { dotenv::parse(&text) };
    let entries = parsed.map_err(|(line, reason)| InputError::Line {
        path: path.to_owned(),
        line,
        reason,
    })?;
    let mut assignments = Vec::with_capacity(entries.len());
    for Entry { line, name, value } in entries {
        check_name(&name).map_err(|reason| InputError::Line {
            path: path.to_owned(),
            line,
            reason: format!("name `{}` {reason}", name.escape_debug()),
        })?;
        assignments.push(Assignment { name, value });
    }
    Ok(last_of_each(assignments))
}

/// Keeps the last assignment of each name, in the order of first mention.
pub fn last_of_each(assignments: Vec<Assignment>) -> Vec<Assignment> {
    let mut kept: Vec<Assignment> = Vec::with_capacity(assignments.len());
    let mut places = std::collections::HashMap::new();
    for assignment in assignments {
        if let Some(&place) = places.get(&assignment.name) {
            kept[place] = assignment;
        } else {
            places.insert(assignment.name.clone(), kept.len());
            kept.push(assignment);
        }
    }
    kept
}

/// One name and value of a file, with the line it starts in (from 1).
#[derive(Debug)]
struct Entry {
    line: usize,
    name: String,
    value: SecretValue,
}

/// A line (from 1) and what is wrong there.
type LineError = (usize, String);

#[cfg(test)]
mod tests {
    use super::*;

    fn file(extension: &str, text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::Builder::new().suffix(extension).tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn the_last_value_of_a_name_counts_and_its_place_is_the_first() {
        let file = file(".env", "A=1\nB=2\nA=3\n");
        let read = read_file(file.path()).unwrap();
        let pairs: Vec<_> = read.iter().map(|a| (a.name.as_str(), a.value.expose())).collect();
        assert_eq!(pairs, [("A", "3"), ("B", "2")]);
    }

    #[test]
    fn an_error_names_file_line_and_name_but_no_value() {
        let file = file(".env", "A=1\n\n1BAD=canary\n");
        let text = read_file(file.path()).unwrap_err().to_string();
        assert!(text.contains("line 3: name `1BAD` starts with a digit"), "{text}");
        assert!(!text.contains("canary"));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let file = file(".env", "");
        std::fs::write(file.path(), [b'A', b'=', 0xff]).unwrap();
        assert!(matches!(read_file(file.path()), Err(InputError::NotText { .. })));
    }

    #[test]
    fn yaml_is_chosen_by_the_extension() {
        let file = file(".YML", "A: one\nB: \"yes\"\n");
        assert_eq!(read_file(file.path()).unwrap().len(), 2);
    }
}
