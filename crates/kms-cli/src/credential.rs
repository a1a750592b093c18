//! Credentials that come from where the process list does not show them.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use secrecy::SecretString;

use crate::error::{CliError, ResultExt as _};

/// No credential is longer; what is, is the wrong file.
const MAX_BYTES: u64 = 64 * 1024;

/// Reads all of standard input. One line break at the end is not part of the credential.
pub(crate) fn from_stdin(what: &str) -> Result<SecretString, CliError> {
    read(what, io::stdin().lock()).context(format!("could not read the {what} from standard input"))
}

/// Reads a file. One line break at the end is not part of the credential.
pub(crate) fn from_file(what: &str, path: &Path) -> Result<SecretString, CliError> {
    let doing = format!("could not read the {what} from `{}`", path.display());
    let file = File::open(path).map_err(CliError::usage);
    file.and_then(|file| read(what, file)).context(doing)
}

fn read(what: &str, source: impl Read) -> Result<SecretString, CliError> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(CliError::usage(format!("it is too long for a {what}")));
    }
    // The error of a failed conversion would hold the bytes.
    let text = String::from_utf8(bytes).map_err(|_| CliError::usage("it is not UTF-8 text"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(CliError::usage("it is empty"));
    }
    Ok(line.into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_it() {
        for (text, expected) in [("s", "s"), ("s\n", "s"), ("s\r\n", "s"), ("s\n\n", "s\n")] {
            let secret = read("secret", text.as_bytes()).unwrap();
            assert_eq!(secret.expose_secret(), expected);
        }
    }

    #[test]
    fn d6_what_is_unusable_is_refused_without_quoting_it() {
        let long = vec![b'c'; 65 * 1024];
        for bytes in [&b"canary\xff"[..], b"", b"\n", &long] {
            let error = read("secret", bytes).unwrap_err();
            assert!(!format!("{error:?}").contains("canary"));
        }
    }
}
