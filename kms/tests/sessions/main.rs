//! Sessions that last: the real program against the real server, which runs in the test's own
//! process so that its clock can be moved.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod counter;
mod person;

use std::thread;

use crate::person::Person;

/// How long an access token of the server lives at least, in seconds; past it every one has ended.
const HOUR: i64 = 3_600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_valid_login_makes_no_request_of_its_own() {
    let person = Person::log_in().await;
    let before = person.counter.requests();
    for _ in 0..3 {
        person.works();
    }
    assert_eq!(person.counter.requests() - before, 3);
    assert_eq!(person.counter.refreshes(), 0);
    person.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s6_fifty_commands_at_expiry_make_one_refresh_and_all_succeed() {
    let person = Person::log_in().await;
    for round in 1..=2 {
        // By the server's clock the token has ended; by ours it has not.
        person.server.clock.advance(24 * HOUR);
        fifty(&person, 0);
        assert_eq!(person.counter.refreshes(), round);
    }
    // By our clock it has ended, too, so that nobody even tries it.
    person.server.clock.advance(24 * HOUR);
    fifty(&person, 90 * 24 * HOUR);
    assert_eq!(person.counter.refreshes(), 3);
    person.works();
    person.stop().await;
}

/// Starts fifty commands at one moment, by a clock that is ahead; each has to succeed.
fn fifty(person: &Person, ahead: i64) {
    thread::scope(|scope| {
        let commands: Vec<_> = (0..50).map(|_| scope.spawn(move || person.list(ahead))).collect();
        for command in commands {
            let output = command.join().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{stderr}");
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_days_of_work_without_a_prompt() {
    /// A command every three hours, day and night.
    const STEP: i64 = 3 * HOUR;
    let person = Person::log_in().await;
    for step in 1..=30 * 24 * HOUR / STEP {
        person.server.clock.advance(STEP);
        let output = person.list(step * STEP);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "after {} hours: {stderr}", step * STEP / HOUR);
        assert_eq!(stderr, "", "renewing is no news");
    }
    assert!(person.counter.refreshes() >= 30, "{}", person.counter.refreshes());
    person.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_was_ended_elsewhere_ends_here_with_exit_code_3() {
    let person = Person::log_in().await;
    let copy = person.copy_of_files();
    assert_eq!(person.run(&["logout"], 0).status.code(), Some(0));
    let left = person.with_files(copy.path(), &["projects", "list"]);
    assert_eq!(left.status.code(), Some(3), "{}", String::from_utf8_lossy(&left.stderr));
    assert!(String::from_utf8_lossy(&left.stderr).contains("has ended"));
    person.stop().await;
}
