//! The environment of the program that `run` starts.

use std::{collections::BTreeMap, ffi::OsString, fmt};

use kms_api::secrets::Secret;

use super::names;
use crate::env_vars::is_own_credential;

/// Variables for a program.
pub struct Environment {
    pub(super) variables: BTreeMap<OsString, OsString>,
    /// How many secrets are among them.
    pub injected: usize,
    /// Names of secrets that were left out, since they describe terminal and session.
    pub dropped: Vec<String>,
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
