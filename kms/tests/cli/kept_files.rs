//! The files that keep logins, and how they go away.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
};

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::{
    kept::{at, list, log_in, login_then, projects, refreshed, short},
    support::{
        CANARY, Home, Reply, Server, kms,
        people::{EMAIL, ORGANIZATION, PASSWORD, direct, token},
        run,
    },
};

#[test]
fn logout_ends_the_session_on_the_server_and_here() {
    let home = Home::new();
    let done = Reply::json(200, json!({ "message": "Successfully logged out" }));
    let server = Server::start(login_then([done]));
    log_in(&home, &server, ORGANIZATION);
    run(at(&home).arg("logout")).ends_with(0).says("Logged out");
    let request = &server.requests()[3];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/api/v1/auth/logout"));
    assert_eq!(request.header("cookie"), Some("jid=canary-7c1e9a-second"));
    list(&home).ends_with(3);
    assert_eq!(home.config()["profiles"], json!([]));
    assert_eq!(ages(Path::new(home.environment()[0].1)), ["vault/identity.age"]);
    run(at(&home).arg("logout")).ends_with(3);
}

#[test]
fn logout_without_the_server_forgets_what_is_here_and_says_that_no_more_was_done() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    drop(server);
    run(at(&home).arg("logout")).ends_with(5).says("is forgotten here");
    assert_eq!(home.config()["profiles"], json!([]));
}

#[test]
fn reset_forgets_everything_without_passphrase_and_server() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    let folder = home.environment()[0].1;
    run(kms().arg("reset").env("KMS_CONFIG_DIR", folder)).ends_with(2).says("--yes");
    // Not even a configuration that can't be read is in the way.
    fs::write(Path::new(folder).join("config.json"), "{").unwrap();
    run(kms().args(["reset", "--yes"]).env("KMS_CONFIG_DIR", folder)).ends_with(0);
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
}

#[test]
fn update_domain_moves_a_login_only_when_its_owner_says_so() {
    let home = Home::new();
    let server = Server::start(direct());
    let status = json!({
        "date": "2026-01-02T03:04:05.678Z", "message": "Ok", "emailConfigured": false,
        "inviteOnlySignup": false, "redisConfigured": true, "secretScanningConfigured": false,
    });
    let moved = Server::start([Reply::json(200, status), projects()]);
    log_in(&home, &server, ORGANIZATION);
    let update = ["user", "update", "domain", &moved.url()];
    run(at(&home).args(update)).ends_with(2).says("--yes");
    assert_eq!(moved.requests().len(), 0);
    run(at(&home).args(update).arg("--yes")).ends_with(0);
    list(&home).ends_with(0);
    assert_eq!(moved.requests()[0].header("authorization"), None);
    let bearer = format!("Bearer {}", token(ORGANIZATION));
    assert_eq!(moved.requests()[1].header("authorization"), Some(bearer.as_str()));
}

#[test]
fn s1_a_copy_of_the_files_opens_nothing() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    let everything = home.everything();
    for secret in [CANARY, "passphrase-of-tests", "AGE-SECRET-KEY"] {
        assert!(!everything.contains(secret), "{secret}");
    }
    run(at(&home).args(["vault", "lock"])).ends_with(0);
    let folder = home.environment()[0].1;
    let without = |command: &mut Command| run(command.env("KMS_CONFIG_DIR", folder));
    without(kms().args(["projects", "list"])).ends_with(4).says("KMS_VAULT_FILE_PASSPHRASE");
    without(kms().args(["projects", "list"]).env("KMS_VAULT_FILE_PASSPHRASE", "guess"))
        .ends_with(3)
        .says("not the passphrase");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn s1_without_a_keyring_nothing_takes_its_place_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start([]);
    let ran = run(kms()
        .args(["login", "--email", EMAIL, "--organization-id", ORGANIZATION])
        .args(["--domain", &server.url()])
        .env("KMS_PASSWORD", PASSWORD)
        .env("KMS_CONFIG_DIR", folder.path())
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus"))
    .ends_with(1);
    ran.says("keyring").says("kms vault set file");
    assert!(!folder.path().join("sessions").exists());
}

#[test]
fn s2_files_are_private_from_their_first_byte_whatever_the_umask() {
    let home = Home::new();
    let server =
        Server::start(login_then([Reply::error(401, "no"), refreshed(&short(9, "b"), None)]));
    let line = format!(
        "umask 000; exec {} login --silent --email {EMAIL} --organization-id {ORGANIZATION} \
         --domain {}",
        env!("CARGO_BIN_EXE_kms"),
        server.url()
    );
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().envs(home.environment()).env("KMS_PASSWORD", PASSWORD).args(["-c", &line]);
    run(&mut shell).ends_with(0);
    let _ = list(&home);
    let folder = Path::new(home.environment()[0].1);
    let mut seen = 0;
    for part in ["", "sessions", "vault"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let metadata = entry.unwrap().metadata().unwrap();
            let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(metadata.mode() & 0o777, expected);
            seen += 1;
        }
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn s2_links_and_files_that_others_may_write_to_are_refused() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    let folder = Path::new(home.environment()[0].1);
    let config = folder.join("config.json");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o666)).unwrap();
    list(&home).ends_with(1).says("go-w");
    fs::rename(&config, folder.join("elsewhere")).unwrap();
    symlink(folder.join("elsewhere"), &config).unwrap();
    list(&home).ends_with(1).says("symbolic link");
}

#[test]
fn a_vault_that_cannot_be_used_takes_nothing_over() {
    let home = Home::new();
    let server = Server::start(login_then([projects()]));
    log_in(&home, &server, ORGANIZATION);
    run(at(&home)
        .args(["vault", "set", "auto"])
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus"))
    .ends_with(1);
    list(&home).ends_with(0);
    let shown = run(at(&home).args(["vaults", "--output=json"])).ends_with(0);
    let vaults: Vec<Value> = serde_json::from_str(&shown.stdout).unwrap();
    let used: Vec<_> = vaults.iter().filter(|vault| vault["inUse"] == true).collect();
    assert_eq!(used.len(), 1);
    assert_eq!((&used[0]["name"], &used[0]["available"]), (&json!("file"), &json!(true)));
    run(at(&home).args(["vault", "set", "nothing"])).ends_with(2);
}

#[test]
fn the_age_program_opens_what_the_file_vault_seals() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    let folder = Path::new(home.environment()[0].1);
    let text = fs::read_to_string(folder.join("vault/recipient.txt")).unwrap();
    assert!(text.starts_with("age1"), "{text}");
    let sealed = fs::read_dir(folder.join("sessions")).unwrap().map(|file| file.unwrap().path());
    let sealed: Vec<_> =
        sealed.filter(|path| path.extension().is_some_and(|e| e == "age")).collect();
    assert_eq!(sealed.len(), 1);
    // A stranger's identity does not open it, and the program agrees on the format.
    let identity = tempfile::NamedTempFile::new().unwrap();
    let key = run(&mut Command::new("age-keygen")).ends_with(0).stdout;
    fs::write(identity.path(), key).unwrap();
    let mut age = Command::new("age");
    let ran = run(age.arg("-d").arg("-i").arg(identity.path()).arg(&sealed[0])).ends_with(1);
    ran.says("no identity matched");
}

#[test]
fn logins_of_the_compatible_cli_are_taken_over_and_left_alone() {
    let home = Home::new();
    let server = Server::start([projects()]);
    let theirs = tempfile::tempdir().unwrap();
    let path = theirs.path().join(".infisical/infisical-config.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::create_dir_all(theirs.path().join("infisical-keyring")).unwrap();
    let sealed = include_str!("fixtures/compatible-vault.jwe").trim();
    fs::write(theirs.path().join("infisical-keyring").join(EMAIL), sealed).unwrap();
    let config = json!({
        "loggedInUserEmail": EMAIL,
        "LoggedInUserDomain": format!("{}/api", server.url()),
        "loggedInUsers": [
            { "email": EMAIL, "domain": format!("{}/api", server.url()) },
            { "email": "gone@example.com", "domain": "https://gone.example/api" },
        ],
        "vaultBackendType": "file",
        "vaultBackendPassphrase": "dGVuIGNoYXJzIQ==",
    });
    fs::write(&path, config.to_string()).unwrap();
    let import = || {
        let mut command = at(&home);
        run(command.args(["user", "import", "--from"]).arg(theirs.path()))
    };
    let ran = import().ends_with(0).says("Taken over: user@example.com");
    ran.says("gone@example.com on https://gone.example/api: its tokens were not found");
    import().ends_with(0);
    list(&home).ends_with(0);
    let bearer = server.request().header("authorization").unwrap().to_owned();
    assert!(bearer.starts_with("Bearer eyJ") && bearer.ends_with(CANARY));
    assert_eq!(home.config()["profiles"].as_array().unwrap().len(), 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), config.to_string());
    let wrong = config.to_string().replace("dGVuIGNoYXJzIQ==", "d3Jvbmc=");
    fs::write(&path, wrong).unwrap();
    import().ends_with(1).says("that is not its passphrase");
}

/// Every sealed file below a folder, as paths from there.
fn ages(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for part in ["sessions", "vault"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "age") {
                found.push(format!("{part}/{}", path.file_name().unwrap().to_str().unwrap()));
            }
        }
    }
    found.sort();
    found
}
