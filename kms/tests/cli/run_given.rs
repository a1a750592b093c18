//! What the program of `run` is given besides the secrets of one folder.

use crate::{
    run::{list, start},
    support::{CANARY, Reply, Server, run},
};

#[test]
fn several_folders_and_tags_may_be_a_comma_list() {
    let server = Server::start([list(&[("A", "1"), ("B", "1")]), list(&[("A", "2")])]);
    let args = ["--path=/a,/b", "--tags=x, y", "-t=z", "--", "sh", "-c", "echo $A$B"];
    assert_eq!(run(&mut start(&server, &args)).ends_with(0).stdout, "21\n");
    let targets: Vec<String> = server.requests().into_iter().map(|it| it.target).collect();
    assert!(targets[0].contains("secretPath=%2Fa&") && targets[1].contains("secretPath=%2Fb&"));
    assert!(targets.iter().all(|target| target.contains("tagSlugs=x%2Cy%2Cz")), "{targets:?}");
}

#[test]
fn a_clean_environment_has_what_was_allowed_and_the_secrets() {
    let server = Server::start([list(&[("A", "1")])]);
    let args = ["--no-inherit", "--inherit=KEPT,PRE_*", "--", "env"];
    let mut command = start(&server, &args);
    for (name, value) in
        [("KEPT", "k"), ("PRE_1", "p"), ("DROPPED", "d"), ("HOME", "/h"), ("LC_ALL", "C")]
    {
        command.env(name, value);
    }
    let ran = run(&mut command).ends_with(0);
    let mut lines: Vec<&str> = ran.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["A=1", "HOME=/h", "KEPT=k", "LC_ALL=C", "PATH=/usr/bin:/bin", "PRE_1=p"]);
    run(&mut start(&Server::start([]), &["--inherit=A", "--", "true"])).ends_with(2);
}

#[test]
fn files_win_over_the_environment_and_secrets_over_both() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("given.env");
    let text = format!("A=file\nB=file\nC='of $A'\nKMS_TOKEN={CANARY}\n");
    std::fs::write(&file, text).unwrap();
    let server = Server::start([list(&[("A", "secret")])]);
    let script = "echo \"$A $B $C $D [$KMS_TOKEN]\"";
    let args = ["--env-file", file.to_str().unwrap(), "--", "sh", "-c", script];
    let mut command = start(&server, &args);
    let ran = run(command.env("B", "own").env("D", "own")).ends_with(0);
    assert_eq!(ran.stdout, "secret file of $A own []\n");
}

#[test]
fn references_are_replaced_by_what_they_name() {
    let there = list(&[("DB", "prod-db"), ("OTHER", "not handed over")]);
    let server = Server::start([list(&[("A", "1")]), there]);
    let mut command = start(&server, &["--", "sh", "-c", "echo $A $URL $SAME [$OTHER]"]);
    let reference = "kms://0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d/prod/x/y/DB";
    let ran = run(command.env("URL", reference).env("SAME", reference)).ends_with(0);
    assert_eq!(ran.stdout, "1 prod-db prod-db []\n");
    ran.says("Injecting 3 KMS secrets");
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "one list for each folder");
    assert!(requests[1].target.contains(
        "projectId=0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d&environment=prod&secretPath=%2Fx%2Fy&"
    ));
}

#[test]
fn nothing_but_references_needs_no_project() {
    let server = Server::start([list(&[("DB", "prod-db")])]);
    let mut command = start(&server, &["--references-only", "--", "sh", "-c", "echo $URL"]);
    command.env_remove("KMS_PROJECT_ID");
    let reference = "kms://0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d/prod/DB";
    assert_eq!(run(command.env("URL", reference)).ends_with(0).stdout, "prod-db\n");
}

#[test]
fn a_reference_to_nothing_starts_nothing() {
    let server = Server::start([list(&[]), list(&[("OTHER", "x")])]);
    let mut command = start(&server, &["--", "echo", "started"]);
    let ran = run(command.env("URL", "kms:///prod/DB")).ends_with(125);
    assert_eq!(ran.stdout, "");
    ran.says("there is no secret `kms:///prod/DB`, which `URL` names");
    let server = Server::start([]);
    let mut command = start(&server, &["--", "echo", "started"]);
    run(command.env("URL", "kms://prod/DB")).ends_with(125).says("has the form `kms://PROJECT/");
}

/// Whoever may write a secret must not thereby run code, whatever refers to it here.
#[test]
fn r3_a_reference_does_not_load_code_unless_allowed() {
    let replies = || [list(&[]), list(&[("DB", "/x")])];
    let server = Server::start(replies());
    let mut command = start(&server, &["--", "echo", "started"]);
    let ran = run(command.env("LD_PRELOAD", "kms:///prod/DB")).ends_with(125);
    assert_eq!(ran.stdout, "");
    let allowed = ["--allow-dangerous-name=NODE_OPTIONS", "--", "sh", "-c", "echo $NODE_OPTIONS"];
    let server = Server::start(replies());
    let mut command = start(&server, &allowed);
    let ran = run(command.env("NODE_OPTIONS", "kms:///prod/DB")).ends_with(0);
    assert_eq!(ran.stdout, "/x\n");
}

#[test]
fn r3_a_reference_does_not_choose_programs_unless_allowed() {
    let replies = || [list(&[]), list(&[("DB", "/x")])];
    for name in ["EDITOR", "PATH", "SHELL"] {
        let server = Server::start(replies());
        let mut command = start(&server, &["--", "/bin/echo", "started"]);
        let ran = run(command.env(name, "kms:///prod/DB")).ends_with(125);
        assert_eq!(ran.stdout, "", "{name}");
        ran.says(&format!("`{name}` would decide what code the program loads or starts"));
    }
    let allowed = ["--allow-dangerous-name=EDITOR", "--", "sh", "-c", "echo $EDITOR"];
    let server = Server::start(replies());
    let ran = run(start(&server, &allowed).env("EDITOR", "kms:///prod/DB")).ends_with(0);
    assert_eq!(ran.stdout, "/x\n");
}

#[test]
fn too_much_for_any_program_is_refused_with_a_way_out() {
    let large = "x".repeat(200 * 1024);
    for more in [&[][..], &["--mask"]] {
        let server = Server::start([list(&[("LARGE", &large)])]);
        let args: Vec<&str> = more.iter().copied().chain(["--", "echo", "started"]).collect();
        let ran = run(&mut start(&server, &args)).ends_with(126);
        assert_eq!(ran.stdout, "");
        ran.says("no program can be given a variable of more than 128 KiB: `LARGE`")
            .says("`--mount DIRECTORY/` hands secrets over in files");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets");
    let path = path.to_str().unwrap();
    let server = Server::start([list(&[("LARGE", &large)])]);
    let script = format!("wc -c < {path}/LARGE");
    let args = ["--mount", path, "--", "sh", "-c", &script];
    assert_eq!(run(&mut start(&server, &args)).ends_with(0).stdout.trim(), "204800");
}

#[test]
fn a_value_that_may_not_be_read_is_no_value() {
    let mut hidden = crate::support::secret("DB", "<hidden-by-infisical>");
    hidden["secretValueHidden"] = true.into();
    let answer = serde_json::json!({ "secrets": [hidden], "imports": [] });
    let server = Server::start([list(&[]), Reply::json(200, answer)]);
    let mut command = start(&server, &["--", "echo", "started"]);
    let ran = run(command.env("URL", "kms:///prod/DB")).ends_with(125);
    ran.says("you may not read the value of `DB`");
}
