//! What a program prints, masked on its way. One thread for each stream.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::stat::fstat,
};
use tokio::sync::mpsc;

use super::{
    child::{On, Streams},
    terminal::Screen,
};
use crate::mask::{Mask, Masker};

/// Bytes that are read at one time, and that a pipe holds.
const AT_ONCE: usize = 256 * 1024;
/// Milliseconds without output after which a person who waits is shown what can be shown.
const STILL: u16 = 100;

/// The streams that are being masked.
#[derive(Default)]
pub(super) struct Outputs {
    /// What the program's terminal shows, where it has one: it stays from program to program.
    on_screen: Option<Arc<Mutex<Masker>>>,
    /// Has no sender any more when that terminal has shown everything.
    shown: Option<mpsc::Receiver<()>>,
    /// Has no sender any more when every pipe was read to its end.
    open: Option<mpsc::Receiver<()>>,
}

impl Outputs {
    /// Streams for the next program.
    pub(super) fn masked(&mut self, mask: &Mask, screen: Option<&Screen>) -> io::Result<Streams> {
        let (sender, open) = mpsc::channel(1);
        self.open = Some(open);
        let mut streams = Streams::inherited();
        let (our_output, our_errors) = (duplicate(&io::stdout())?, duplicate(&io::stderr())?);
        let Some(screen) = screen else {
            let (reader, writer) = pipe()?;
            // Where both lead to the same place, what is printed stays in its order.
            streams.errors = if is_same(&our_output, &our_errors) {
                writer.try_clone()?.into()
            } else {
                errors(mask, our_errors, sender.clone())?
            };
            streams.output = writer.into();
            follow(reader, our_output, mask.start(), sender);
            return Ok(streams);
        };
        let mut on = vec![On::Output];
        if screen.has_input() {
            on.push(On::Input);
            streams.input = Stdio::null();
        }
        streams.output = Stdio::null();
        if screen.has_errors {
            on.push(On::Errors);
            streams.errors = Stdio::null();
        } else {
            streams.errors = errors(mask, our_errors, sender.clone())?;
        }
        streams.terminal = Some((screen.path.clone(), on));
        if let Some(masker) = &self.on_screen {
            let mut rest = Vec::new();
            let mut masker = masker.lock().unwrap_or_else(PoisonError::into_inner);
            masker.finish(&mut rest);
            *masker = mask.start();
            let mut to = our_output;
            to.write_all(&rest)?;
        } else {
            let (sender, shown) = mpsc::channel(1);
            self.shown = Some(shown);
            self.on_screen = Some(show(screen, our_output, mask.start(), sender)?);
        }
        Ok(streams)
    }

    /// Waits until everything that was printed into pipes has been passed on.
    pub(super) async fn drained(&mut self) {
        if let Some(open) = &mut self.open {
            while open.recv().await.is_some() {}
        }
    }

    /// Waits until the terminal has shown everything, once it is closed.
    pub(super) async fn shown(&mut self) {
        if let Some(shown) = &mut self.shown {
            while shown.recv().await.is_some() {}
        }
    }
}

fn errors(mask: &Mask, to: File, sender: mpsc::Sender<()>) -> io::Result<Stdio> {
    let (reader, writer) = pipe()?;
    follow(reader, to, mask.start(), sender);
    Ok(writer.into())
}

/// A pipe that holds as much as we read.
fn pipe() -> io::Result<(io::PipeReader, io::PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    #[cfg(target_os = "linux")]
    {
        use nix::fcntl::{FcntlArg, fcntl};
        let size = i32::try_from(AT_ONCE).unwrap_or(i32::MAX);
        // Smaller where the user has many already.
        let _ = fcntl(&reader, FcntlArg::F_SETPIPE_SZ(size));
    }
    Ok((reader, writer))
}

/// Passes a pipe on to its end. When nobody reads us any more, the program finds its pipe broken.
fn follow(mut from: io::PipeReader, mut to: File, mut masker: Masker, open: mpsc::Sender<()>) {
    thread::spawn(move || {
        let _open = open;
        let mut chunk = vec![0; AT_ONCE];
        let mut out = Vec::with_capacity(AT_ONCE);
        loop {
            let count = match from.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            out.clear();
            masker.push(&chunk[..count], &mut out);
            if to.write_all(&out).is_err() {
                return;
            }
        }
        out.clear();
        masker.finish(&mut out);
        let _ = to.write_all(&out);
    });
}

/// Passes on what is printed on the program's terminal, and what is typed on ours.
fn show(
    screen: &Screen,
    mut to: File,
    masker: Masker,
    open: mpsc::Sender<()>,
) -> io::Result<Arc<Mutex<Masker>>> {
    let masker = Arc::new(Mutex::new(masker));
    let shared = Arc::clone(&masker);
    let mut from = File::from(screen.master.try_clone()?);
    if screen.has_input() {
        let mut keys = File::from(screen.master.try_clone()?);
        let mut keyboard = duplicate(&io::stdin())?;
        thread::spawn(move || io::copy(&mut keyboard, &mut keys));
    }
    thread::spawn(move || {
        let _open = open;
        let mut chunk = vec![0; AT_ONCE];
        let mut out = Vec::new();
        let is_held = || shared.lock().unwrap_or_else(PoisonError::into_inner).holds();
        loop {
            out.clear();
            if is_held() && !is_ready(from.as_fd()) {
                shared.lock().unwrap_or_else(PoisonError::into_inner).release(&mut out);
                if to.write_all(&out).is_err() {
                    return;
                }
                out.clear();
            }
            match from.read(&mut chunk) {
                Ok(count @ 1..) => {
                    let mut masker = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    masker.push(&chunk[..count], &mut out);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // The end of a pseudo-terminal is an error on Linux.
                _ => break,
            }
            if to.write_all(&out).is_err() {
                return;
            }
        }
        out.clear();
        shared.lock().unwrap_or_else(PoisonError::into_inner).finish(&mut out);
        let _ = to.write_all(&out);
    });
    Ok(masker)
}

/// Whether something comes within the time that a person does not notice.
fn is_ready(from: BorrowedFd<'_>) -> bool {
    let mut descriptors = [PollFd::new(from, PollFlags::POLLIN)];
    !matches!(poll(&mut descriptors, PollTimeout::from(STILL)), Ok(0))
}

/// A descriptor of our own, past the buffers of the standard library.
fn duplicate(stream: &impl std::os::fd::AsFd) -> io::Result<File> {
    let descriptor: OwnedFd = stream.as_fd().try_clone_to_owned()?;
    Ok(descriptor.into())
}

fn is_same(one: &File, other: &File) -> bool {
    match (fstat(one), fstat(other)) {
        (Ok(one), Ok(other)) => (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino),
        _ => false,
    }
}
