//! What stands in for the program that opens a browser.

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// A browser that only writes down where it was sent, and makes noise.
pub(crate) struct Opener {
    folder: tempfile::TempDir,
}

impl Opener {
    pub(crate) fn new() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let script = "#!/bin/sh\necho noise; echo noise >&2\nprintf %s \"$1\" > \"$0.new\"\n\
                      mv \"$0.new\" \"$0.address\"\n";
        let program = folder.path().join("browser");
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        Self { folder }
    }

    pub(crate) fn program(&self) -> String {
        self.folder.path().join("browser").to_str().unwrap().to_owned()
    }

    /// Where it was sent.
    #[track_caller]
    pub(crate) fn address(&self) -> String {
        let started = Instant::now();
        loop {
            if let Ok(address) = std::fs::read_to_string(self.file()) {
                return address;
            }
            assert!(started.elapsed() < Duration::from_secs(15), "no browser was opened");
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn was_opened(&self) -> bool {
        self.file().exists()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("browser.address")
    }
}
