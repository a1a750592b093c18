//! `run`: what the program is started with and how it ends.

use assert_cmd::Command;

use crate::support::{CANARY, Reply, Server, kms, run, secrets};

pub(crate) fn start(server: &Server, args: &[&str]) -> Command {
    let mut command = kms();
    command.args(["run", "--domain", &server.url()]).args(args);
    command.env("KMS_TOKEN", CANARY).env("KMS_PROJECT_ID", "p1").env("PATH", "/usr/bin:/bin");
    command
}

pub(crate) fn list(pairs: &[(&str, &str)]) -> Reply {
    Reply::json(200, secrets(pairs))
}

#[test]
fn the_program_gets_the_secrets_and_its_status_is_the_status() {
    let server = Server::start([list(&[("A", "one"), ("B", "two")])]);
    let ran = run(&mut start(&server, &["--", "sh", "-c", "echo $A-$B; exit 7"])).ends_with(7);
    assert_eq!(ran.stdout, "one-two\n");
    assert_eq!(ran.stderr, "Injecting 2 KMS secrets into your application process\n");
    server.request();
}

#[test]
fn silent_says_nothing_and_the_separator_may_be_left_out() {
    let server = Server::start([list(&[("A", "one")])]);
    let ran = run(&mut start(&server, &["--silent", "printf", "%s", "--path"])).ends_with(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("--path", ""));
}

#[test]
fn a_line_is_read_by_the_users_shell() {
    let server = Server::start([list(&[("A", "one")])]);
    let mut command = start(&server, &["--command", "echo \"$A\" | tr o 0; exit 3"]);
    let ran = run(command.env("SHELL", "/bin/sh")).ends_with(3);
    assert_eq!(ran.stdout, "0ne\n");
}

#[test]
fn either_a_program_or_a_line_is_needed_and_not_both() {
    let server = Server::start([]);
    run(&mut start(&server, &[])).ends_with(2);
    run(&mut start(&server, &["-c", "true", "--", "true"])).ends_with(2);
    assert!(server.requests().is_empty());
}

#[test]
fn a_later_folder_wins() {
    let server = Server::start([list(&[("A", "1"), ("B", "1")]), list(&[("A", "2")])]);
    let args = ["--path=/a", "--path=/b", "--", "sh", "-c", "echo $A$B"];
    assert_eq!(run(&mut start(&server, &args)).ends_with(0).stdout, "21\n");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn our_credentials_do_not_reach_the_program() {
    let server = Server::start([list(&[("A", "one")])]);
    let mut command = start(&server, &["--", "env"]);
    command.env("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", CANARY).env("INFISICAL_PASSWORD", CANARY);
    let ran = run(&mut command).ends_with(0);
    assert!(ran.stdout.contains("A=one\n") && ran.stdout.contains("KMS_PROJECT_ID=p1\n"));
    assert!(!ran.stdout.contains(CANARY), "{}", ran.stdout);
}

#[test]
fn our_own_failures_end_with_125_and_start_nothing() {
    let server = Server::start([Reply::error(404, "Folder with path '/' was not found")]);
    run(&mut start(&server, &["--", "echo", "started"])).ends_with(125);
    let server = Server::start([Reply::error(403, "no")]);
    run(&mut start(&server, &["--", "echo", "started"])).ends_with(125);
    let mut without_project = start(&server, &["--", "echo", "started"]);
    let ran = run(without_project.env_remove("KMS_PROJECT_ID")).ends_with(125);
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_program_that_cannot_be_started_ends_with_126_or_127() {
    for (program, code) in [("/no/such/program", 127), ("no-such-program", 127), ("/", 126)] {
        let server = Server::start([list(&[])]);
        let quoted = format!("cannot start `{program}`");
        run(&mut start(&server, &["--", program])).ends_with(code).says(&quoted);
    }
}

#[test]
fn r3_names_that_load_code_are_refused_unless_allowed() {
    for name in ["LD_PRELOAD", "NODE_OPTIONS", "BASH_ENV", "PYTHONSTARTUP", "GIT_SSH_COMMAND"] {
        let reply = list(&[(name, "/x"), ("A", "1")]);
        let server = Server::start([reply.clone(), reply]);
        let ran = run(&mut start(&server, &["--", "echo", "started"])).ends_with(125);
        assert_eq!(ran.stdout, "");
        ran.says(&format!("--allow-dangerous-name {name}"));
        let script = format!("printf %s \"${name}\"");
        let args = ["--allow-dangerous-name", name, "--", "/bin/sh", "-c", &script];
        assert_eq!(run(&mut start(&server, &args)).ends_with(0).stdout, "/x");
    }
}

#[test]
fn reserved_names_are_left_out_with_a_warning() {
    let server = Server::start([list(&[("PATH", "/evil"), ("LC_ALL", "C"), ("A", "1")])]);
    let ran = run(&mut start(&server, &["--", "sh", "-c", "echo $PATH$LC_ALL"])).ends_with(0);
    assert_eq!(ran.stdout, "/usr/bin:/bin\n");
    ran.says("warning: the secret `PATH` is left out").says("Injecting 1 KMS secrets");
}

#[test]
fn the_project_file_of_another_directory_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"workspaceId":"there","defaultEnvironment":"qa"}"#;
    std::fs::write(folder.path().join(".kms.json"), text).unwrap();
    let server = Server::start([list(&[])]);
    let args = ["--project-config-dir", folder.path().to_str().unwrap(), "--", "true"];
    let mut command = start(&server, &args);
    run(command.env_remove("KMS_PROJECT_ID")).ends_with(0);
    assert!(server.request().target.contains("projectId=there&environment=qa"));
}

#[test]
fn d5_no_value_is_logged_at_the_highest_level() {
    let server = Server::start([list(&[("A", CANARY)])]);
    let ran = run(&mut start(&server, &["--log-level=trace", "--", "true"])).ends_with(0);
    assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
}
