//! Starting a program beside this process.
//!
//! Between the two stands a moment of this program again ([`become_program`]): what has to happen in
//! the new process before it becomes the other program cannot be done from here. It says that it
//! wants to die with its parent, takes its place on a terminal, and is gone.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    io,
    os::{fd::AsFd as _, unix::process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::ValueEnum;
use nix::unistd::{Pid, dup2_stderr, dup2_stdin, dup2_stdout, getppid, setsid};

use crate::{
    error::CliError,
    process::{self, Environment, ExecError, Program},
};

/// The name of the command that stands between.
pub(crate) const START: &str = "start-program";

/// Start a program that ends with the process that started this one
#[derive(clap::Args, Debug)]
pub struct Start {
    /// The process that started this one
    #[arg(long)]
    parent: i32,

    /// The terminal to be on
    #[arg(long)]
    terminal: Option<PathBuf>,

    /// What leads to that terminal
    #[arg(long)]
    on: Vec<On>,

    /// The program and its arguments
    #[arg(last = true, required = true)]
    program: Vec<OsString>,
}

/// One of the three standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum On {
    Input,
    Output,
    Errors,
}

impl On {
    fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Errors => "errors",
        }
    }
}

/// Where a program reads and writes.
pub(super) struct Streams {
    pub(super) input: Stdio,
    pub(super) output: Stdio,
    pub(super) errors: Stdio,
    /// A terminal of its own, and which streams lead there in place of the above.
    pub(super) terminal: Option<(PathBuf, Vec<On>)>,
}

impl Streams {
    pub(super) fn inherited() -> Self {
        let inherit = Stdio::inherit;
        Self { input: inherit(), output: inherit(), errors: inherit(), terminal: None }
    }
}

/// A program that was started. It leads a process group.
pub(super) struct Child {
    pub(super) group: Pid,
}

/// This program, whatever lies at its path by now.
fn ourselves() -> PathBuf {
    let itself = Path::new("/proc/self/exe");
    if itself.exists() { itself.into() } else { std::env::current_exe().unwrap_or_default() }
}

/// What stands between a process and a program, as yet without the program's words.
fn between(parent: u32, environment: &Environment) -> Command {
    let mut command = Command::new(ourselves());
    command.arg(START).arg(format!("--parent={parent}"));
    command.env_clear().envs(environment.variables());
    command
}

/// Refuses what the system hands to no program, as it is too much. Found out by a start that nobody
/// is the parent of, which goes no further; it is collected with all others that end.
pub(crate) fn check(
    program: &Program,
    environment: &Environment,
    shell: Option<OsString>,
) -> Result<(), ExecError> {
    let words = program.words(shell);
    let mut command = between(0, environment);
    command.arg("--").args(&words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop).map_err(|source| refused(words, source, environment))
}

fn refused(words: Vec<OsString>, source: io::Error, environment: &Environment) -> ExecError {
    ExecError::new(words.into_iter().next().unwrap_or_default(), source, environment)
}

pub(super) fn start(
    program: &Program,
    environment: &Environment,
    shell: Option<OsString>,
    streams: Streams,
) -> Result<Child, ExecError> {
    let words = program.words(shell);
    let mut command = between(std::process::id(), environment);
    match &streams.terminal {
        Some((path, on)) => {
            command.arg("--terminal").arg(path);
            command.args(on.iter().map(|on| format!("--on={}", on.name())));
        }
        // On a terminal of its own it leads a session instead, and so a group.
        None => {
            command.process_group(0);
        }
    }
    command.arg("--").args(&words);
    command.stdin(streams.input).stdout(streams.output).stderr(streams.errors);
    match command.spawn() {
        Ok(child) => Ok(Child { group: Pid::from_raw(child.id().cast_signed()) }),
        Err(source) => Err(refused(words, source, environment)),
    }
}

/// Becomes the program; comes back only if that failed.
pub(crate) fn become_program(args: Start) -> CliError {
    match prepare(&args) {
        Ok(()) => CliError::from(process::replace(args.program)),
        Err(error) => CliError::from(io::Error::from(error)).with_exit_code(126),
    }
}

fn prepare(args: &Start) -> Result<(), nix::Error> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    // It may have died before that was said; then somebody else is the parent.
    if getppid().as_raw() != args.parent {
        return Err(nix::Error::ESRCH);
    }
    let Some(path) = &args.terminal else { return Ok(()) };
    setsid()?;
    // The first terminal that the leader of a session opens becomes the session's.
    let terminal = OpenOptions::new().read(true).write(true).open(path);
    let terminal = terminal
        .map_err(|error| nix::Error::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO)))?;
    for on in &args.on {
        match on {
            On::Input => dup2_stdin(terminal.as_fd())?,
            On::Output => dup2_stdout(terminal.as_fd())?,
            On::Errors => dup2_stderr(terminal.as_fd())?,
        }
    }
    Ok(())
}
