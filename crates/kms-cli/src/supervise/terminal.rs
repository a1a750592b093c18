//! Who has the terminal.

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal as _},
    os::fd::{AsFd as _, OwnedFd},
    path::PathBuf,
};

use nix::{
    pty::{Winsize, openpty},
    sys::{
        signal::{SigSet, Signal},
        termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr},
    },
    unistd::{Pid, getpgrp, getppid, getsid, tcgetpgrp, tcsetpgrp, ttyname},
};
use rustix::termios::{tcgetwinsize, tcsetwinsize};

/// The terminal that this process is in the foreground of.
pub(super) struct Seat(File);

impl Seat {
    /// The terminal, if there is one and it is ours.
    pub(super) fn taken() -> Option<Self> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        (tcgetpgrp(&terminal).ok()? == getpgrp()).then_some(Self(terminal))
    }

    /// Puts a group of processes into the foreground, unless by now somebody else is there.
    pub(super) fn give_to(&self, group: Pid) {
        if tcgetpgrp(&self.0) == Ok(getpgrp()) {
            let _ = tcsetpgrp(&self.0, group);
        }
    }

    /// Comes back to the foreground.
    pub(super) fn take_back(&self) {
        // Whoever is not in the foreground is stopped when it says so, unless it does not listen.
        let mut quiet = SigSet::empty();
        quiet.add(Signal::SIGTTOU);
        let _ = quiet.thread_block();
        let _ = tcsetpgrp(&self.0, getpgrp());
        let _ = quiet.thread_unblock();
    }
}

/// Whether somebody in our session could notice that we are stopped, and let us go on. The system
/// asks the same before Ctrl-Z stops a program (POSIX, "orphaned process group").
pub(super) fn has_shell_above() -> bool {
    let Ok(session) = getsid(None) else { return false };
    // Above the group that leads a session is nobody of that session.
    getpgrp() != session && getsid(Some(getppid())) == Ok(session)
}

/// A terminal for a program whose output is masked on its way to ours.
pub(super) struct Screen {
    pub(super) master: OwnedFd,
    /// Kept open, so that the next program finds it as it is.
    kept: Option<OwnedFd>,
    pub(super) path: PathBuf,
    /// Our terminal as it was found, where it is also what is typed on.
    found: Option<Termios>,
    /// Whether errors go to the terminal too.
    pub(super) has_errors: bool,
}

impl Screen {
    /// A terminal like ours; none where our output is not one.
    pub(super) fn open() -> io::Result<Option<Self>> {
        if !io::stdout().is_terminal() {
            return Ok(None);
        }
        let found = if io::stdin().is_terminal() { Some(tcgetattr(io::stdin())?) } else { None };
        let like = tcgetattr(io::stdout())?;
        let size = tcgetwinsize(io::stdout()).map(|size| Winsize {
            ws_row: size.ws_row,
            ws_col: size.ws_col,
            ws_xpixel: size.ws_xpixel,
            ws_ypixel: size.ws_ypixel,
        });
        let pair = openpty(size.ok().as_ref(), Some(&like))?;
        let path = ttyname(&pair.slave)?;
        let has_errors = io::stderr().is_terminal();
        let (master, slave) = (close_on_exec(pair.master)?, close_on_exec(pair.slave)?);
        let this = Self { master, kept: Some(slave), path, found, has_errors };
        this.go_on();
        Ok(Some(this))
    }

    /// Whether what is typed goes to the program's terminal.
    pub(super) fn has_input(&self) -> bool {
        self.found.is_some()
    }

    /// Gives our terminal its manners back.
    pub(super) fn rest(&self) {
        if let Some(found) = &self.found {
            set(found);
        }
    }

    /// Passes every key on as it is: what it means is decided at the program's terminal.
    pub(super) fn go_on(&self) {
        if let Some(found) = &self.found {
            let mut raw = found.clone();
            cfmakeraw(&mut raw);
            set(&raw);
        }
        self.resize();
    }

    /// Has the size of ours.
    pub(super) fn resize(&self) {
        if let Ok(size) = tcgetwinsize(io::stdout()) {
            let _ = tcsetwinsize(self.master.as_fd(), size);
        }
    }

    /// No other program follows: what is shown ends when this one's output does.
    pub(super) fn close(&mut self) {
        self.kept = None;
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.rest();
    }
}

fn set(manners: &Termios) {
    let mut quiet = SigSet::empty();
    quiet.add(Signal::SIGTTOU);
    let _ = quiet.thread_block();
    let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, manners);
    let _ = quiet.thread_unblock();
}

/// No program inherits it.
fn close_on_exec(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    fcntl(&descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(descriptor)
}
