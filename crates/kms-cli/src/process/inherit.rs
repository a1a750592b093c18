//! Which of its parent's variables a program inherits.

use std::ffi::OsStr;

/// What a program gets of a clean environment: where programs are, whose session it is, and how to
/// talk to the person.
const KEPT: &[&str] =
    &["HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER", "LC_*"];

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inherit {
    /// Everything but our own credentials.
    All,
    /// The few that most programs need, and those of these names; `*` at the end of one stands for
    /// anything.
    Only(Vec<String>),
}

impl Inherit {
    /// Whether a variable is inherited.
    pub fn keeps(&self, name: &OsStr) -> bool {
        let Self::Only(more) = self else { return true };
        let Some(name) = name.to_str() else { return false };
        let is = |pattern: &str| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == pattern,
        };
        KEPT.iter().copied().chain(more.iter().map(String::as_str)).any(is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_environment_keeps_a_few_names_and_those_allowed() {
        let only = Inherit::Only(vec!["AWS_*".into(), "CI".into()]);
        for (name, kept) in [
            ("PATH", true),
            ("LC_ALL", true),
            ("AWS_REGION", true),
            ("CI", true),
            ("CIRCLE", false),
            ("PATHS", false),
            ("SSH_AUTH_SOCK", false),
        ] {
            assert_eq!(only.keeps(OsStr::new(name)), kept, "{name}");
            assert!(Inherit::All.keeps(OsStr::new(name)));
        }
    }
}
