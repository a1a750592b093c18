//! Becoming the program that `run` starts. On success nothing of this process is left: no
//! wrapper that could hide an exit status, delay a signal or keep secrets in memory.

mod environment;
mod inherit;
mod names;

use std::{ffi::OsString, io, os::unix::process::CommandExt, process::Command};

pub use environment::{Environment, EnvironmentError, check_referred, environment};
pub use inherit::Inherit;
pub use names::is_dangerous;

/// What `run` starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A program, looked up in `PATH`, and its arguments; no shell reads them.
    Direct {
        /// The program.
        program: OsString,
        /// Its arguments.
        arguments: Vec<OsString>,
    },
    /// A line for `$SHELL -c`, or `sh -c` where that variable is unset or empty.
    Shell(OsString),
}

impl Program {
    /// The program and its arguments. `shell` is the value of `SHELL`.
    pub(crate) fn words(&self, shell: Option<OsString>) -> Vec<OsString> {
        match self {
            Self::Direct { program, arguments } => {
                std::iter::once(program).chain(arguments).cloned().collect()
            }
            Self::Shell(line) => {
                let shell = shell.filter(|shell| !shell.is_empty());
                vec![shell.unwrap_or_else(|| "sh".into()), "-c".into(), line.clone()]
            }
        }
    }
}

fn command(words: Vec<OsString>) -> Command {
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

/// The program could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start `{}`", .program.to_string_lossy().escape_debug())]
pub struct ExecError {
    /// The program or shell.
    pub program: OsString,
    /// Why.
    pub source: io::Error,
    /// Names of variables that are too large for any program.
    pub oversized: Vec<String>,
}

impl ExecError {
    /// 127 if there is no such program, else 126, as shells and `env` report it.
    pub fn exit_code(&self) -> u8 {
        if self.source.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
    }

    /// Whether arguments and environment are more than the system hands to a program.
    pub fn is_too_large(&self) -> bool {
        self.source.kind() == io::ErrorKind::ArgumentListTooLong
    }

    pub(crate) fn new(program: OsString, source: io::Error, environment: &Environment) -> Self {
        let mut this = Self { program, source, oversized: Vec::new() };
        if this.is_too_large() {
            this.oversized = environment.oversized();
        }
        this
    }
}

/// Replaces this process by the program; comes back only if that failed.
///
/// `std` gives the program the default reaction to `SIGPIPE` and an empty signal mask; its own
/// descriptors are closed. `shell` is the value of `SHELL`.
pub fn exec(program: &Program, environment: &Environment, shell: Option<OsString>) -> ExecError {
    let mut command = command(program.words(shell));
    command.env_clear().envs(environment.variables());
    let source = command.exec();
    ExecError::new(command.get_program().to_owned(), source, environment)
}

/// Replaces this process by these words, in the environment that it has.
pub(crate) fn replace(words: Vec<OsString>) -> ExecError {
    let mut command = command(words);
    let source = command.exec();
    ExecError { program: command.get_program().to_owned(), source, oversized: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(program: &Program, shell: Option<&str>) -> Vec<OsString> {
        program.words(shell.map(OsString::from))
    }

    #[test]
    fn arguments_are_passed_on_as_they_are() {
        let program = Program::Direct {
            program: "printf".into(),
            arguments: vec!["%s".into(), "$HOME; id".into()],
        };
        assert_eq!(words(&program, None), ["printf", "%s", "$HOME; id"]);
    }

    #[test]
    fn a_line_goes_to_the_users_shell_or_else_to_sh() {
        let line = Program::Shell("echo $A".into());
        assert_eq!(words(&line, Some("/bin/bash")), ["/bin/bash", "-c", "echo $A"]);
        assert_eq!(words(&line, Some("")), ["sh", "-c", "echo $A"]);
        assert_eq!(words(&line, None), ["sh", "-c", "echo $A"]);
    }
}
