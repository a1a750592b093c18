//! `run --watch`: started anew when what was given changes, and only then.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use kms_api_events::{CHANGED, READY};

use crate::{
    run::{list, start},
    support::{Reply, Server, plain, run},
};

/// What the server says; the same texts as in the contract's own crate.
mod kms_api_events {
    pub(super) const READY: &str = "event: ready\ndata: {}\n\n";
    pub(super) const CHANGED: &str = "event: changed\ndata: {}\n\n";
}

/// Ends with 5 once `A` is 2; until then it goes on.
const UNTIL_TWO: [&str; 4] =
    ["--", "sh", "-c", "echo $A; if [ $A = 2 ]; then exit 5; fi; exec sleep 60"];

fn events(text: &str) -> Reply {
    Reply::text(200, "text/event-stream", text)
}

fn watch(server: &Server, more: &[&str]) -> crate::support::Ran {
    let args: Vec<&str> = more.iter().copied().chain(["--watch"]).chain(UNTIL_TWO).collect();
    run(&mut start(server, &args))
}

#[test]
fn a_change_that_the_server_tells_starts_the_program_anew() {
    let told = events(&format!("{READY}: quiet\n\n{CHANGED}"));
    let server = Server::start([list(&[("A", "1")]), told, list(&[("A", "2")])]);
    let ran = watch(&server, &[]).ends_with(5);
    assert_eq!(ran.stdout, "1\n2\n");
    ran.says("Secrets changed: starting the program anew");
    let requests = server.requests();
    assert!(requests[1].target.starts_with("/api/v1/events/secrets?projectId=p1&"));
    assert_eq!(requests[1].header("accept"), Some("text/event-stream"));
    let query = |target: &str| target.split_once('?').unwrap().1.to_owned();
    assert_eq!(query(&requests[0].target), query(&requests[1].target));
}

#[test]
fn a_server_that_tells_nothing_is_asked_again_and_again() {
    let one = || list(&[("A", "1")]);
    for silent in [
        Reply::error(404, "Route GET:/api/v1/events/secrets not found"),
        Reply::text(200, "text/html", "<html>"),
    ] {
        let server = Server::start([one(), silent, one(), list(&[("A", "2")])]);
        assert_eq!(watch(&server, &["--watch-interval=1"]).ends_with(5).stdout, "1\n2\n");
        assert_eq!(server.requests().len(), 4);
    }
}

#[test]
fn what_goes_wrong_meanwhile_does_not_end_the_program() {
    let replies = [
        list(&[("A", "1")]),
        Reply::error(404, "no such route"),
        Reply::error(500, "Internal Server Error"),
        list(&[("LD_PRELOAD", "x"), ("A", "3")]),
        list(&[("A", "2")]),
    ];
    let server = Server::start(replies);
    let ran = watch(&server, &["--watch-interval=1"]).ends_with(5);
    assert_eq!(ran.stdout, "1\n2\n");
    ran.says("warning: what changed was not taken over: ")
        .says("`LD_PRELOAD` would decide what code the program loads");
}

#[test]
fn the_programs_own_end_is_the_end() {
    let server = Server::start([list(&[("A", "1")]), events(READY).after(Duration::from_secs(2))]);
    let args = ["--watch", "--", "sh", "-c", "exit 4"];
    run(&mut start(&server, &args)).ends_with(4);
}

#[test]
fn a_program_that_does_not_end_when_asked_leaves_nothing_behind() {
    let told = events(CHANGED);
    let server = Server::start([list(&[("A", "1")]), told, list(&[("A", "2")])]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let file = file.to_str().unwrap();
    // Its child does not listen to the request; it is ended with the group.
    let script = format!(
        "if [ $A = 2 ]; then for i in 1 2 3 4 5 6 7 8 9 10; do \
         grep -q '^State:.[^Z]' /proc/$(cat {file})/status 2>/dev/null || exit 5; sleep 0.1; done; \
         exit 6; fi; \
         sh -c 'trap \"\" TERM; echo $$ > {file}.new; mv {file}.new {file}; sleep 60' & \
         trap 'exit 0' TERM; while :; do sleep 0.02; done"
    );
    let args = ["--watch", "--", "sh", "-c", &script];
    run(&mut start(&server, &args)).ends_with(5);
}

#[test]
fn the_interval_belongs_to_watching() {
    let server = Server::start([]);
    run(&mut start(&server, &["--watch-interval=3", "--", "true"])).ends_with(2);
    run(&mut start(&server, &["--watch", "--watch-interval=0", "--", "true"])).ends_with(2);
    assert!(server.requests().is_empty());
}

/// A right that was taken away, or an outage, makes no client ask faster than it was told to.
#[test]
fn s4_a_server_that_refuses_everything_is_asked_once_in_an_interval() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("enough");
    let lists = Arc::new(Mutex::new(Vec::new()));
    let (asked, enough) = (Arc::clone(&lists), file.clone());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::answering(listener, plain(), move |request| {
        let mut asked = asked.lock().unwrap();
        if !request.target.starts_with("/api/v1/events/") {
            asked.push(Instant::now());
        }
        match asked.len() {
            1 if !request.target.starts_with("/api/v1/events/") => return list(&[("A", "1")]),
            5 => std::fs::write(&enough, "").unwrap(),
            _ => {}
        }
        Reply::error(403, "no")
    });
    let script = format!("until [ -e {} ]; do sleep 0.02; done; exit 5", file.display());
    let args = ["--watch", "--watch-interval=1", "--", "sh", "-c", &script];
    run(&mut start(&server, &args)).ends_with(5).says("what changed was not taken over");
    // The first was answered.
    let lists = lists.lock().unwrap();
    let between = lists[1..].windows(2).map(|two| two[1] - two[0]).collect::<Vec<_>>();
    assert!(between.iter().all(|time| *time >= Duration::from_secs(1)), "{between:?}");
}

#[test]
fn r4_what_the_former_program_was_given_stays_hidden() {
    let told = events(CHANGED);
    let (first, second) = (list(&[("A", "s3cr3t-former")]), list(&[("A", "an0ther-value")]));
    let server = Server::start([first, told, second]);
    let script = "echo $A; if [ $A = an0ther-value ]; then echo s3cr3t-former; exit 5; fi; \
                  exec sleep 60";
    let args = ["--watch", "--mask", "--", "sh", "-c", script];
    let ran = run(&mut start(&server, &args)).ends_with(5);
    assert_eq!(ran.stdout, "*****\n*****\n*****\n");
}
