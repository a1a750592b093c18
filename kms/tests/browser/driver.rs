//! The driver's process, and a bound on how many tests have one.

use std::{
    cell::RefCell,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    rc::{Rc, Weak},
    sync::{Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

/// Tests that have browsers open at the same time.
const AT_ONCE: usize = 2;
static OPEN: Mutex<usize> = Mutex::new(0);
static CLOSED: Condvar = Condvar::new();

thread_local! {
    /// A test has its thread to itself: all its browsers share one place, or two tests with two
    /// browsers each would wait for one another.
    static OURS: RefCell<Weak<Place>> = const { RefCell::new(Weak::new()) };
}

/// A test's right to have browsers open.
pub(crate) struct Place;

impl Place {
    pub(crate) fn take() -> Rc<Self> {
        OURS.with_borrow_mut(|ours| {
            if let Some(place) = ours.upgrade() {
                return place;
            }
            let open = OPEN.lock().unwrap();
            *CLOSED.wait_while(open, |open| *open >= AT_ONCE).unwrap() += 1;
            let place = Rc::new(Self);
            *ours = Rc::downgrade(&place);
            place
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *OPEN.lock().unwrap() -= 1;
        CLOSED.notify_one();
    }
}

/// `chromedriver` on a free port.
///
/// It ends with the thread that started it, whatever becomes of this process, and Chromium, which
/// it talks to over a pipe, ends when that pipe does. So nothing outlives a test.
pub(crate) struct Driver {
    child: Child,
    pub(crate) url: String,
}

impl Driver {
    /// Everything that it and its browser write goes under `home`.
    pub(crate) fn start(home: &Path) -> Self {
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "chromedriver", "--port=0"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("TMPDIR", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        let port = loop {
            let from = said.len();
            assert_ne!(stdout.read_line(&mut said).unwrap(), 0, "it ended: {said}");
            let line = said[from..].trim().trim_end_matches('.');
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.to_owned();
            }
        };
        thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let family = family(self.id());
        let _ = self.child.kill();
        let _ = self.child.wait();
        let started = Instant::now();
        // Its folder is about to be removed under it.
        while family.iter().any(|id| runs(*id)) && started.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A process's state and its parent, from the line the kernel gives of it.
fn state(id: u32) -> Option<(char, u32)> {
    let line = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before it may hold blanks and brackets.
    let mut fields = line.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether it still does anything; nobody may have asked how a finished one ended.
pub(crate) fn runs(id: u32) -> bool {
    state(id).is_some_and(|(state, _)| state != 'Z')
}

/// A process and everything that it has started.
pub(crate) fn family(id: u32) -> Vec<u32> {
    let names = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let all: Vec<(u32, u32)> = names
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, state(id)?.1)))
        .collect();
    let mut family = vec![id];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(all.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        next += 1;
    }
    family
}
