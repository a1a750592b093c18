//! `run --mask`: attack R4, through the real program.

use crate::{
    run::{list, start},
    support::{CANARY, Server, run},
    terminal::Terminal,
};

#[test]
fn r4_values_are_hidden_in_output_and_errors() {
    let server = Server::start([list(&[("A", "s3cr3t-value"), ("SHORT", "abc")])]);
    let script = "printf 's3cr3t-'; sleep 0.1; printf 'value|'; echo $A >&2; echo -n $A | base64; \
                  echo $SHORT; printf 's3cr'";
    let ran = run(&mut start(&server, &["--mask", "--", "sh", "-c", script])).ends_with(0);
    assert_eq!(ran.stdout, "*****|*****\nabc\ns3cr");
    assert!(ran.stderr.contains("\n*****\n") && !ran.stderr.contains("s3cr3t-value"));
    ran.says("values shorter than 4 bytes are not masked: `SHORT`");
}

#[test]
fn r4_what_variables_refer_to_is_hidden_too() {
    let server = Server::start([list(&[]), list(&[("B", "s3cr3t-value")])]);
    let mut command = start(&server, &["--mask", "--", "sh", "-c", "echo $A"]);
    let ran = run(command.env("A", "kms:///prod/B")).ends_with(0);
    assert_eq!(ran.stdout, "*****\n");
}

#[test]
fn output_and_errors_that_go_to_one_place_stay_in_order() {
    let server = Server::start([list(&[("A", "s3cr3t-value")])]);
    let kms = env!("CARGO_BIN_EXE_kms");
    let program = "i=0; while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
    let line = format!(
        "exec {kms} run --silent --domain {} --mask -- sh -c '{program}' 2>&1",
        server.url()
    );
    let mut command = assert_cmd::Command::new("/bin/sh");
    command.args(["-c", &line]).env("KMS_TOKEN", CANARY).env("KMS_PROJECT_ID", "p1");
    let lines = (0..200).map(|n| format!("out {n}\nerr {n}\n"));
    let expected = lines.collect::<Vec<_>>().concat();
    assert_eq!(run(&mut command).ends_with(0).stdout, expected);
}

#[test]
fn a_reader_that_goes_away_ends_the_program() {
    let server = Server::start([list(&[("A", "s3cr3t-value")])]);
    let kms = env!("CARGO_BIN_EXE_kms");
    let url = server.url();
    let line = format!("{kms} run --silent --domain {url} --mask -- yes $A | head -n 3");
    let mut command = assert_cmd::Command::new("/bin/sh");
    command.args(["-c", &line]).env("KMS_TOKEN", CANARY).env("KMS_PROJECT_ID", "p1");
    command.timeout(std::time::Duration::from_secs(20));
    assert_eq!(run(&mut command).ends_with(0).stdout, "y\ny\ny\n");
}

#[test]
fn on_a_terminal_the_program_has_one_of_the_same_size_and_values_are_hidden() {
    let server = Server::start([list(&[("A", "s3cr3t-value")])]);
    let url = server.url();
    let script = "test -t 0 && test -t 1 && test -t 2 && echo all three; stty size; \
                  printf 'say: '; read said; echo \"$said and $A\"; echo $A >&2; exit 6";
    let args = ["run", "--domain", &url, "--mask", "--", "sh", "-c", script];
    let environment = [("KMS_TOKEN", CANARY), ("KMS_PROJECT_ID", "p1")];
    let mut terminal = Terminal::start_with(&std::env::temp_dir(), &args, &environment, true);
    terminal.expect("all three").expect("40 160").expect("say: ").enter("s3cr3t-value");
    let ended = terminal.finish().with(6).says("***** and *****\n*****\n");
    assert!(!ended.screen.contains("s3cr3t-value"), "{}", ended.screen);
}

#[test]
fn on_a_terminal_interrupts_reach_the_program() {
    let server = Server::start([list(&[("A", "s3cr3t-value")])]);
    let url = server.url();
    let script = "trap 'echo $A stopped; exit 3' INT; echo ready; while :; do sleep 0.02; done";
    let args = ["run", "--domain", &url, "--mask", "--", "sh", "-c", script];
    let environment = [("KMS_TOKEN", CANARY), ("KMS_PROJECT_ID", "p1")];
    let mut terminal = Terminal::start_with(&std::env::temp_dir(), &args, &environment, true);
    terminal.expect("ready").send(crate::terminal::CTRL_C).expect("***** stopped");
    terminal.finish().with(3);
}
