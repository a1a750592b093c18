//! Which names a shell can take as a variable.

/// Why a name is refused that is none.
pub(super) const NO_IDENTIFIER: &str =
    "is not a variable's name (letters, digits and `_`, no digit first)";

/// Whether a name is a variable's name in every shell: a letter or `_`, then letters, digits, `_`.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Variables that a shell computes, keeps read-only or ties to an array, so that reading a file
/// leaves something else in them than the file says. From the manuals of bash ("Shell
/// Variables") and zsh ("Parameters Set By The Shell", "The zsh/parameter Module").
#[rustfmt::skip]
const OWNED_BY_SHELLS: &[&str] = &[
    "ARGC", "BASHOPTS", "BASHPID", "BASH_ALIASES", "BASH_ARGC", "BASH_ARGV", "BASH_ARGV0",
    "BASH_CMDS", "BASH_COMMAND", "BASH_LINENO", "BASH_REMATCH", "BASH_SOURCE", "BASH_SUBSHELL",
    "BASH_VERSINFO", "BASH_XTRACEFD", "COLUMNS", "COMP_WORDBREAKS", "DIRSTACK", "EGID",
    "EPOCHREALTIME", "EPOCHSECONDS", "ERRNO", "EUID", "FUNCNAME", "FUNCNEST", "GID", "GROUPS",
    "HISTCMD", "HISTSIZE", "IFS", "KEYBOARD_HACK", "KEYTIMEOUT", "LINENO", "LINES", "LISTMAX",
    "LOGCHECK", "MAILCHECK", "OPTIND", "PIPESTATUS", "PPID", "RANDOM", "SAVEHIST", "SECONDS",
    "SHELLOPTS", "SHLVL", "SRANDOM", "TRY_BLOCK_ERROR", "TRY_BLOCK_INTERRUPT", "TTYIDLE", "UID",
    "USERNAME", "ZSH_EVAL_CONTEXT", "ZSH_SUBSHELL", "_", "aliases", "argv", "builtins", "cdpath",
    "commands", "dirstack", "dis_aliases", "dis_builtins", "dis_functions", "dis_functions_source",
    "dis_galiases", "dis_patchars", "dis_reswords", "dis_saliases", "fignore", "fpath",
    "funcfiletrace", "funcsourcetrace", "funcstack", "functions", "functions_source", "functrace",
    "galiases", "histchars", "history", "historywords", "jobdirs", "jobstates", "jobtexts",
    "keymaps", "mailpath", "manpath", "module_path", "modules", "nameddirs", "options",
    "parameters", "patchars", "path", "pipestatus", "psvar", "reswords", "saliases", "signals",
    "status", "termcap", "terminfo", "userdirs", "usergroups", "watch", "widgets",
    "zsh_eval_context", "zsh_scheduled_events",
];

/// Whether a shell keeps a name to itself.
pub(super) fn is_owned_by_a_shell(name: &str) -> bool {
    OWNED_BY_SHELLS.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_names_are_sorted_for_the_search() {
        assert!(OWNED_BY_SHELLS.is_sorted());
        assert!(is_owned_by_a_shell("UID"));
        assert!(is_owned_by_a_shell("_"));
        assert!(!is_owned_by_a_shell("DATABASE_URL"));
    }

    #[test]
    fn r1_names_that_could_be_code_or_options_are_no_identifiers() {
        for name in ["", "1A", "-rf", "A;id", "A B", "A=B", "A\n", "$(id)", "A-B", "É"] {
            assert!(!is_identifier(name), "{name:?}");
        }
        for name in ["A", "_a", "A1_b"] {
            assert!(is_identifier(name), "{name:?}");
        }
    }
}
