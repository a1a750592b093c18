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
    "BASH_LOADABLES_PATH",
    "BROWSER",
    "BUNDLE_GEMFILE",
    "CLASSPATH",
    "CORECLR_ENABLE_PROFILING",
    "COR_ENABLE_PROFILING",
    "DOTNET_STARTUP_HOOKS",
    "ELIXIR_ERL_OPTIONS",
    "ENV",
    "ERL_AFLAGS",
    "ERL_FLAGS",
    "ERL_LIBS",
    "ERL_ZFLAGS",
    "EXINIT",
    "GCONV_PATH",
    "GEM_HOME",
    "GEM_PATH",
    "GETCONF_DIR",
    "GIT_ASKPASS",
    "GIT_COMMON_DIR",
    "GIT_DIR",
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
    "GNUMAKEFLAGS",
    "GRADLE_OPTS",
    "GVIMINIT",
    "HOSTALIASES",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LESSCLOSE",
    "LESSOPEN",
    "LOCPATH",
    "MAKEFILES",
    "MAKEFLAGS",
    "MALLOC_TRACE",
    "MANPAGER",
    "MAVEN_OPTS",
    "MFLAGS",
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
    "PS0",
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
    "VIMINIT",
    "VISUAL",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
];
/// `BASH_FUNC_` because bash takes such variables for functions. Lua and Erlang look for names with
/// their version at the end first.
const DANGEROUS_PREFIXES: &[&str] = &[
    "BASH_FUNC_",
    "CARGO_BUILD_RUSTC",
    "CORECLR_PROFILER",
    "COR_PROFILER",
    "DYLD_",
    "ERL_OTP",
    "GIT_CONFIG",
    "LD_",
    "LUA_CPATH",
    "LUA_INIT",
    "LUA_PATH",
    "RUSTC",
    "R_ENVIRON",
    "R_LIBS",
    "R_PROFILE",
];
/// npm takes every option from the environment, its shell among them, in capitals or not.
const NPM_PREFIX: &str = "npm_config_";

fn stands_in(name: &str, names: &[&str], prefixes: &[&str]) -> bool {
    names.binary_search(&name).is_ok() || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether secrets of this name are left out of the environment.
pub(super) fn is_reserved(name: &str) -> bool {
    stands_in(name, RESERVED, RESERVED_PREFIXES)
}

/// Whether a secret of this name could make a program run something else.
pub fn is_dangerous(name: &str) -> bool {
    let start = name.get(..NPM_PREFIX.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(NPM_PREFIX))
        || stands_in(name, DANGEROUS, DANGEROUS_PREFIXES)
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
        for name in ["DATABASE_URL", "NPM_TOKEN", "R_TOKEN", "CARGO_REGISTRY_TOKEN", "ERL_COOKIE"] {
            assert!(!is_dangerous(name), "{name}");
        }
        assert!(!is_dangerous("ENVIRONMENT"));
    }

    #[test]
    fn r3_build_tools_editors_and_runtimes_are_told_no_code_either() {
        for name in [
            "LUA_PATH",
            "LUA_PATH_5_4",
            "LUA_CPATH_5_3",
            "npm_config_script_shell",
            "NPM_CONFIG_NODE_OPTIONS",
            "Npm_Config_git",
            "MAKEFLAGS",
            "GNUMAKEFLAGS",
            "MAKEFILES",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "MAVEN_OPTS",
            "GRADLE_OPTS",
            "ERL_AFLAGS",
            "ERL_FLAGS",
            "ERL_ZFLAGS",
            "ERL_OTP27_FLAGS",
            "VIMINIT",
            "EXINIT",
            "R_PROFILE",
            "R_PROFILE_USER",
            "GEM_HOME",
            "GEM_PATH",
            "BUNDLE_GEMFILE",
            "GIT_DIR",
            "PS0",
            "BASH_LOADABLES_PATH",
        ] {
            assert!(is_dangerous(name), "{name}");
        }
    }
}
