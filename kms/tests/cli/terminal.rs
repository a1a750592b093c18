//! The program on a real terminal: a pseudo-terminal is its controlling terminal, what a person
//! would see is collected, what a person would type is written.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use nix::{
    pty::{Winsize, openpty},
    sys::{
        signal::{Signal, kill},
        termios::{SetArg, Termios, tcgetattr, tcsetattr},
    },
    unistd::Pid,
};

const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) const ENTER: &str = "\r";
pub(crate) const DOWN: &str = "\x1b[B";
pub(crate) const CTRL_C: &str = "\x03";
pub(crate) const CTRL_Z: &str = "\x1a";
pub(crate) const ESCAPE: &str = "\x1b";

/// A program that runs on a terminal of its own.
pub(crate) struct Terminal {
    keyboard: File,
    /// The other end, which keeps the terminal open and can be asked for its state.
    line: OwnedFd,
    before: Termios,
    screen: Arc<Mutex<Vec<u8>>>,
    /// How much of the screen's text was looked at.
    read: usize,
    child: Child,
}

/// How it ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) screen: String,
    /// What was sent to the terminal, byte by byte.
    pub(crate) raw: String,
}

impl Terminal {
    /// Starts the program; the environment is empty but for what is given. Standard output is
    /// captured, as by `$(…)`; input and errors are the terminal's.
    pub(crate) fn start(args: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_in(&std::env::temp_dir(), args, environment)
    }

    /// As [`Self::start`], in a folder.
    pub(crate) fn start_in(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn(folder, args, environment, 160, false)
    }

    /// As [`Self::start`]; standard output is the terminal's too, if it is `shown`.
    pub(crate) fn start_with(
        folder: &Path,
        args: &[&str],
        environment: &[(&str, &str)],
        shown: bool,
    ) -> Self {
        Self::spawn(folder, args, environment, 160, shown)
    }

    /// Starts the program with standard output, too, on a terminal of this width.
    pub(crate) fn start_on(columns: u16, args: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn(&std::env::temp_dir(), args, environment, columns, true)
    }

    fn spawn(
        folder: &Path,
        args: &[&str],
        environment: &[(&str, &str)],
        columns: u16,
        shown: bool,
    ) -> Self {
        let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        // A bare terminal shows what is typed in two bytes per control character.
        let mut calm = tcgetattr(&pty.slave).unwrap();
        calm.local_flags.remove(nix::sys::termios::LocalFlags::ECHOCTL);
        tcsetattr(&pty.slave, SetArg::TCSANOW, &calm).unwrap();
        let before = tcgetattr(&pty.slave).unwrap();
        let end = || Stdio::from(pty.slave.try_clone().unwrap());
        // Gives the child a session whose controlling terminal is its standard input.
        let child = Command::new("/usr/bin/setsid")
            .args(["--ctty", env!("CARGO_BIN_EXE_kms")])
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .envs(environment.iter().copied())
            .current_dir(folder)
            .stdin(end())
            .stdout(if shown { end() } else { Stdio::piped() })
            .stderr(end())
            .spawn()
            .unwrap();
        let screen = Arc::default();
        watch(pty.master.try_clone().unwrap().into(), Arc::clone(&screen));
        let keyboard = File::from(pty.master);
        Self { keyboard, line: pty.slave, before, screen, read: 0, child }
    }

    /// Waits until this text is shown after what was expected before.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) -> &mut Self {
        let started = Instant::now();
        loop {
            let shown = self.shown();
            if let Some(at) = shown.get(self.read..).and_then(|rest| rest.find(text)) {
                self.read += at + text.len();
                return self;
            }
            assert!(started.elapsed() < PATIENCE, "{text:?} was not shown:\n{shown}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The first word after this text.
    #[track_caller]
    pub(crate) fn word_after(&mut self, text: &str) -> String {
        self.read = 0;
        self.expect(text);
        let started = Instant::now();
        loop {
            let shown = self.shown();
            let rest = shown[self.read..].trim_start();
            if let Some((word, _)) = rest.split_once(char::is_whitespace) {
                return word.to_owned();
            }
            assert!(started.elapsed() < PATIENCE, "nothing stands after {text:?}:\n{shown}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Types.
    pub(crate) fn send(&mut self, keys: &str) -> &mut Self {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Types a line.
    pub(crate) fn enter(&mut self, line: &str) -> &mut Self {
        self.send(line).send(ENTER)
    }

    /// Waits until the program reads single keys, as its questions do.
    #[track_caller]
    pub(crate) fn wait_for_raw_mode(&mut self) -> &mut Self {
        let started = Instant::now();
        while tcgetattr(&self.line).unwrap() == self.before {
            assert!(started.elapsed() < PATIENCE, "it never read single keys");
            thread::sleep(Duration::from_millis(5));
        }
        self
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> &mut Self {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
        self
    }

    /// Waits for the end. The terminal must be as it was found, whatever happened.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Ended {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it did not end:\n{}", self.shown());
            }
            thread::sleep(Duration::from_millis(5));
        };
        let mut stdout = String::new();
        if let Some(mut captured) = self.child.stdout.take() {
            captured.read_to_string(&mut stdout).unwrap();
        }
        assert_eq!(tcgetattr(self.line.as_fd()).unwrap(), self.before, "the terminal's state");
        let raw = self.drain();
        let last = |sequence: &str| raw.rfind(sequence).map_or(-1, |at| at.try_into().unwrap());
        let pairs: [(&str, &str); 2] = [("\x1b[?25l", "\x1b[?25h"), ("\x1b[?2004h", "\x1b[?2004l")];
        for (on, off) in pairs {
            let (on, off): (i64, i64) = (last(on), last(off));
            assert!(on <= off, "the cursor is hidden, or pasting is bracketed");
        }
        Ended { code: status.code().unwrap(), stdout, screen: plain(&raw), raw }
    }

    /// Everything that was sent to the terminal, up to a mark that is sent after it.
    fn drain(&self) -> String {
        const MARK: &str = "<the end of the test>";
        File::from(self.line.try_clone().unwrap()).write_all(MARK.as_bytes()).unwrap();
        let started = Instant::now();
        loop {
            let raw = String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned();
            if let Some((raw, _)) = raw.split_once(MARK) {
                return raw.to_owned();
            }
            assert!(started.elapsed() < PATIENCE, "the terminal swallowed the mark");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn shown(&self) -> String {
        plain(&String::from_utf8_lossy(&self.screen.lock().unwrap()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nscreen: {}", self.stdout, self.screen);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.screen.contains(text), "{text:?} in {}", self.screen);
        self
    }
}

fn watch(mut screen: File, shown: Arc<Mutex<Vec<u8>>>) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        // The end of a pseudo-terminal is an error on Linux.
        while let Ok(count @ 1..) = screen.read(&mut buffer) {
            shown.lock().unwrap().extend_from_slice(&buffer[..count]);
        }
    });
}

/// The text without what moves the cursor or sets attributes.
fn plain(raw: &str) -> String {
    let mut text = String::new();
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => match chars.next() {
                Some('[') => {
                    let _ = chars.find(|c| ('@'..='~').contains(c));
                }
                Some(']') => {
                    let _ = chars.find(|c| *c == '\x07');
                }
                _ => {}
            },
            '\r' => {}
            _ => text.push(c),
        }
    }
    text
}
