//! Certificates and public keys, which the flags of methods name by their files.

use std::path::Path;

use secrecy::ExposeSecret as _;

use crate::{credential, error::CliError};

/// Certificates to trust: those of a file, or none in place of those that there are.
pub(super) fn certificates(file: Option<&Path>, none: bool) -> Result<Option<String>, CliError> {
    match file {
        Some(file) => read("certificate", file).map(Some),
        None => Ok(none.then(String::new)),
    }
}

/// What a file holds. It is public, but a private key might be named by mistake, which must not be
/// sent anywhere.
pub(super) fn read(what: &str, file: &Path) -> Result<String, CliError> {
    let text = credential::from_file(what, file)?;
    if text.expose_secret().contains("PRIVATE KEY-----") {
        let error = format!("`{}` holds a private key, which nobody else needs", file.display());
        return Err(CliError::usage(error).hint(format!("name the file of the {what}")));
    }
    Ok(text.expose_secret().to_owned())
}
