//! Staying beside a program that `run` started, where something has to be done while it runs: its
//! output masked, secrets in files removed at its end, the program started again.
//!
//! What the program sees is to be as if nobody were there. It leads a process group of its own, gets
//! the terminal and every signal that is sent here, and how it ends is how `run` ends. Start at
//! [`Supervisor`]; [`child`] starts a program, [`terminal`] is about who has the terminal, [`output`]
//! about what it prints.

mod child;
mod output;
mod terminal;

use std::{io, time::Duration};

use nix::{
    sys::{
        signal::{Signal, killpg, raise},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use tokio::{
    signal::unix::{Signal as Stream, SignalKind, signal},
    sync::mpsc,
};

use crate::{
    mask::Mask,
    process::{Environment, ExecError, Program},
};

use child::{Child, Streams};
pub(crate) use child::{START, Start, become_program, check};
use output::Outputs;
use terminal::{Screen, Seat};

/// How long a program may take to end before it is killed, when it is started anew.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long output is waited for after the program's end, where something that it started still
/// holds on to it.
const DRAIN: Duration = Duration::from_secs(2);

/// What is passed on. The others cannot be caught, or say something about this process.
const FORWARDED: [(SignalKind, Signal); 9] = [
    (SignalKind::hangup(), Signal::SIGHUP),
    (SignalKind::interrupt(), Signal::SIGINT),
    (SignalKind::quit(), Signal::SIGQUIT),
    (SignalKind::terminate(), Signal::SIGTERM),
    (SignalKind::user_defined1(), Signal::SIGUSR1),
    (SignalKind::user_defined2(), Signal::SIGUSR2),
    (SignalKind::alarm(), Signal::SIGALRM),
    (SignalKind::window_change(), Signal::SIGWINCH),
    (SignalKind::from_raw(nix::libc::SIGTSTP), Signal::SIGTSTP),
];

/// Stays beside programs, one at a time.
pub(crate) struct Supervisor {
    signals: mpsc::UnboundedReceiver<Signal>,
    children: Stream,
    seat: Option<Seat>,
    screen: Option<Screen>,
    outputs: Outputs,
    /// Whether somebody asked the program to end, so that it is not started again.
    is_ending: bool,
}

/// A program that runs.
pub(crate) struct Running {
    child: Child,
}

impl Supervisor {
    /// Takes over signals and, where output is masked and shown on a terminal, the terminal.
    pub(crate) fn new(masked: bool) -> io::Result<Self> {
        let (sender, signals) = mpsc::unbounded_channel();
        for (kind, number) in FORWARDED {
            let mut stream = signal(kind)?;
            let sender = sender.clone();
            tokio::spawn(async move {
                while stream.recv().await.is_some() && sender.send(number).is_ok() {}
            });
        }
        let children = signal(SignalKind::child())?;
        let screen = if masked { Screen::open()? } else { None };
        let seat = if screen.is_some() { None } else { Seat::taken() };
        let outputs = Outputs::default();
        Ok(Self { signals, children, seat, screen, outputs, is_ending: false })
    }

    /// Starts a program; what it prints is masked where a mask is given.
    pub(crate) fn start(
        &mut self,
        program: &Program,
        environment: &Environment,
        shell: Option<std::ffi::OsString>,
        mask: Option<&Mask>,
    ) -> Result<Running, ExecError> {
        let streams = match (mask, &self.screen) {
            (Some(mask), screen) => self.outputs.masked(mask, screen.as_ref()),
            (None, _) => Ok(Streams::inherited()),
        };
        let streams =
            streams.map_err(|source| ExecError::new("kms".into(), source, environment))?;
        let child = child::start(program, environment, shell, streams)?;
        if let Some(seat) = &self.seat {
            seat.give_to(child.group);
            // It may have asked for the terminal before it had it, which stops it.
            send(&child, Signal::SIGCONT);
        }
        Ok(Running { child })
    }

    /// Waits for the program's end, passing signals on: its status, or 128 and the number of the
    /// signal that ended it. May be called off at any time and called again.
    pub(crate) async fn until_ended(&mut self, running: &mut Running) -> u8 {
        loop {
            if let Some(status) = self.reap(&running.child) {
                return self.ended(status).await;
            }
            tokio::select! {
                Some(signal) = self.signals.recv() => self.forward(&running.child, signal),
                _ = self.children.recv() => {}
            }
        }
    }

    /// Ends the program, as it is to be started anew. Tells its status if somebody else asked it to
    /// end meanwhile.
    pub(crate) async fn stop(&mut self, mut running: Running) -> Option<u8> {
        send(&running.child, Signal::SIGTERM);
        send(&running.child, Signal::SIGCONT);
        let ended = tokio::time::timeout(PATIENCE, self.until_ended(&mut running)).await;
        let status = if let Ok(status) = ended {
            status
        } else {
            send(&running.child, Signal::SIGKILL);
            self.until_ended(&mut running).await
        };
        // What it started and left behind goes with it.
        send(&running.child, Signal::SIGKILL);
        self.is_ending.then_some(status)
    }

    /// No other program follows.
    pub(crate) async fn finish(mut self) {
        if let Some(screen) = &mut self.screen {
            screen.close();
            let _ = tokio::time::timeout(DRAIN, self.outputs.shown()).await;
        }
    }

    async fn ended(&mut self, status: u8) -> u8 {
        if let Some(seat) = &self.seat {
            seat.take_back();
        }
        let _ = tokio::time::timeout(DRAIN, self.outputs.drained()).await;
        status
    }

    /// Collects whoever has ended: as first process of a namespace, also what others left behind.
    fn reap(&mut self, child: &Child) -> Option<u8> {
        let flags = WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED;
        loop {
            match waitpid(None::<Pid>, Some(flags)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == child.group => {
                    return Some(u8::try_from(code & 0xff).unwrap_or(u8::MAX));
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child.group => {
                    return Some(u8::try_from(128 + signal as i32).unwrap_or(u8::MAX));
                }
                Ok(WaitStatus::Stopped(pid, signal)) if pid == child.group => {
                    self.pause(child, signal);
                }
                Ok(WaitStatus::StillAlive) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The program was stopped by the person at the terminal: this process stops with it, so that
    /// the shell notices, and goes on with it. Where there is no such shell, the program goes on.
    fn pause(&mut self, child: &Child, signal: Signal) {
        if self.seat.is_none() && self.screen.is_none() && signal != Signal::SIGTSTP {
            return;
        }
        let has_shell = terminal::has_shell_above();
        if !has_shell && signal == Signal::SIGSTOP {
            // This one stops any program. Whoever sent it knows whom to let go on.
            return;
        }
        if let Some(seat) = &self.seat {
            seat.take_back();
        }
        if let Some(screen) = &self.screen {
            screen.rest();
        }
        // Without this process, the system would not have stopped the program where nobody is who
        // lets it go on.
        if has_shell {
            // Comes back once somebody says that it goes on.
            let _ = raise(Signal::SIGSTOP);
        }
        if let Some(screen) = &self.screen {
            screen.go_on();
        }
        if let Some(seat) = &self.seat {
            seat.give_to(child.group);
        }
        send(child, Signal::SIGCONT);
    }

    fn forward(&mut self, child: &Child, signal: Signal) {
        if let (Signal::SIGWINCH, Some(screen)) = (signal, &self.screen) {
            return screen.resize();
        }
        self.is_ending |=
            matches!(signal, Signal::SIGHUP | Signal::SIGINT | Signal::SIGQUIT | Signal::SIGTERM);
        send(child, signal);
    }
}

fn send(child: &Child, signal: Signal) {
    // Whoever is gone gets none.
    let _ = killpg(child.group, signal);
}
