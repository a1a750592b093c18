//! Questions to a person at a terminal. They are shown on standard error, never on standard
//! output, so the output of a command that asks can still be captured.
//!
//! Whoever calls has made sure that somebody is there to answer ([`crate::ui::Ui::interactive`]).

use std::{
    io::{self, PipeReader, PipeWriter, Stdin, Write as _},
    os::fd::AsFd as _,
    thread::{self, JoinHandle},
};

use inquire::{
    Confirm, InquireError, Password, PasswordDisplayMode, Select, Text, validator::Validation,
};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::termios::{
        FlushArg, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcflush, tcgetattr,
        tcsetattr,
    },
    unistd::read,
};
use secrecy::SecretString;
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    sync::{mpsc, oneshot},
};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    error::{CliError, Kind},
    ui::escape_line,
};

/// Says what is wrong with an answer, so that the question is asked again.
pub(crate) type Check = fn(&str) -> Result<(), String>;

/// Asks for a line of text, which may start with `initial`. White space around it is not part of
/// the answer.
pub(crate) async fn text(
    question: &str,
    help: Option<&str>,
    initial: Option<&str>,
    check: Check,
) -> Result<String, CliError> {
    let (question, help) = (escape_line(question), help.map(escape_line));
    let initial = initial.unwrap_or_default().to_owned();
    let answer = ask(move || {
        let mut prompt = Text::new(&question).with_validator(move |answer: &str| {
            Ok(match check(answer.trim()) {
                Ok(()) => Validation::Valid,
                Err(reason) => Validation::Invalid(reason.into()),
            })
        });
        prompt = prompt.with_initial_value(&initial);
        if let Some(help) = &help {
            prompt = prompt.with_help_message(help);
        }
        prompt.prompt()
    });
    Ok(answer.await?.trim().to_owned())
}

/// Asks for something that must not be seen. The answer is not empty.
pub(crate) async fn secret(question: &str) -> Result<SecretString, CliError> {
    let question = escape_line(question);
    let answer = ask(move || {
        Password::new(&question)
            .with_display_mode(PasswordDisplayMode::Hidden)
            .without_confirmation()
            .with_validator(|answer: &str| {
                Ok(if answer.trim().is_empty() {
                    Validation::Invalid("something has to be entered".into())
                } else {
                    Validation::Valid
                })
            })
            .prompt()
    });
    // A pasted line may bring its end along.
    Ok(answer.await?.trim_end_matches(['\r', '\n']).into())
}

/// Throws away what was typed or pasted beyond an answer, so that a shell does not take the second
/// line of a value for a command.
pub(crate) fn forget_typed() {
    // Without a terminal there is nothing to throw away.
    let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
}

/// Asks for one of several; says which. Typing narrows the list down.
pub(crate) async fn choose(question: &str, options: &[String]) -> Result<usize, CliError> {
    let question = escape_line(question);
    let options: Vec<_> = options.iter().map(|option| escape_line(option)).collect();
    ask(move || {
        Select::new(&question, options)
            .with_help_message("arrow keys to move, typing to filter, Enter to choose")
            .raw_prompt()
            .map(|chosen| chosen.index)
    })
    .await
}

/// Asks a question that is answered by yes or no; no is the default.
pub(crate) async fn confirm(question: &str) -> Result<bool, CliError> {
    let question = escape_line(question);
    ask(move || Confirm::new(&question).with_default(false).prompt()).await
}

/// Carries out what asks questions, so that a signal finds a terminal in its usual state: without
/// echo and line editing a shell is unusable.
pub(crate) async fn guarded<T>(
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    let state = tcgetattr(io::stdin()).ok();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let kind = select! {
        result = work => return result,
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
        _ = hang_up.recv() => SignalKind::hangup(),
    };
    restore(state.as_ref());
    Err(interrupted(kind))
}

/// Puts a terminal back that a question may have been shown on. Nobody is left to hear of a
/// failure.
fn restore(state: Option<&Termios>) {
    /// Shows the cursor, ends bracketed paste.
    const RESET: &[u8] = b"\x1b[?25h\x1b[?2004l\r\n";
    if let Some(state) = state {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, state);
        let _ = io::stderr().write_all(RESET);
    }
}

/// Lines that somebody pastes while something else is waited for. Nothing of them is shown: they
/// hold codes and tokens (attack L12). The terminal is as it was once this is dropped.
pub(crate) struct Pasted {
    lines: mpsc::UnboundedReceiver<SecretString>,
    before: Termios,
    reader: Option<(PipeWriter, JoinHandle<()>)>,
}

impl Pasted {
    /// Begins to listen to the terminal.
    pub(crate) fn start() -> Result<Self, CliError> {
        let input = io::stdin();
        let before = tcgetattr(&input).map_err(io::Error::from)?;
        let mut quiet = before.clone();
        // Line by line, a terminal keeps 4095 characters at most, and a pasted token may be longer.
        quiet.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        // A read that finds nothing returns at once.
        quiet.control_chars[SpecialCharacterIndices::VMIN as usize] = 0;
        quiet.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        tcsetattr(&input, SetArg::TCSANOW, &quiet).map_err(io::Error::from)?;
        let (sender, lines) = mpsc::unbounded_channel();
        let (stopped, stop) = io::pipe()?;
        let reader = thread::spawn(move || read_lines(&input, &stopped, &sender));
        Ok(Self { lines, before, reader: Some((stop, reader)) })
    }

    /// The next line that is not blank.
    pub(crate) async fn line(&mut self) -> SecretString {
        match self.lines.recv().await {
            Some(line) => line,
            // The terminal is gone; a signal says so, too.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Pasted {
    fn drop(&mut self) {
        if let Some((stop, reader)) = self.reader.take() {
            drop(stop);
            let _ = reader.join();
        }
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.before);
    }
}

/// Reads until the other end of `stopped` is closed, so that no key is taken from a later question.
fn read_lines(input: &Stdin, stopped: &PipeReader, lines: &mpsc::UnboundedSender<SecretString>) {
    /// No address and no token is longer.
    const LONGEST: usize = 64 * 1024;
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut buffer = Zeroizing::new([0; 4096]);
    loop {
        let mut ready =
            [input.as_fd(), stopped.as_fd()].map(|end| PollFd::new(end, PollFlags::POLLIN));
        match poll(&mut ready, PollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            Ok(_) if ready[1].any() == Some(false) => {}
            _ => return,
        }
        let Ok(count @ 1..) = read(input, &mut *buffer) else { return };
        for byte in &buffer[..count] {
            if !matches!(byte, b'\r' | b'\n') {
                if line.len() < LONGEST {
                    line.push(*byte);
                }
                continue;
            }
            let text = Zeroizing::new(String::from_utf8_lossy(&line).into_owned());
            line.zeroize();
            // What terminals put around a paste, where something has asked them to.
            let text = text.trim().trim_start_matches("\x1b[200~").trim_end_matches("\x1b[201~");
            if !text.is_empty() && lines.send(text.into()).is_err() {
                return;
            }
        }
    }
}

/// Waits for the answer on a thread of its own: the runtime's would have to end before the program
/// may, and it waits for a key.
async fn ask<T: Send + 'static>(
    question: impl FnOnce() -> Result<T, InquireError> + Send + 'static,
) -> Result<T, CliError> {
    let (answered, answer) = oneshot::channel();
    thread::spawn(move || {
        // Whoever asked may be gone already.
        let _ = answered.send(question());
    });
    let answer = answer.await.map_err(|_| CliError::internal("a question was not answered"))?;
    answer.map_err(|error| match error {
        InquireError::OperationInterrupted => interrupted(SignalKind::interrupt()),
        InquireError::OperationCanceled => CliError::needs_person("cancelled"),
        InquireError::IO(error) => error.into(),
        other => CliError::internal(other),
    })
}

/// Ended by a signal, which shells know by its number.
fn interrupted(kind: SignalKind) -> CliError {
    let number = u8::try_from(kind.as_raw_value()).unwrap_or_default();
    CliError::new(Kind::Exit(128 + number), "interrupted")
}
