//! The notice that a newer version is there.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    support::{CANARY, Reply, Server, kms, plain, run},
    terminal::{Ended, Terminal},
};

fn told(version: &str) -> Server {
    let reply = Reply::json(200, json!({ "projects": [] })).with("x-kms-version", version);
    Server::answering(TcpListener::bind("127.0.0.1:0").unwrap(), plain(), move |_| reply.clone())
}

fn compatible() -> Server {
    let reply = Reply::json(200, json!({ "projects": [] }));
    Server::answering(TcpListener::bind("127.0.0.1:0").unwrap(), plain(), move |_| reply.clone())
}

/// Lists projects on a terminal.
fn list(server: &Server, home: &Path, args: &[&str], environment: &[(&str, &str)]) -> Ended {
    let home = home.join("kms");
    let domain = server.url();
    let mut all = vec![
        ("KMS_CONFIG_DIR", home.to_str().unwrap()),
        ("KMS_TOKEN", CANARY),
        ("KMS_DOMAIN", &domain),
    ];
    all.extend(environment);
    let args = [&["projects", "list"], args].concat();
    Terminal::start_with(&std::env::temp_dir(), &args, &all, true).finish()
}

fn remembered(home: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(home.join("kms/update.json")).ok()?).ok()
}

#[test]
fn a_newer_server_is_said_once_a_day_and_asked_nothing_more() {
    let home = tempfile::tempdir().unwrap();
    let server = told("99.0.0");
    let ended = list(&server, home.path(), &[], &[]);
    assert_eq!(ended.code, 0);
    let says = format!("`{}` runs kms 99.0.0; this program is kms ", server.url());
    assert!(ended.screen.contains(&says), "{}", ended.screen);
    assert_eq!(server.request().target, "/api/v1/projects");
    let again = list(&server, home.path(), &[], &[]);
    assert!(!again.screen.contains("99.0.0"), "{}", again.screen);
    // A day later.
    let mut file = remembered(home.path()).unwrap();
    file["saidAt"] = json!(file["saidAt"].as_i64().unwrap() - 24 * 60 * 60);
    fs::write(home.path().join("kms/update.json"), file.to_string()).unwrap();
    let later = list(&server, home.path(), &[], &[]);
    assert!(later.screen.contains(&says), "{}", later.screen);
}

#[test]
fn nothing_is_said_where_nobody_wants_to_hear_it() {
    let server = told("99.0.0");
    for (args, environment) in [
        (&["--silent"][..], ("A", "1")),
        (&["--output=json"], ("A", "1")),
        (&[], ("CI", "true")),
        (&[], ("KMS_DISABLE_UPDATE_CHECK", "1")),
        (&[], ("INFISICAL_DISABLE_UPDATE_CHECK", "false")),
    ] {
        let home = tempfile::tempdir().unwrap();
        let ended = list(&server, home.path(), args, &[environment]);
        assert_eq!(ended.code, 0);
        assert!(!ended.screen.contains("99.0.0"), "{args:?} {environment:?}: {}", ended.screen);
        assert_eq!(remembered(home.path()), None);
    }
    let home = tempfile::tempdir().unwrap();
    let ran = run(kms()
        .args(["projects", "list", "--domain", &server.url()])
        .env("KMS_TOKEN", CANARY)
        .env("KMS_CONFIG_DIR", home.path()));
    assert!(!ran.ends_with(0).stderr.contains("99.0.0"));
}

#[test]
fn l11_neither_a_compatible_server_nor_an_old_one_nor_nonsense_is_an_update() {
    let home = tempfile::tempdir().unwrap();
    let own = env!("CARGO_PKG_VERSION");
    for version in [own, "0.0.1", "99.0.0-rc.1", "v99.0.0", "99.0.0 <b>", "99", "1e9.0.0"] {
        let ended = list(&told(version), home.path(), &[], &[]);
        assert!(!ended.screen.contains("this program is"), "{version}: {}", ended.screen);
    }
    let ended = list(&compatible(), home.path(), &[], &[]);
    assert!(!ended.screen.contains("this program is"), "{}", ended.screen);
    assert_eq!(remembered(home.path()), None, "nothing was written for nothing");
}

#[test]
fn run_says_it_before_the_program_starts() {
    let home = tempfile::tempdir().unwrap();
    let home_folder = home.path().join("kms");
    let reply = Reply::json(200, json!({ "secrets": [], "imports": [] }));
    let server = Server::start([reply.with("x-kms-version", "99.0.0")]);
    let domain = server.url();
    let environment = [
        ("KMS_CONFIG_DIR", home_folder.to_str().unwrap()),
        ("KMS_TOKEN", CANARY),
        ("KMS_DOMAIN", &domain),
        ("KMS_PROJECT_ID", "p"),
    ];
    let args = ["run", "--", "sh", "-c", "echo started"];
    let mut terminal = Terminal::start_with(&std::env::temp_dir(), &args, &environment, true);
    terminal.expect("this program is kms").expect("started");
    assert_eq!(terminal.finish().code, 0);
}

/// Waits until the process that asks has written what it was told.
fn wait_for_latest(home: &Path) -> String {
    let started = Instant::now();
    loop {
        let latest = remembered(home).and_then(|it| Some(it["latest"].as_str()?.to_owned()));
        if let Some(latest) = latest {
            return latest;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "nothing was written");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_feed_that_is_named_is_asked_once_a_day_by_nobody_in_particular() {
    for body in [json!({ "version": "99.1.0" }), json!({ "tag_name": "v99.1.0", "name": "x" })] {
        let home = tempfile::tempdir().unwrap();
        let feed = Server::start([Reply::json(200, body).after(Duration::from_millis(300))]);
        let server = compatible();
        let url = format!("{}/releases/latest", feed.url());
        let headers = format!("X-Team={CANARY}");
        let environment = [("KMS_UPDATE_URL", url.as_str()), ("KMS_CUSTOM_HEADERS", &headers)];
        let first = list(&server, home.path(), &[], &environment);
        assert!(first.code == 0 && !first.screen.contains("99.1.0"), "{}", first.screen);
        assert_eq!(wait_for_latest(home.path()), "99.1.0");
        let request = feed.request();
        assert_eq!((request.method.as_str(), &*request.target), ("GET", "/releases/latest"));
        assert!(!format!("{request:?}").contains(CANARY), "{request:?}");
        let second = list(&server, home.path(), &[], &environment);
        assert!(second.screen.contains("kms 99.1.0 is there"), "{}", second.screen);
        let third = list(&server, home.path(), &[], &environment);
        assert!(!third.screen.contains("99.1.0"), "{}", third.screen);
        assert_eq!(feed.requests().len(), 1);
    }
}

/// Asks the feed in this very process, and says what is remembered of it.
fn look(url: &str) -> Option<Value> {
    let home = tempfile::tempdir().unwrap();
    let mut command = kms();
    command.arg("look-for-update").env("KMS_UPDATE_URL", url);
    let ran = run(command.env("KMS_CONFIG_DIR", home.path().join("kms"))).ends_with(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    remembered(home.path())
}

#[test]
fn l9_a_feed_is_followed_nowhere_and_believed_nothing_else() {
    let elsewhere = Server::start([]);
    let moved = |target: &str| Reply::text(302, "text/html", "").with("location", target);
    let answers = [
        moved(&elsewhere.url()),
        moved("/other"),
        Reply::json(200, json!({ "version": "99\u{1b}[2J" })),
        Reply::json(200, json!({ "version": 99 })),
        Reply::json(404, json!({ "version": "99.0.0" })),
        Reply::text(200, "application/json", &" ".repeat(300 * 1024)),
        Reply::text(200, "text/html", "<html>"),
    ];
    for answer in answers {
        let feed = Server::start([answer]);
        assert_eq!(look(&feed.url()), None);
        feed.request();
    }
    assert!(elsewhere.requests().is_empty());
    for unfit in ["http://192.0.2.1/feed", "ftp://127.0.0.1/feed", "nowhere", "http://127.0.0.1:1"]
    {
        assert_eq!(look(unfit), None, "{unfit}");
    }
    let good = Server::start([Reply::json(200, json!({ "version": "99.0.0" }))]);
    assert_eq!(look(&good.url()).unwrap()["latest"], "99.0.0");
}
