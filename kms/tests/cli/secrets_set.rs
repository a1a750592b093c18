//! `secrets set`: where values come from, what is written, what is told of it.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    secrets::{at, list, stored},
    support::{CANARY, Reply, Server, run, secret},
    terminal::{CTRL_C, ENTER, Terminal},
};

const ID: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
const OTHER_ID: &str = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7e";

#[test]
fn set_creates_all_that_are_new_and_changes_all_that_differ_in_one_request_each() {
    let server = Server::start([
        list(&[("SAME", "1"), ("OTHER", "1")]),
        stored(&[("NEW", CANARY), ("EMPTY", "")]),
        stored(&[("OTHER", CANARY)]),
    ]);
    let values = ["SAME=1", &format!("OTHER={CANARY}"), &format!("NEW={CANARY}"), "EMPTY="];
    let ran = run(at(&server, &["secrets", "set"]).args(values)).ends_with(0);
    let [read, created, changed] = &server.requests()[..] else { panic!("three requests") };
    assert!(read.target.contains("expandSecretReferences=false"));
    assert!(read.target.contains("includeImports=false"));
    assert_eq!((created.method.as_str(), changed.method.as_str()), ("POST", "PATCH"));
    assert_eq!(created.target, "/api/v4/secrets/batch");
    let keys = |body: Value| {
        let items = body["secrets"].as_array().unwrap().clone();
        items.iter().map(|item| item["secretKey"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(keys(created.json()), ["NEW", "EMPTY"]);
    assert_eq!(keys(changed.json()), ["OTHER"]);
    assert_eq!(created.json()["secrets"][1]["secretValue"], "");
    for status in ["SECRET CREATED", "SECRET VALUE MODIFIED", "SECRET VALUE UNCHANGED"] {
        assert!(ran.stdout.contains(status), "{}", ran.stdout);
    }
    assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY));
}

#[test]
fn values_are_shown_only_when_asked_for() {
    for (flags, expected) in [(&[][..], "******"), (&["--show-values"][..], CANARY)] {
        let server = Server::start([list(&[]), stored(&[("A", CANARY)])]);
        let argument = format!("A={CANARY}");
        let args = ["secrets", "set", &argument, "--output=json"];
        let ran = run(at(&server, &args).args(flags)).ends_with(0);
        let rows: Value = serde_json::from_str(&ran.stdout).unwrap();
        let row = json!({"secretKey": "A", "secretValue": expected, "operation": "SECRET CREATED"});
        assert_eq!(rows, json!([row]));
    }
}

#[test]
fn l10_values_come_from_files_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("value");
    std::fs::write(&file, "from a\nfile").unwrap();
    let server = Server::start([list(&[]), stored(&[])]);
    let argument = format!("A=@{}", file.display());
    let mut command = at(&server, &["secrets", "set", &argument, "B=@-", "C=\\@x"]);
    run(command.write_stdin("typed")).ends_with(0);
    let body = server.requests()[1].json();
    let values: Vec<&Value> =
        body["secrets"].as_array().unwrap().iter().map(|item| &item["secretValue"]).collect();
    assert_eq!(values, ["from a\nfile", "typed", "@x"]);
}

#[test]
fn set_reads_a_file_of_names_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("values.env");
    std::fs::write(&file, "# c\nexport A='it'\\''s'\nB=\"x\\ny\"\n1C=z\n").unwrap();
    let server = Server::start([list(&[]), stored(&[])]);
    let path = file.to_str().unwrap();
    run(&mut at(&server, &["secrets", "set", "--file", path]))
        .ends_with(2)
        .says("line 4: name `1C` starts with a digit");
    run(&mut at(&server, &["secrets", "set", "A=1", "--file", path])).ends_with(2);
    assert!(server.requests().is_empty());
    std::fs::write(&file, "A='it'\\''s'\nB=\"x\\ny\"\n").unwrap();
    run(&mut at(&server, &["secrets", "set", "--file", path])).ends_with(0);
    let body = server.requests()[1].json();
    assert_eq!(body["secrets"][0]["secretValue"], "it's");
    assert_eq!(body["secrets"][1]["secretValue"], "x\ny");
}

fn tag(id: &str, slug: &str) -> Value {
    json!({ "id": id, "slug": slug, "name": slug, "color": "" })
}

#[test]
fn tags_are_found_by_slug_or_made_and_replace_those_there() {
    let mut same = secret("SAME", "1");
    same["tags"] = json!([tag(ID, "pci"), tag(OTHER_ID, "new")]);
    let mut other = secret("OTHER", "1");
    other["tags"] = json!([tag(ID, "pci")]);
    let read = json!({ "secrets": [same, other], "imports": [] });
    let server = Server::start([
        Reply::json(200, read),
        Reply::json(200, json!({ "tags": [tag(ID, "pci")] })),
        Reply::json(200, json!({ "tag": tag(OTHER_ID, "new") })),
        stored(&[("FRESH", "1")]),
        stored(&[("OTHER", "1")]),
    ]);
    let args = ["secrets", "set", "SAME=1", "OTHER=1", "FRESH=1", "--tag=pci", "--tag", "new"];
    let ran = run(&mut at(&server, &args)).ends_with(0);
    let requests = server.requests();
    assert_eq!(requests[1].target, "/api/v1/projects/p1/tags");
    assert_eq!(requests[2].json(), json!({ "slug": "new", "color": "" }));
    let fresh = json!([{ "secretKey": "FRESH", "secretValue": "1", "tagIds": [ID, OTHER_ID] }]);
    assert_eq!(requests[3].json()["secrets"], fresh);
    let changed = json!([{ "secretKey": "OTHER", "tagIds": [ID, OTHER_ID] }]);
    assert_eq!(requests[4].json()["secrets"], changed);
    for status in ["SECRET CREATED", "SECRET TAGS MODIFIED", "SECRET VALUE UNCHANGED"] {
        assert!(ran.stdout.contains(status), "{}", ran.stdout);
    }
    ran.says("Created the tag `new`");
}

#[test]
fn a_comment_alone_is_a_change_and_the_value_stays_at_home() {
    for (comment, sent) in [("for the tests", true), (" as it is ", false), ("", true)] {
        let mut there = secret("A", CANARY);
        there["secretComment"] = json!("as it is");
        let read = Reply::json(200, json!({ "secrets": [there], "imports": [] }));
        let server = Server::start([read, stored(&[])]);
        let mut command = at(&server, &["secrets", "set", "A", "-", "--comment", comment]);
        let ran = run(command.write_stdin(CANARY)).ends_with(0);
        if sent {
            let change = json!([{ "secretKey": "A", "secretComment": comment }]);
            assert_eq!(server.requests()[1].json()["secrets"], change);
            assert!(ran.stdout.contains("SECRET COMMENT MODIFIED"), "{}", ran.stdout);
        } else {
            assert_eq!(server.requests().len(), 1);
            assert!(ran.stdout.contains("SECRET VALUE UNCHANGED"), "{}", ran.stdout);
        }
        assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY));
    }
}

#[test]
fn personal_values_are_written_one_by_one() {
    let mine = |name: &str, value: &str| {
        let mut mine = secret(name, value);
        mine["type"] = json!("personal");
        mine
    };
    let read = json!({ "secrets": [secret("NEW", "1"), mine("OLD", "1")], "imports": [] });
    let one = |name: &str| Reply::json(200, json!({ "secret": mine(name, "2") }));
    let server = Server::start([Reply::json(200, read), one("NEW"), one("OLD")]);
    let args = ["secrets", "set", "NEW=2", "OLD=2", "--type", "personal"];
    let ran = run(&mut at(&server, &args)).ends_with(0);
    let requests = server.requests();
    assert!(requests[0].target.contains("includePersonalOverrides=true"));
    let seen = |at: usize| (requests[at].method.clone(), requests[at].target.clone());
    assert_eq!(seen(1), ("POST".to_owned(), "/api/v4/secrets/NEW".to_owned()));
    assert_eq!(seen(2), ("PATCH".to_owned(), "/api/v4/secrets/OLD".to_owned()));
    assert!(requests[1..].iter().all(|request| request.json()["type"] == "personal"));
    assert!(ran.stdout.contains("SECRET CREATED"), "{}", ran.stdout);
    run(&mut at(&server, &["secrets", "set", "A=1", "--type=personal", "--tag=x"]))
        .ends_with(2)
        .says("a personal value has no tags of its own");
}

#[test]
fn l10_a_value_comes_from_a_pipe_without_the_end_of_its_only_line() {
    for (typed, kept) in [("one\n", "one"), ("a\nb\n", "a\nb\n"), (" x ", " x ")] {
        let server = Server::start([list(&[]), stored(&[])]);
        let mut command = at(&server, &["secrets", "set", "A", "-"]);
        let ran = run(command.write_stdin(typed)).ends_with(0);
        assert_eq!(server.requests()[1].json()["secrets"][0]["secretValue"], kept);
        assert!(!ran.stderr.contains("process list"), "{}", ran.stderr);
    }
    let server = Server::start([]);
    run(at(&server, &["secrets", "set", "A", "-"]).write_stdin(""))
        .ends_with(2)
        .says("nothing came from standard input");
    assert!(server.requests().is_empty(), "a program that failed empties no secret");
}

#[test]
fn d6_words_without_a_name_are_refused_without_repeating_them() {
    let server = Server::start([]);
    for (args, code) in [
        (&[CANARY, "x"][..], 2),
        (&["A", CANARY], 2),
        (&["A=a", CANARY], 2),
        (&["1 canary-7c1e9a"], 2),
        (&[CANARY], 4),
    ] {
        let ran = run(at(&server, &["secrets", "set"]).args(args)).ends_with(code);
        assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
        ran.says("argument ");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn r6_a_server_that_repeats_a_value_does_not_bring_it_into_an_error() {
    let reply = Reply::error(422, &format!("the value {CANARY} is too weak"));
    let server = Server::start([list(&[]), reply]);
    let ran = run(at(&server, &["secrets", "set", "A", "-"]).write_stdin(CANARY)).ends_with(1);
    assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "{}", ran.stderr);
    ran.says("could not write secrets in `/`").says("repeats a value");
}

/// Starts `secrets set` on a terminal.
fn ask(server: &Server, args: &[&str]) -> Terminal {
    let url = server.url();
    let environment =
        [("KMS_DOMAIN", url.as_str()), ("KMS_TOKEN", "t"), ("INFISICAL_PROJECT_ID", "p1")];
    let folder = std::env::temp_dir().join("kms-tests-without-files");
    let folder = [("KMS_CONFIG_DIR", folder.to_str().unwrap())];
    Terminal::start(&[&["secrets", "set"], args].concat(), &[&environment[..], &folder].concat())
}

#[test]
fn l10_a_name_alone_asks_for_the_value_and_shows_nothing_of_it() {
    for args in [&["A"][..], &["A", "-"], &["A", "--env=prod", "--path=/b"]] {
        let server = Server::start([list(&[]), stored(&[])]);
        let mut terminal = ask(&server, args);
        let (path, environment) = if args.len() > 2 { ("/b", "prod") } else { ("/", "dev") };
        terminal.expect(&format!("Value of `A` in `{path}` of `{environment}`:")).enter(CANARY);
        let ended = terminal.finish().with(0);
        assert_eq!(server.requests()[1].json()["secrets"][0]["secretValue"], CANARY);
        assert!(!ended.raw.contains(CANARY), "{}", ended.screen);
        assert!(!ended.stdout.contains(CANARY));
        assert!(ended.stdout.contains("SECRET CREATED"), "{}", ended.stdout);
    }
}

#[test]
fn whoever_changes_their_mind_has_changed_nothing() {
    let server = Server::start([]);
    for signal in [None, Some(Signal::SIGTERM)] {
        let mut terminal = ask(&server, &["A"]);
        terminal.expect("Value of `A`").wait_for_raw_mode();
        match signal {
            None => terminal.send(CTRL_C),
            Some(signal) => terminal.signal(signal),
        };
        assert!(terminal.finish().code > 128);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_pasted_value_of_several_lines_is_taken_whole() {
    let server = Server::start([list(&[]), stored(&[])]);
    let mut terminal = ask(&server, &["A"]);
    terminal.expect("Value of `A`").wait_for_raw_mode();
    terminal.send("\x1b[200~-----BEGIN\rcanary-7c1e9a\r-----END\x1b[201~").send(ENTER);
    let ended = terminal.finish().with(0);
    let sent = &server.requests()[1].json()["secrets"][0]["secretValue"];
    assert_eq!(sent, "-----BEGIN\ncanary-7c1e9a\n-----END");
    assert!(!ended.raw.contains(CANARY), "{}", ended.screen);
}
