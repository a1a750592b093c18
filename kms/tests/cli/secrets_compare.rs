//! `secrets diff` and `secrets generate-example-env`, and tables on a terminal.

use serde_json::{Value, json};

use crate::{
    secrets::{at, list},
    support::{CANARY, Reply, Server, run, secret},
    terminal::Terminal,
};

fn two() -> Server {
    let canary = format!("{CANARY}-2");
    Server::start([
        list(&[("ONLY_DEV", CANARY), ("SAME", CANARY), ("OTHER", CANARY)]),
        list(&[("SAME", CANARY), ("OTHER", &canary), ("ONLY_PROD", CANARY)]),
    ])
}

#[test]
fn a_difference_is_names_and_exit_code_1() {
    let server = two();
    let ran = run(&mut at(&server, &["secrets", "diff", "dev", "prod"])).ends_with(1);
    assert_eq!(
        ran.stdout,
        "\
┌─────────────┬──────────────┐
│ SECRET NAME │ STATUS       │
├─────────────┼──────────────┤
│ ONLY_DEV    │ only in dev  │
│ ONLY_PROD   │ only in prod │
│ OTHER       │ different    │
└─────────────┴──────────────┘
"
    );
    assert!(!ran.stderr.contains(CANARY) && !ran.stderr.contains("error"), "{}", ran.stderr);
    ran.says("dev and prod: 1 different, 1 only in dev, 1 only in prod, 1 equal");
    let [from, to] = &server.requests()[..] else { panic!("two requests") };
    assert!(from.target.contains("environment=dev") && to.target.contains("environment=prod"));
}

#[test]
fn differences_for_programs_hold_values_only_when_asked() {
    let names = ["ONLY_DEV", "ONLY_PROD", "OTHER", "SAME"];
    let statuses = ["removed", "added", "different", "equal"];
    let server = two();
    let args = ["secrets", "diff", "dev", "prod", "--output=json", "--all"];
    let ran = run(&mut at(&server, &args)).ends_with(1);
    let rows: Value = serde_json::from_str(&ran.stdout).unwrap();
    let expected: Vec<Value> = names
        .iter()
        .zip(statuses)
        .map(|(name, status)| json!({ "secretKey": name, "status": status }))
        .collect();
    assert_eq!(rows, json!(expected));
    let ran = run(at(&two(), &args).arg("--show-values")).ends_with(1);
    let rows: Value = serde_json::from_str(&ran.stdout).unwrap();
    let only = json!({ "secretKey": "ONLY_DEV", "status": "removed", "fromValue": CANARY });
    assert_eq!(rows[0], only);
    assert_eq!(rows[2]["toValue"], format!("{CANARY}-2"));
    let ran = run(&mut at(&two(), &["secrets", "diff", "prod", "--show-values"])).ends_with(1);
    assert!(ran.stdout.contains("VALUE IN DEV") && ran.stdout.contains(CANARY), "{}", ran.stdout);
}

#[test]
fn what_is_equal_ends_with_0_and_a_failure_not_with_1() {
    let server = Server::start([list(&[("A", "1")]), list(&[("A", "1")])]);
    let ran = run(&mut at(&server, &["secrets", "diff", "prod", "--env=dev"])).ends_with(0);
    assert_eq!(ran.stdout, "");
    ran.says("dev and prod: 1 equal");
    let server = Server::start([list(&[]), Reply::error(404, "no")]);
    run(&mut at(&server, &["secrets", "diff", "dev", "prod"])).ends_with(2).says("`prod`");
    let server = Server::start([]);
    for args in [&[][..], &["dev", "prod", "-e", "dev"], &["dev", ":/x"], &["--from", "dev"]] {
        run(at(&server, &["secrets", "diff"]).args(args)).ends_with(2);
    }
    run(&mut at(&server, &["secrets", "diff", "dev", "prod", "--plain"])).ends_with(2);
    assert!(server.requests().is_empty());
}

#[test]
fn t3_two_hidden_values_are_not_equal() {
    let hidden = || {
        let mut hidden = secret("A", "<hidden-by-infisical>");
        hidden["secretValueHidden"] = json!(true);
        Reply::json(200, json!({ "secrets": [hidden], "imports": [] }))
    };
    let server = Server::start([hidden(), hidden()]);
    let ran = run(&mut at(&server, &["secrets", "diff", "dev", "prod", "--show-values"]));
    let ran = ran.ends_with(3);
    assert!(ran.stdout.contains("not comparable"), "{}", ran.stdout);
    ran.says("you may not read both values of `A`");
}

#[test]
fn folders_are_compared_as_seen_from_where_each_starts() {
    let inside = |path: &str, value: &str| {
        let mut secret = secret("A", value);
        secret["secretPath"] = json!(path);
        secret
    };
    let answer = |secrets: &[Value]| Reply::json(200, json!({ "secrets": secrets, "imports": [] }));
    let server = Server::start([
        answer(&[inside("/old", "1"), inside("/old/db", "2")]),
        answer(&[inside("/new", "1"), inside("/new/db", "3")]),
    ]);
    let args = ["secrets", "diff", "--from=dev:/old", "--to=dev:/new", "--recursive", "-o", "json"];
    let ran = run(&mut at(&server, &args)).ends_with(1);
    let rows: Value = serde_json::from_str(&ran.stdout).unwrap();
    let row = json!({ "secretKey": "A", "secretPath": "/db", "status": "different" });
    assert_eq!(rows, json!([row]));
    assert!(server.requests()[1].target.contains("secretPath=%2Fnew"));
}

#[test]
fn an_example_has_names_comments_and_defaults_and_asks_for_no_value() {
    let mut port = secret("PORT", CANARY);
    port["secretComment"] = json!("where to listen\nDEFAULT: 8080");
    let tag = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
    port["tags"] = json!([{ "id": tag, "slug": "web", "name": "Web", "color": "" }]);
    let answer = json!({ "secrets": [port, secret("A", CANARY)], "imports": [] });
    let server = Server::start([Reply::json(200, answer)]);
    let ran = run(&mut at(&server, &["secrets", "generate-example-env", "-t", "web"]));
    let ran = ran.ends_with(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[1..4], ["# - WEB", "", "A="]);
    assert!(lines[5].starts_with("# ***") && lines[5].contains(" WEB ") && lines[5].len() == 80);
    assert_eq!(lines[6..], ["# where to listen", "PORT=8080"]);
    assert!(!ran.stdout.contains(CANARY));
    let target = server.request().target;
    for part in [
        "viewSecretValue=false",
        "expandSecretReferences=false",
        "includePersonalOverrides=false",
        "includeImports=true",
        "tagSlugs=web",
    ] {
        assert!(target.contains(part), "{target}");
    }
    let args = ["secrets", "generate-example-env", "--output=json"];
    run(&mut at(&server, &args)).ends_with(2);
}

#[test]
fn l11_a_name_of_two_lines_is_in_no_example() {
    let server = Server::start([list(&[("A\nEVIL", "1")])]);
    let ran = run(&mut at(&server, &["secrets", "generate-example-env"])).ends_with(1);
    assert_eq!(ran.stdout, "");
    ran.says("cannot carry the names `A\\nEVIL`");
}

#[test]
fn a_table_fits_the_terminal_and_is_whole_in_a_pipe() {
    let value = "x".repeat(300);
    let pairs = [("A_NAME", value.as_str()), ("B", "one\ntwo\tthree")];
    let server = Server::start([list(&pairs), list(&pairs)]);
    let url = server.url();
    let folder = std::env::temp_dir().join("kms-tests-without-files");
    let environment = [
        ("KMS_DOMAIN", url.as_str()),
        ("KMS_TOKEN", "t"),
        ("INFISICAL_PROJECT_ID", "p1"),
        ("KMS_CONFIG_DIR", folder.to_str().unwrap()),
    ];
    let screen = Terminal::start_on(60, &["secrets"], &environment).finish().with(0).screen;
    let lines: Vec<&str> = screen.lines().collect();
    assert_eq!(lines.len(), 6, "{screen}");
    assert!(lines.iter().all(|line| line.chars().count() <= 60), "{screen}");
    assert!(lines[3].contains("A_NAME") && lines[3].contains("x…"), "{screen}");
    let ran = run(&mut at(&server, &["secrets"])).ends_with(0);
    assert!(ran.stdout.contains(&value) && !ran.stdout.contains('…'), "{}", ran.stdout);
}
