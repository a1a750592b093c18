//! Copies for when the server cannot be reached: when they are read, and what is said about it.

use std::{
    fs,
    io::ErrorKind,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    thread,
};

use assert_cmd::Command;

use crate::{
    kept::{at, log_in, login_then},
    run::list,
    support::{
        CANARY, Home, Ran, Reply, Server, kms,
        people::{ORGANIZATION, direct},
        plain, run,
    },
};

/// The program that a test starts: it prints the secret.
pub(crate) const SHOW: [&str; 4] = ["--", "/bin/sh", "-c", "printf %s \"$A\""];

/// `run` in the environment `dev` of a project.
pub(crate) fn show(home: &Home, more: &[&str]) -> Ran {
    run(showing(home, &["--projectId=p1"]).args(more).args(SHOW))
}

fn showing(home: &Home, more: &[&str]) -> Command {
    let mut command = at(home);
    command.arg("run").args(more);
    command
}

pub(crate) fn value(value: &str) -> Reply {
    list(&[("A", value)])
}

/// The folder of a home.
pub(crate) fn folder(home: &Home) -> PathBuf {
    PathBuf::from(home.environment()[0].1)
}

/// The files of copies, without their index.
pub(crate) fn copies(home: &Home) -> Vec<PathBuf> {
    let Ok(logins) = fs::read_dir(folder(home).join("cache")) else { return Vec::new() };
    let logins = logins.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = logins.flat_map(|login| fs::read_dir(login).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    files.filter(|path| !path.ends_with("index")).collect()
}

/// Somebody who has read the value once.
pub(crate) fn reader(replies: impl IntoIterator<Item = Reply>) -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(login_then([value("one")].into_iter().chain(replies)));
    log_in(&home, &server, ORGANIZATION);
    assert_eq!(show(&home, &[]).ends_with(0).stdout, "one");
    (home, server)
}

#[test]
fn a_stopped_server_leaves_the_copy_which_says_how_old_it_is() {
    let (home, server) = reader([]);
    let url = server.url();
    drop(server);
    let ran = show(&home, &[]).ends_with(0);
    assert_eq!(ran.stdout, "one");
    ran.says(&format!("could not reach `{url}`: using the copy of `/` of `dev` that was read "))
        .says("ago");
    assert_eq!(show(&home, &["--silent"]).ends_with(0).stderr, "");
    // What was not read is not there: another place, or the same one otherwise.
    for other in ["--env=prod", "--path=/a", "--recursive", "--expand=false", "--tags=x"] {
        show(&home, &[other]).ends_with(125).says("could not reach");
    }
}

#[test]
fn every_command_that_reads_has_the_copy() {
    let (home, server) = reader([]);
    drop(server);
    let place = ["--projectId=p1", "--silent"];
    let plain = run(at(&home).args(["secrets", "get", "A", "--plain"]).args(place)).ends_with(0);
    assert_eq!(plain.stdout, "one\n");
    let all = run(at(&home).args(["secrets", "--plain"]).args(place)).ends_with(0);
    assert!(all.stdout.contains("one"), "{}", all.stdout);
    let json = run(at(&home).args(["export", "--format=json"]).args(place)).ends_with(0);
    assert!(json.stdout.contains("\"one\""), "{}", json.stdout);
}

#[test]
fn a_template_is_filled_from_copies() {
    let home = Home::new();
    let server = Server::start(login_then([value("one")]));
    log_in(&home, &server, ORGANIZATION);
    let template = folder(&home).join("template");
    let text = r#"{{ with secret "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d" "dev" "/" }}{{ range . }}{{ .Value }}{{ end }}{{ end }}"#;
    fs::write(&template, text).unwrap();
    let render = |more: &[&str]| {
        run(at(&home).args(["export", "--template"]).arg(&template).args(more)).ends_with(0).stdout
    };
    assert_eq!(render(&[]), "one");
    drop(server);
    assert_eq!(render(&[]), "one");
    assert_eq!(render(&["--offline"]), "one");
}

#[test]
fn offline_opens_no_connection() {
    let (home, server) = reader([]);
    let port = server.port();
    drop(server);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let ran = show(&home, &["--offline"]).ends_with(0);
    assert_eq!(ran.stdout, "one");
    ran.says("Using the copy of `/` of `dev` that was read ");
    let mut by_variable = showing(&home, &["--projectId=p1", "--silent"]);
    assert_eq!(run(by_variable.args(SHOW).env("KMS_OFFLINE", "true")).ends_with(0).stdout, "one");
    show(&home, &["--prefer-offline"]).ends_with(0);
    show(&home, &["--offline", "--env=prod"]).ends_with(125).says("there is no offline copy");
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_copy_that_is_too_old_is_not_used() {
    let (home, server) = reader([value("two")]);
    show(&home, &["--offline", "--cache-max-age=0"]).ends_with(125).says("--cache-max-age");
    let ran = show(&home, &["--prefer-offline", "--cache-max-age=0"]).ends_with(0);
    assert_eq!(ran.stdout, "two");
    assert_eq!(show(&home, &["--prefer-offline"]).ends_with(0).stdout, "two");
    assert_eq!(server.requests().len(), 5);
    drop(server);
    let ran = show(&home, &["--cache-max-age=0"]).ends_with(125);
    ran.says("could not reach").says("which is longer ago than `--cache-max-age` allows");
    show(&home, &["--cache-max-age=31d"]).ends_with(2).says("30d");
}

#[test]
fn what_a_server_answers_counts_and_what_a_gateway_answers_without_one_does_not() {
    let (home, server) = reader([]);
    let port = server.port();
    drop(server);
    let on = |reply: Reply| {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        Server::answering(listener, plain(), move |_| reply.clone())
    };
    let failing = on(Reply::error(500, "Something went wrong"));
    show(&home, &[]).ends_with(125).says("Something went wrong");
    drop(failing);
    let gateway = on(Reply::text(502, "text/html", "<html>"));
    assert_eq!(show(&home, &[]).ends_with(0).stdout, "one");
    drop(gateway);
    let elsewhere = on(Reply::text(200, "text/html", "<html>"));
    show(&home, &[]).ends_with(125).says("does not answer like a KMS");
    drop(elsewhere);
}

#[test]
fn nothing_is_kept_where_nothing_is_wanted_or_a_token_reads() {
    let home = Home::new();
    let server = Server::start(login_then([value("one"), value("one"), value("one")]));
    log_in(&home, &server, ORGANIZATION);
    show(&home, &["--no-cache"]).ends_with(0);
    let mut off = showing(&home, &["--projectId=p1"]);
    run(off.args(SHOW).env("KMS_NO_CACHE", "1")).ends_with(0);
    let mut token = showing(&home, &["--projectId=p1", "--domain", &server.url()]);
    run(token.args(SHOW).env("KMS_TOKEN", CANARY)).ends_with(0);
    assert!(!folder(&home).join("cache").exists());
    let mut offline = showing(&home, &["--projectId=p1", "--offline"]);
    run(offline.args(SHOW).env("KMS_TOKEN", CANARY)).ends_with(125).says("needs a stored login");
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn flags_without_a_meaning_are_refused() {
    let home = Home::new();
    let server = Server::start(direct());
    log_in(&home, &server, ORGANIZATION);
    for (args, text) in [
        (vec!["secrets", "set", "--offline", "A=1"], "no meaning for `secrets set`"),
        (vec!["secrets", "folders", "get", "--no-cache"], "no meaning for `secrets folders`"),
        (vec!["run", "--watch", "--offline", "true"], "`--watch` has no meaning with `--offline`"),
        (vec!["secrets", "--offline", "--prefer-offline"], "cannot be used with"),
        (vec!["secrets", "--offline", "--no-cache"], "cannot be used with"),
    ] {
        let ran = run(at(&home).args(&args).env("KMS_PROJECT_ID", "p1")).says(text);
        assert!([2, 125].contains(&ran.code), "{args:?}");
    }
    // Nobody is logged in: no copy of anybody.
    let nobody = tempfile::tempdir().unwrap();
    let mut command = kms();
    command.env("KMS_CONFIG_DIR", nobody.path()).args(["secrets", "--offline", "--projectId=p1"]);
    run(&mut command).ends_with(3).says("not logged in");
}

#[test]
fn many_processes_keep_copies_at_once() {
    let home = Home::new();
    let mut logins: Vec<Reply> = direct().into_iter().rev().collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server =
        Server::answering(listener, plain(), move |_| logins.pop().unwrap_or_else(|| value("one")));
    log_in(&home, &server, ORGANIZATION);
    let projects: Vec<String> = (0..4).map(|number| format!("--projectId=p{number}")).collect();
    let everyone = projects.iter().chain(&projects);
    let commands = everyone.map(|project| showing(&home, &[project.as_str()]));
    thread::scope(|scope| {
        for mut command in commands {
            scope.spawn(move || run(command.args(SHOW)).ends_with(0));
        }
    });
    drop(server);
    for project in &projects {
        let ran = run(showing(&home, &[project.as_str(), "--offline"]).args(SHOW)).ends_with(0);
        assert_eq!(ran.stdout, "one");
    }
    assert_eq!(copies(&home).len(), 4);
}

#[test]
fn s2_copies_are_private_from_their_first_byte() {
    let home = Home::new();
    let server = Server::start(login_then([value("one"), value("two")]));
    log_in(&home, &server, ORGANIZATION);
    let line =
        format!("umask 000; exec {} run --projectId=p1 -- /bin/true", env!("CARGO_BIN_EXE_kms"));
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &line]).env_clear().envs(home.environment());
    run(command.current_dir(std::env::temp_dir())).ends_with(0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let copy = copies(&home).remove(0);
    let login = copy.parent().unwrap();
    assert_eq!((mode(&copy), mode(&login.join("index"))), (0o600, 0o600));
    assert_eq!((mode(login), mode(login.parent().unwrap())), (0o700, 0o700));
    // Where others may write, nothing is kept, and what was asked for is there all the same.
    fs::set_permissions(login, fs::Permissions::from_mode(0o777)).unwrap();
    show(&home, &[]).ends_with(0).says("No offline copy is kept").says("chmod go-w");
}
