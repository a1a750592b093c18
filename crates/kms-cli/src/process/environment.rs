//! The environment of the program that `run` starts.

use std::{collections::BTreeMap, ffi::OsString, fmt};

use kms_api::{SecretValue, secrets::Secret};

use super::names;
use crate::env_vars::is_own_credential;

/// Bytes of one variable, its name, `=` and the end included (Linux, `MAX_ARG_STRLEN`).
const MAX_VARIABLE: usize = 128 * 1024;

/// Variables for a program.
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    /// How many secrets are among them.
    pub injected: usize,
    /// Names of secrets that were left out, since they describe terminal and session.
    pub dropped: Vec<String>,
}

impl Environment {
    /// The variables.
    pub(crate) fn variables(&self) -> &BTreeMap<OsString, OsString> {
        &self.variables
    }

    /// Names of variables that are larger than Linux hands to a program.
    pub(super) fn oversized(&self) -> Vec<String> {
        let size = |(name, value): &(&OsString, &OsString)| name.len() + value.len() + 2;
        let large = self.variables.iter().filter(|pair| size(pair) > MAX_VARIABLE);
        large.map(|(name, _)| name.to_string_lossy().into_owned()).collect()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("names", &self.variables.keys()).finish_non_exhaustive()
    }
}

/// Why secrets do not make an environment. Nothing is started then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// An environment cannot hold these.
    #[error("an environment cannot hold {}", list(.0))]
    Unfit(Vec<String>),
    /// These could make the program run something else.
    #[error("{} would decide what code the program loads or starts", list(.0))]
    Dangerous(Vec<String>),
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> =
        names.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
    quoted.join(", ")
}

/// Refuses values that came from a server for variables that somebody else named: who may write a
/// secret must not thereby run code, whatever the variable was called here. A reserved name is refused
/// too, and not left out: a `PATH` that is a reference finds no program.
pub fn check_referred<'v>(
    values: impl IntoIterator<Item = (&'v str, &'v SecretValue)>,
    allowed: &[String],
) -> Result<(), EnvironmentError> {
    let (mut unfit, mut dangerous) = (Vec::new(), Vec::new());
    for (name, value) in values {
        if value.expose().contains('\0') {
            unfit.push(name.to_owned());
        }
        let decides = names::is_dangerous(name) || names::is_reserved(name);
        if decides && !allowed.iter().any(|allowed| allowed == name) {
            dangerous.push(name.to_owned());
        }
    }
    match (unfit.is_empty(), dangerous.is_empty()) {
        (false, _) => Err(EnvironmentError::Unfit(unfit)),
        (true, false) => Err(EnvironmentError::Dangerous(dangerous)),
        (true, true) => Ok(()),
    }
}

/// The parent's variables without our own credentials, overlaid by the secrets.
///
/// A secret wins over a variable. Reserved names are left out, dangerous names refused, unless
/// they are `allowed`. Refused in any case: an empty name, `=` or NUL in a name, NUL in a value.
/// Names among the secrets are unique; precedence is decided before.
pub fn environment(
    parent: impl IntoIterator<Item = (OsString, OsString)>,
    secrets: &[Secret],
    allowed: &[String],
) -> Result<Environment, EnvironmentError> {
    let is_allowed = |name: &String| allowed.contains(name);
    let (dropped, kept): (Vec<&Secret>, Vec<&Secret>) = secrets.iter().partition(|secret| {
        names::is_reserved(&secret.secret_key) && !is_allowed(&secret.secret_key)
    });
    let named = |filter: &dyn Fn(&Secret) -> bool| -> Vec<String> {
        let matching = kept.iter().filter(|secret| filter(secret));
        matching.map(|secret| secret.secret_key.clone()).collect()
    };
    let unfit = named(&|secret| {
        let name = &secret.secret_key;
        name.is_empty() || name.contains(['=', '\0']) || secret.secret_value.expose().contains('\0')
    });
    if !unfit.is_empty() {
        return Err(EnvironmentError::Unfit(unfit));
    }
    let dangerous =
        named(&|secret| names::is_dangerous(&secret.secret_key) && !is_allowed(&secret.secret_key));
    if !dangerous.is_empty() {
        return Err(EnvironmentError::Dangerous(dangerous));
    }
    let mut variables: BTreeMap<OsString, OsString> = parent
        .into_iter()
        .filter(|(name, _)| !name.to_str().is_some_and(is_own_credential))
        .collect();
    for secret in &kept {
        variables.insert(
            OsString::from(&secret.secret_key),
            OsString::from(secret.secret_value.expose()),
        );
    }
    Ok(Environment {
        variables,
        injected: kept.len(),
        dropped: dropped.iter().map(|secret| secret.secret_key.clone()).collect(),
    })
}
