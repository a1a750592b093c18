//! The system's keyring: GNOME Keyring on a session bus of its own, as on a desktop.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use assert_cmd::Command;
use serde_json::json;

use crate::support::{
    CANARY, Ran, Reply, Server,
    people::{EMAIL, ORGANIZATION, PASSWORD, direct},
    run,
};

const UNLOCKED: &str = "printf 'password-of-the-keyring\\n' | \
    gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null 2>&1";
const LOCKED: &str = "gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1";

/// Somebody's desktop: a home and a runtime folder.
struct Desktop(tempfile::TempDir);

impl Desktop {
    fn new() -> Self {
        let desktop = Self(tempfile::tempdir().unwrap());
        for name in ["home", "run"] {
            let path = desktop.0.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        desktop
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Runs lines of shell on a session bus: first what becomes of the keyring, then `script`.
    fn session(&self, keyring: &str, script: &str) -> Ran {
        let mut command = Command::new("dbus-run-session");
        command
            .arg("--")
            .args(["sh", "-ec"])
            .arg(format!("{keyring}\n{script}\n"))
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("KMS", env!("CARGO_BIN_EXE_kms"))
            .env("KMS_PASSWORD", PASSWORD)
            .current_dir(self.0.path())
            .timeout(Duration::from_mins(2));
        run(&mut command)
    }

    fn config(&self) -> std::path::PathBuf {
        self.path("home/.config/kms")
    }
}

fn login(server: &Server) -> String {
    format!(
        "$KMS login --silent --email {EMAIL} --organization-id {ORGANIZATION} --domain {}",
        server.url()
    )
}

fn projects() -> Reply {
    Reply::json(200, json!({ "projects": [] }))
}

#[test]
fn s3_an_unlocked_keyring_keeps_one_small_key_for_each_login() {
    let desktop = Desktop::new();
    let server = Server::start(direct().into_iter().chain([projects(), projects()]));
    let ran = desktop.session(
        UNLOCKED,
        &format!(
            "{}\n$KMS projects list >/dev/null\n$KMS projects list >/dev/null\n\
             secret-tool search --all xdg:schema ai.hanzo.kms.Profile 2>&1",
            login(&server)
        ),
    );
    let ran = ran.ends_with(0);
    let secrets: Vec<_> =
        ran.stdout.lines().filter_map(|line| line.strip_prefix("secret = ")).collect();
    assert_eq!(secrets.len(), 1, "{}", ran.stdout);
    assert!(secrets[0].starts_with("AGE-SECRET-KEY-") && secrets[0].len() < 2_048);
    assert!(!ran.stdout.contains(CANARY));
    assert!(!desktop.config().join("vault").exists());
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn s3_a_locked_keyring_asks_nobody_where_nobody_is() {
    let desktop = Desktop::new();
    let server = Server::start(direct());
    desktop.session(UNLOCKED, &login(&server)).ends_with(0);
    let ran = desktop.session(LOCKED, "$KMS projects list").ends_with(4);
    ran.says("the system's keyring is locked").says("kms vault set file");
    let ran = desktop.session(LOCKED, &login(&server)).ends_with(4);
    ran.says("locked");
    let ran = desktop.session(LOCKED, "$KMS vault --output json").ends_with(0);
    assert!(ran.stdout.contains("\"locked\": true"), "{}", ran.stdout);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn s3_without_a_keyring_the_message_says_what_to_do() {
    let desktop = Desktop::new();
    let server = Server::start([]);
    // A bus that nobody offers the Secret Service on.
    let bus = desktop.path("bus.conf");
    fs::write(
        &bus,
        "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>\
         <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
         <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
    )
    .unwrap();
    let script = format!(
        "exec dbus-run-session --config-file={} -- sh -ec '{}'",
        bus.display(),
        login(&server)
    );
    let ran = desktop.session("", &script).ends_with(1);
    ran.says("no program here offers the Secret Service").says("kms vault set file");
    assert!(!desktop.config().join("sessions").exists());
}

#[test]
fn keys_move_between_keyring_and_files_and_nothing_is_lost() {
    let desktop = Desktop::new();
    let server = Server::start(direct().into_iter().chain([projects(), projects(), projects()]));
    let search =
        "secret-tool search --all xdg:schema ai.hanzo.kms.Profile 2>&1 | grep -c '^secret' || true";
    let ran = desktop.session(
        UNLOCKED,
        &format!(
            "export KMS_VAULT_FILE_PASSPHRASE=p\n{}\n\
             $KMS projects list >/dev/null\n$KMS vault set file --keep-unlocked 0\n{search}\n\
             $KMS projects list >/dev/null\n$KMS vault set auto\n{search}\n\
             $KMS projects list >/dev/null",
            login(&server)
        ),
    );
    let ran = ran.ends_with(0);
    assert_eq!(ran.stdout, "0\n1\n", "{}", ran.stderr);
    assert_eq!(keys(&desktop.config().join("vault")), 0);
    ran.says("1 moved there");
}

#[test]
fn s4_offline_copies_have_a_key_in_the_keyring_which_goes_when_keys_move() {
    let desktop = Desktop::new();
    let server = Server::start(direct().into_iter().chain([crate::offline::value("one")]));
    let search =
        "secret-tool search --all xdg:schema ai.hanzo.kms.Profile 2>&1 | grep -c '^secret' || true";
    let read = "$KMS secrets get A --plain --silent --projectId=p1";
    let ran = desktop.session(
        UNLOCKED,
        &format!(
            "export KMS_VAULT_FILE_PASSPHRASE=p\n{}\n{read}\n{search}\n{read} --offline\n\
             $KMS vault set file --keep-unlocked 0\n{search}\n{read} --offline && exit 9 || true",
            login(&server)
        ),
    );
    let ran = ran.ends_with(0);
    assert_eq!(ran.stdout, "one\n2\none\n0\n", "{}", ran.stderr);
    ran.says("there is no offline copy").says("1 moved there");
    assert_eq!(keys(&desktop.config().join("vault")), 1);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn keys_that_cannot_be_read_are_not_moved() {
    let desktop = Desktop::new();
    let server = Server::start(direct().into_iter().chain([projects()]));
    desktop.session(UNLOCKED, &login(&server)).ends_with(0);
    let script = "KMS_VAULT_FILE_PASSPHRASE=p $KMS vault set file";
    desktop.session(LOCKED, script).ends_with(4).says("nothing was moved");
    assert_eq!(keys(&desktop.config().join("vault")), 0);
    desktop.session(UNLOCKED, "$KMS projects list").ends_with(0);
}

#[test]
fn logout_takes_the_key_out_of_the_keyring() {
    let desktop = Desktop::new();
    let done = Reply::json(200, json!({ "message": "Successfully logged out" }));
    let server = Server::start(direct().into_iter().chain([done]));
    let script = format!(
        "{}\n$KMS logout --silent\nsecret-tool search --all xdg:schema ai.hanzo.kms.Profile 2>&1 || true",
        login(&server)
    );
    let ran = desktop.session(UNLOCKED, &script).ends_with(0);
    assert!(!ran.stdout.contains("AGE-SECRET-KEY"), "{}", ran.stdout);
}

#[test]
fn logins_of_the_compatible_cli_are_taken_over_from_the_keyring() {
    let desktop = Desktop::new();
    let server = Server::start([projects()]);
    let folder = desktop.path("home/.infisical");
    fs::create_dir(&folder).unwrap();
    let config = json!({
        "loggedInUserEmail": EMAIL,
        "LoggedInUserDomain": format!("{}/api", server.url()),
        "loggedInUsers": [{ "email": EMAIL, "domain": format!("{}/api", server.url()) }],
        "vaultBackendType": "auto",
    });
    fs::write(folder.join("infisical-config.json"), config.to_string()).unwrap();
    let token = crate::support::people::token(ORGANIZATION);
    let entry = json!({ "email": EMAIL, "privateKey": "", "JTWToken": token, "RefreshToken": "" });
    let script = format!(
        "printf '%s' '{entry}' | secret-tool store --label x service infisical-cli username {EMAIL}\n\
         $KMS user import\n$KMS projects list"
    );
    desktop.session(UNLOCKED, &script).ends_with(0).says("Taken over");
    let bearer = format!("Bearer {token}");
    assert_eq!(server.request().header("authorization"), Some(bearer.as_str()));
}

/// How many login keys a file vault holds.
fn keys(vault: &Path) -> usize {
    let Ok(entries) = fs::read_dir(vault) else { return 0 };
    let is_key = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|ending| ending == "age")
            && path.file_stem().is_some_and(|id| id.len() == 36)
    };
    entries.map(|entry| entry.unwrap().path()).filter(is_key).count()
}
