//! Names that are not like others in an environment.

/// Names that a secret never replaces, as in the compatible client: they describe the terminal
/// and the user's session.
const RESERVED: &[&str] = &[
    "EDITOR",
    "HOME",
    "MAIL",
    "PATH",
    "PS1",
    "PS2",
    "PWD",
    "SHELL",
    "TERM",
    "TERMINFO",
    "USER",
    "XAUTHORITY",
];
const RESERVED_PREFIXES: &[&str] = &["LC_", "XDG_"];

/// Names by which the loader, the C library, a language runtime, a shell or git is told to load
/// or start something else. Who may write a secret must not thereby run code.
const DANGEROUS: &[&str] = &[
    "BASHOPTS",
    "BASH_ENV",
    "BROWSER",
    "CLASSPATH",
    "CORECLR_ENABLE_PROFILING",
    "COR_ENABLE_PROFILING",
    "DOTNET_STARTUP_HOOKS",
    "ENV",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GIT_ASKPASS",
    "GIT_EDITOR",
    "GIT_EXEC_PATH",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_PROXY_COMMAND",
    "GIT_SEQUENCE_EDITOR",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_TEMPLATE_DIR",
    "GLIBC_TUNABLES",
    "HOSTALIASES",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LESSCLOSE",
    "LESSOPEN",
    "LOCPATH",
    "LUA_CPATH",
    "LUA_PATH",
    "MALLOC_TRACE",
    "MANPAGER",
    "NLSPATH",
    "NODE_OPTIONS",
    "NODE_PATH",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "PAGER",
    "PERL5DB",
    "PERL5LIB",
    "PERL5OPT",
    "PERLLIB",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "PROMPT_COMMAND",
    "PS4",
    "PYTHONBREAKPOINT",
    "PYTHONHOME",
    "PYTHONINSPECT",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "PYTHONWARNINGS",
    "RESOLV_HOST_CONF",
    "RUBYLIB",
    "RUBYOPT",
    "SHELLOPTS",
    "SSH_ASKPASS",
    "SSLKEYLOGFILE",
    "VISUAL",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
];
/// `BASH_FUNC_` because bash takes such variables for functions.
const DANGEROUS_PREFIXES: &[&str] =
    &["BASH_FUNC_", "CORECLR_PROFILER", "COR_PROFILER", "DYLD_", "GIT_CONFIG", "LD_", "LUA_INIT"];

fn stands_in(name: &str, names: &[&str], prefixes: &[&str]) -> bool {
    names.binary_search(&name).is_ok() || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether secrets of this name are left out of the environment.
pub(super) fn is_reserved(name: &str) -> bool {
    stands_in(name, RESERVED, RESERVED_PREFIXES)
}

/// Whether a secret of this name could make a program run something else.
pub fn is_dangerous(name: &str) -> bool {
    stands_in(name, DANGEROUS, DANGEROUS_PREFIXES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_the_search() {
        assert!(RESERVED.is_sorted());
        assert!(DANGEROUS.is_sorted());
    }

    #[test]
    fn r3_loader_variables_are_dangerous() {
        for name in [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "LD_AUDIT",
            "DYLD_INSERT_LIBRARIES",
            "NODE_OPTIONS",
            "BASH_ENV",
            "ENV",
            "PYTHONSTARTUP",
            "PERL5OPT",
            "RUBYOPT",
            "GIT_SSH_COMMAND",
            "GIT_CONFIG_COUNT",
            "BASH_FUNC_ls%%",
        ] {
            assert!(is_dangerous(name), "{name}");
        }
        assert!(!is_dangerous("DATABASE_URL"));
        assert!(!is_dangerous("ENVIRONMENT"));
    }
}
