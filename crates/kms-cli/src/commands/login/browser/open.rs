//! Opening a browser, and knowing where there is one.

use std::{
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use tokio::sync::oneshot;

use crate::{
    commands::OPEN_ADDRESS,
    env_vars::{self, Env},
};

/// Browsers that draw in a terminal: the one that the login was started on is not theirs.
const TEXT_BROWSERS: [&str; 10] =
    ["browsh", "curl", "elinks", "eww", "links", "links2", "lynx", "retawq", "w3m", "www-browser"];

/// Opens an address. Says whether some program has taken it, which is not to say that it is shown.
///
/// A program of our own does it, in a process group of its own and without our input and output:
/// what browsers write belongs on no terminal, and an interrupt of the login must not end one.
pub(super) async fn in_browser(address: &str) -> bool {
    let Ok(program) = std::env::current_exe() else { return false };
    let child = Command::new(program)
        .args([OPEN_ADDRESS, address])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let Ok(mut child) = child else { return false };
    let (ended, end) = oneshot::channel();
    // Not the runtime's: that would have to wait for it.
    thread::spawn(move || {
        let _ = ended.send(child.wait().is_ok_and(|status| status.success()));
    });
    end.await.unwrap_or(false)
}

/// Where the browser is that a person would use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// On this machine: it can come back to it.
    Here,
    /// On the Windows around this Linux: it can be opened, but may not reach this side.
    Windows,
    /// On another machine, or nobody knows; with the reason.
    Elsewhere(&'static str),
}

impl Whereabouts {
    /// Looks around.
    pub(super) fn find(env: &Env) -> Self {
        let exists = |path: &str| Path::new(path).exists();
        // Containers for people's own desktops share its network and open its browser.
        let is_container = exists("/.dockerenv")
            || exists("/run/.containerenv")
            || env.value(&env_vars::CONTAINER).is_some();
        let container = is_container && !exists("/run/.toolboxenv");
        Self::of(env, container)
    }

    fn of(env: &Env, container: bool) -> Self {
        let has = |variable| env.value(variable).is_some();
        // Whoever names a browser knows better; editors with a remote side do, and forward ports.
        if env.value(&env_vars::BROWSER).is_some_and(|named| is_graphical(&named)) {
            Self::Here
        } else if has(&env_vars::SSH_CONNECTION) {
            Self::Elsewhere("over SSH")
        } else if container {
            Self::Elsewhere("in a container")
        } else if has(&env_vars::WSL) {
            Self::Windows
        } else if cfg!(target_os = "macos") || has(&env_vars::DISPLAY) {
            Self::Here
        } else {
            Self::Elsewhere("without a display")
        }
    }
}

/// Whether the first of the commands in `BROWSER` has a window of its own.
fn is_graphical(named: &str) -> bool {
    let first = named.split(':').next().unwrap_or_default();
    let program = first.split_ascii_whitespace().next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    !name.is_empty() && !TEXT_BROWSERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pairs: &[(&str, &str)], container: bool) -> Whereabouts {
        let pairs = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Whereabouts::of(&Env::Fixed(pairs.collect()), container)
    }

    #[cfg(not(target_os = "macos"))]
    #[test]
    fn a_browser_is_here_where_it_could_come_back() {
        use Whereabouts::{Elsewhere, Here, Windows};
        let ssh = ("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22");
        for (pairs, container, expected) in [
            (&[("DISPLAY", ":0")][..], false, Here),
            (&[("WAYLAND_DISPLAY", "wayland-0")], false, Here),
            (&[], false, Elsewhere("without a display")),
            (&[("DISPLAY", "")], false, Elsewhere("without a display")),
            (&[("DISPLAY", ":10"), ssh], false, Elsewhere("over SSH")),
            (&[("SSH_TTY", "/dev/pts/1")], false, Elsewhere("over SSH")),
            (&[("DISPLAY", ":0")], true, Elsewhere("in a container")),
            (&[("WSL_DISTRO_NAME", "Debian"), ("DISPLAY", ":0")], false, Windows),
            (&[("BROWSER", "firefox"), ssh], true, Here),
            (&[("BROWSER", "/opt/x --new %s:w3m")], false, Here),
            (&[("BROWSER", "/usr/bin/w3m")], false, Elsewhere("without a display")),
            (&[("BROWSER", "lynx:firefox"), ("DISPLAY", ":0")], false, Here),
        ] {
            assert_eq!(found(pairs, container), expected, "{pairs:?} {container}");
        }
    }
}
