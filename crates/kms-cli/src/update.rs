//! The notice that a newer version is there. It costs a command nothing: a server like ours tells its
//! version with every answer, and a feed, where one is configured, is asked by a process of its own
//! that nobody waits for; the next command says what it found.
//!
//! A compatible server tells no such version, so that its numbers are never taken for ours.

use std::{
    cmp::Ordering,
    io::{self, IsTerminal as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use kms_client::latest_release;
use serde::{Deserialize, Serialize};

use crate::{
    Context,
    env_vars::{self, Variable},
    error::CliError,
    private_file,
    profiles::now,
};

/// The name of the command that asks the feed.
pub(crate) const LOOK: &str = "look-for-update";

/// How often something is said or asked, in seconds.
const EVERY: i64 = 24 * 60 * 60;
const FILE: &str = "update.json";
const OWN: &str = env!("CARGO_PKG_VERSION");

/// What the process that asks the feed is left of its environment.
const HANDED_ON: [&Variable; 8] = [
    &env_vars::CONFIG_DIR,
    &env_vars::UPDATE_URL,
    &env_vars::CACERT,
    &env_vars::HTTPS_PROXY,
    &env_vars::HTTP_PROXY,
    &env_vars::ALL_PROXY,
    &env_vars::NO_PROXY,
    &env_vars::SSL_CERT_FILE,
];
const HOME: [&str; 2] = ["HOME", "XDG_CONFIG_HOME"];

/// Ask the release feed for the latest version
#[derive(clap::Args, Debug)]
pub struct Look {}

/// What is remembered from one command to the next.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Remembered {
    said_at: i64,
    asked_at: i64,
    /// What the feed said last.
    latest: Option<String>,
}

/// Whether a command may leave a process behind: the program of `run` must not inherit one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feed {
    MayBeAsked,
    IsLeftAlone,
}

/// Says that a newer version is there, at most once a day and only to whoever sits before a terminal.
pub(crate) fn notice(feed: Feed, context: &Context) {
    if !is_wanted(context) {
        return;
    }
    let Some(file) = file(context) else { return };
    let heard = context.settings.server_version();
    let url = context.settings.env.value(&env_vars::UPDATE_URL);
    // Nothing was heard and nobody can be asked: not even the file is read.
    if url.is_none() && !heard.is_some_and(|version| is_newer(version, OWN)) {
        return;
    }
    let mut remembered = read(&file);
    let now = now().seconds();
    let is_due = |last: i64| !(0..EVERY).contains(&(now - last));
    let known = url.as_ref().and(remembered.latest.as_deref());
    if let Some(text) = text(heard, known, &context.settings.origin.value.to_string())
        && is_due(remembered.said_at)
    {
        remembered.said_at = now;
        // What could not be noted would be said again and again.
        if write(&file, &remembered).is_ok() {
            context.ui.notice(&text);
            context.ui.hint("`KMS_DISABLE_UPDATE_CHECK=true` keeps this to itself");
        }
    }
    if url.is_some() && feed == Feed::MayBeAsked && is_due(remembered.asked_at) {
        remembered.asked_at = now;
        if write(&file, &remembered).is_ok() {
            start(context);
        }
    }
}

fn is_wanted(context: &Context) -> bool {
    let env = &context.settings.env;
    let is_seen = io::stderr().is_terminal() && io::stdout().is_terminal();
    let is_for_programs = context.settings.output.as_deref().is_some_and(|it| it != "table");
    is_seen
        && !is_for_programs
        && !context.ui.silent
        && !env.is_on(&env_vars::CI)
        && env.get(&env_vars::DISABLE_UPDATE_CHECK).is_none()
}

/// What is said, if one of both is newer than this program: the newest of them.
fn text(heard: Option<&str>, known: Option<&str>, server: &str) -> Option<String> {
    let newer = |version: &&str| is_newer(version, OWN);
    let (heard, known) = (heard.filter(newer), known.filter(newer));
    match (heard, known) {
        (Some(heard), Some(known)) if is_newer(known, heard) => Some(released(known)),
        (Some(heard), _) => Some(format!("`{server}` runs kms {heard}; this program is kms {OWN}")),
        (None, known) => known.map(released),
    }
}

fn released(version: &str) -> String {
    format!("kms {version} is there; this program is kms {OWN}")
}

/// Whether a version is a release and newer than another.
fn is_newer(version: &str, than: &str) -> bool {
    let (Some((new, true)), Some((old, is_release))) = (parsed(version), parsed(than)) else {
        return false;
    };
    match new.cmp(&old) {
        Ordering::Greater => true,
        Ordering::Equal => !is_release,
        Ordering::Less => false,
    }
}

/// The three numbers, and whether it is a release and no step before one.
fn parsed(version: &str) -> Option<([u64; 3], bool)> {
    let version = version.split('+').next()?;
    let (numbers, is_release) = match version.split_once('-') {
        Some((numbers, _)) => (numbers, false),
        None => (version, true),
    };
    let numbers: Vec<u64> = numbers.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    Some((numbers.try_into().ok()?, is_release))
}

fn file(context: &Context) -> Option<PathBuf> {
    Some(context.settings.profiles.folder().ok()?.join(FILE))
}

/// What can't be read is as good as nothing.
fn read(file: &Path) -> Remembered {
    let bytes = private_file::read(file).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn write(file: &Path, remembered: &Remembered) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        private_file::folder(folder)?;
    }
    private_file::replace(file, &serde_json::to_vec(remembered)?)
}

/// Starts the process that asks. It has nothing of this one but where to ask and where to write.
fn start(context: &Context) {
    let Ok(program) = std::env::current_exe() else { return };
    let mut command = Command::new(program);
    command.arg(LOOK).env_clear().current_dir("/").process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for variable in HANDED_ON {
        if let Some((value, name)) = context.settings.env.get(variable) {
            command.env(name, value);
        }
    }
    for name in HOME {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // Whoever can't be asked today is asked tomorrow.
    let _ = command.spawn();
}

/// Asks the feed and remembers what it says.
pub(crate) async fn look(_: &Look, context: &Context) -> Result<(), CliError> {
    let env = &context.settings.env;
    let (Some(url), Some(file)) = (env.value(&env_vars::UPDATE_URL), file(context)) else {
        return Ok(());
    };
    let certificates = env.value(&env_vars::CACERT).map(PathBuf::from);
    let Some(latest) = latest_release(&url, certificates.as_deref()).await else { return Ok(()) };
    write(&file, &Remembered { latest: Some(latest), ..read(&file) })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_release_is_newer() {
        for (new, old) in
            [("1.0.1", "1.0.0"), ("1.10.0", "1.9.9"), ("2.0.0+b", "1.9.9"), ("1.0.0", "1.0.0-rc.1")]
        {
            assert!(is_newer(new, old), "{new} {old}");
        }
        for (new, old) in [
            ("1.0.0", "1.0.0"),
            ("1.0.0", "1.0.1"),
            ("2.0.0-rc.1", "1.0.0"),
            ("1.0.0+b", "1.0.0"),
            ("2.0", "1.0.0"),
            ("2.0.0.0", "1.0.0"),
            ("99999999999999999999.0.0", "1.0.0"),
            ("", "1.0.0"),
        ] {
            assert!(!is_newer(new, old), "{new} {old}");
        }
    }

    #[test]
    fn the_newest_is_said_and_by_whom() {
        let server = "https://kms.example.com";
        assert_eq!(text(None, None, server), None);
        assert_eq!(text(Some(OWN), Some(OWN), server), None);
        assert!(text(Some("9.0.0"), Some("8.0.0"), server).unwrap().contains(server));
        assert!(text(Some("8.0.0"), Some("9.0.0"), server).unwrap().starts_with("kms 9.0.0 is"));
        assert!(text(None, Some("9.0.0"), server).unwrap().starts_with("kms 9.0.0 is"));
    }
}
