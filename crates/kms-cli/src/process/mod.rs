//! Becoming the program that `run` starts. On success nothing of this process is left: no
//! wrapper that could hide an exit status, delay a signal or keep secrets in memory.

mod environment;
mod names;

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::process::CommandExt,
    process::Command,
};

pub use environment::{Environment, EnvironmentError, environment};
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
    fn command(&self, shell: Option<OsString>) -> Command {
        match self {
            Self::Direct { program, arguments } => {
                let mut command = Command::new(program);
                command.args(arguments);
                command
            }
            Self::Shell(line) => {
                let shell = shell.filter(|shell| !shell.is_empty());
                let mut command = Command::new(shell.as_deref().unwrap_or(OsStr::new("sh")));
                command.arg("-c").arg(line);
                command
            }
        }
    }
}

/// The program could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start `{}`", .program.to_string_lossy().escape_debug())]
pub struct ExecError {
    /// The program or shell.
    pub program: OsString,
    /// Why.
    pub source: io::Error,
}

impl ExecError {
    /// 127 if there is no such program, else 126, as shells and `env` report it.
    pub fn exit_code(&self) -> u8 {
        if self.source.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
    }
}

/// Replaces this process by the program; comes back only if that failed.
///
/// `std` gives the program the default reaction to `SIGPIPE` and an empty signal mask; its own
/// descriptors are closed. `shell` is the value of `SHELL`.
pub fn exec(program: &Program, environment: Environment, shell: Option<OsString>) -> ExecError {
    let mut command = program.command(shell);
    command.env_clear().envs(environment.variables);
    let source = command.exec();
    ExecError { program: command.get_program().to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(program: &Program, shell: Option<&str>) -> Vec<OsString> {
        let command = program.command(shell.map(OsString::from));
        let program = command.get_program().to_owned();
        std::iter::once(program).chain(command.get_args().map(OsStr::to_owned)).collect()
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
