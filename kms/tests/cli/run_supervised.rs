//! `run` with somebody beside the program: what the program sees, and how it ends, is as without.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    run::{list, start},
    support::{CANARY, Server, run},
    terminal::{CTRL_C, CTRL_Z, Terminal},
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
const GO_ON: &str = "while :; do sleep 0.02; done";

/// `kms run` that goes on.
pub(crate) struct Going {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Going {
    /// Starts `kms run` with these arguments, or what is put before it.
    pub(crate) fn start(server: &Server, before: &[&str], args: &[&str]) -> Self {
        let kms = env!("CARGO_BIN_EXE_kms");
        let words: Vec<&str> = before.iter().copied().chain([kms]).collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .args(["run", "--domain", &server.url()])
            .args(args)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("KMS_CONFIG_DIR", std::env::temp_dir().join("kms-tests-without-files"))
            .env("KMS_TOKEN", CANARY)
            .env("KMS_PROJECT_ID", "p1")
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    pub(crate) fn id(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// The next line that the program printed.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.id(), signal).unwrap();
    }

    /// How it ended, and what else was printed.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

/// Waits until something holds.
pub(crate) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn is_gone(id: &str) -> bool {
    let status = std::fs::read_to_string(Path::new("/proc").join(id).join("stat"));
    status.map_or(true, |status| status.rsplit(')').next().unwrap().trim().starts_with('Z'))
}

#[test]
fn the_exit_status_is_the_programs() {
    for code in [0, 1, 7, 126, 255] {
        let server = Server::start([list(&[("A", "12345")])]);
        let script = format!("echo $A; exit {code}");
        let ran = run(&mut start(&server, &["--mask", "--", "sh", "-c", &script]));
        assert_eq!(ran.ends_with(code).stdout, "*****\n");
    }
    for (name, number) in [("TERM", 15), ("KILL", 9), ("PIPE", 13)] {
        let server = Server::start([list(&[])]);
        let script = format!("kill -{name} $$");
        run(&mut start(&server, &["--mask", "--", "sh", "-c", &script])).ends_with(128 + number);
    }
    for (program, code) in [("/no/such/program", 127), ("/", 126)] {
        let server = Server::start([list(&[])]);
        let quoted = format!("cannot start `{program}`");
        run(&mut start(&server, &["--mask", "--", program])).ends_with(code).says(&quoted);
    }
}

#[test]
fn signals_reach_the_program_and_its_children() {
    for (signal, name) in [
        (Signal::SIGTERM, "TERM"),
        (Signal::SIGINT, "INT"),
        (Signal::SIGHUP, "HUP"),
        (Signal::SIGUSR1, "USR1"),
        (Signal::SIGUSR2, "USR2"),
        (Signal::SIGQUIT, "QUIT"),
    ] {
        let server = Server::start([list(&[])]);
        // What a shell starts in the background does not listen to these two (POSIX, 2.11).
        let is_deaf = matches!(signal, Signal::SIGINT | Signal::SIGQUIT);
        let inner = format!("trap 'echo inner; exit' {name}; echo ready; {GO_ON}");
        let (inner, wait, heard) = if is_deaf {
            ("echo ready".to_owned(), "", "outer\n")
        } else {
            (format!("sh -c \"{inner}\""), "wait; ", "inner\nouter\n")
        };
        let script = format!("trap '{wait}echo outer; exit 9' {name}; {inner} & {GO_ON}");
        let mut going = Going::start(&server, &[], &["--mask", "--", "sh", "-c", &script]);
        assert_eq!(going.line(), "ready");
        going.signal(signal);
        let (status, rest) = going.end();
        assert_eq!((status.code(), rest.as_str()), (Some(9), heard), "{name}");
    }
}

#[test]
fn the_program_leads_a_group_of_its_own_and_has_default_signals() {
    let server = Server::start([list(&[])]);
    let script = "ps -o pid=,pgid= -p $$ | tr -s ' '; grep -E 'SigBlk|SigIgn' /proc/self/status";
    let args = ["--mask", "--", "sh", "-c", script];
    let supervised = run(&mut start(&server, &args)).ends_with(0);
    let (ids, signals) = supervised.stdout.split_once('\n').unwrap();
    let ids: Vec<&str> = ids.split_whitespace().collect();
    assert_eq!(ids[0], ids[1]);
    // As without anybody beside it: what was ignored before is, and nothing else.
    let server = Server::start([list(&[])]);
    let alone = run(&mut start(&server, &args[1..])).ends_with(0);
    assert_eq!(alone.stdout.split_once('\n').unwrap().1, signals);
}

/// A program must not go on with secrets when nobody is there who masks or removes them.
#[test]
fn r5_the_program_does_not_outlive_whoever_was_beside_it() {
    let server = Server::start([list(&[])]);
    let args = ["--mask", "--", "sh", "-c", "echo $$; exec sleep 300"];
    let mut going = Going::start(&server, &[], &args);
    let id = going.line();
    assert!(!is_gone(&id));
    going.signal(Signal::SIGKILL);
    wait_until("the program ends", || is_gone(&id));
    assert_eq!(going.end().0.signal(), Some(9));
}

/// Whoever stays beside a program keeps what it knows to itself.
#[test]
fn s5_nothing_of_a_value_is_left_where_others_look() {
    let server = Server::start([list(&[("A", "c4n4ry-value")])]);
    let before = ["/bin/sh", "-c", "ulimit -c unlimited; cd \"$TMPDIR\"; exec \"$@\"", "sh"];
    let folder = tempfile::tempdir().unwrap();
    let before: Vec<&str> = ["env", "TMPDIR="].into_iter().chain(before).collect();
    let directory = format!("TMPDIR={}", folder.path().display());
    let before: Vec<&str> =
        before.iter().map(|word| if *word == "TMPDIR=" { &directory } else { *word }).collect();
    let args = ["--mask", "--", "sh", "-c", "echo ready; exec sleep 300"];
    let mut going = Going::start(&server, &before, &args);
    assert_eq!(going.line(), "ready");
    for file in ["environ", "cmdline"] {
        let path = format!("/proc/{}/{file}", going.id());
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        assert!(!text.contains("c4n4ry-value"), "{file}");
    }
    going.signal(Signal::SIGABRT);
    let (status, _) = going.end();
    assert_eq!(status.signal(), Some(6));
    assert!(!status.core_dumped());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a core file");
}

/// In a container it is often the first process: what others leave behind is its to collect.
#[test]
fn as_the_first_process_of_a_namespace_it_collects_what_is_left_behind() {
    let server = Server::start([list(&[])]);
    let mut before = vec!["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    if !nix::unistd::geteuid().is_root() {
        before.extend(["--user", "--map-root-user"]);
    }
    // Orphans end while the program runs; then nobody is dead and not collected.
    let script = "cat /proc/1/comm; (sh -c 'sleep 0.05' &); (sh -c 'exit 3' &); sleep 0.5; \
                  grep -l '^State:.Z' /proc/[0-9]*/status; exit 7";
    let mut going = Going::start(&server, &before, &["--mask", "--", "sh", "-c", script]);
    assert_eq!(going.line(), "kms");
    let (status, rest) = going.end();
    assert_eq!((status.code(), rest.as_str()), (Some(7), ""));
}

#[test]
fn as_the_first_process_of_a_namespace_signals_pass_through() {
    let server = Server::start([list(&[])]);
    let mut before = vec!["unshare", "--pid", "--fork", "--mount-proc"];
    if !nix::unistd::geteuid().is_root() {
        before.extend(["--user", "--map-root-user"]);
    }
    let script = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.02; done";
    let mut going = Going::start(&server, &before, &["--mask", "--", "sh", "-c", script]);
    assert_eq!(going.line(), "ready");
    // `unshare` waits; the first process of its namespace is its only child.
    let children = format!("/proc/{0}/task/{0}/children", going.id());
    let first = std::fs::read_to_string(children).unwrap();
    kill(Pid::from_raw(first.trim().parse().unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(going.end().0.code(), Some(5));
}

#[test]
fn on_a_terminal_the_program_is_in_the_foreground() {
    let server = Server::start([list(&[])]);
    let url = server.url();
    let script = "trap 'echo stopped; exit 3' INT; printf 'name? '; read name; \
                  echo \"hello $name\"; while :; do sleep 0.02; done";
    let args = ["run", "--domain", &url, "--watch", "--", "sh", "-c", script];
    let environment = [("KMS_TOKEN", CANARY), ("KMS_PROJECT_ID", "p1")];
    let mut terminal = Terminal::start_with(&std::env::temp_dir(), &args, &environment, true);
    terminal.expect("name? ").enter("you").expect("hello you").send(CTRL_C).expect("stopped");
    terminal.finish().with(3);
}

const ASK: &str = "printf 'name? '; read name; echo \"hello $name\"; exit 3";

/// As over `ssh -t`, or as first process of a container: what is stopped there stays so.
#[test]
fn r5_ctrl_z_stops_nothing_where_nobody_lets_it_go_on() {
    for how in ["--watch", "--mask"] {
        let server = Server::start([list(&[])]);
        let url = server.url();
        let args = ["run", "--domain", &url, how, "--", "bash", "-c", ASK];
        let environment = [("KMS_TOKEN", CANARY), ("KMS_PROJECT_ID", "p1")];
        let mut terminal = Terminal::start_with(&std::env::temp_dir(), &args, &environment, true);
        terminal.expect("name? ").send(CTRL_Z).enter("you").expect("hello you");
        terminal.finish().with(3);
    }
}

/// A shell with jobs above it notices, and lets both go on.
#[test]
fn ctrl_z_stops_it_together_with_the_program() {
    let server = Server::start([list(&[]), list(&[])]);
    let url = server.url();
    let folder = tempfile::tempdir().unwrap();
    let (outer, inner) = (folder.path().join("outer/"), folder.path().join("inner/"));
    let script = format!(
        "set -m; {} run --domain {url} --token {CANARY} --mount {}/ -- sh -c '{}'; \
         echo \"stopped $?\"; fg; echo \"ended $?\"",
        env!("CARGO_BIN_EXE_kms"),
        inner.display(),
        ASK.replace('\'', "\""),
    );
    let outer = outer.to_str().unwrap();
    let args = ["run", "--domain", &url, "--mount", outer, "--", "bash", "-c", &script];
    let environment = [("KMS_TOKEN", CANARY), ("KMS_PROJECT_ID", "p1")];
    let mut terminal = Terminal::start_with(&std::env::temp_dir(), &args, &environment, true);
    terminal.expect("name? ").send(CTRL_Z).expect(&format!("stopped {}", 128 + 19));
    terminal.enter("you").expect("hello you").expect("ended 3");
    terminal.finish().with(0);
}

#[test]
fn ten_thousand_secrets_and_every_byte_pass() {
    let every: String = ('\u{1}'..='\u{3fff}').chain(['😀', '\u{10ffff}']).collect();
    let names: Vec<String> = (0..10_000).map(|n| format!("NAME_{n}")).collect();
    let mut pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "value")).collect();
    pairs.push(("EVERY", &every));
    let server = Server::start([list(&pairs)]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("environ");
    let script = format!("cat /proc/$$/environ > {}", file.display());
    run(&mut start(&server, &["--mask", "--", "sh", "-c", &script])).ends_with(0);
    let bytes = std::fs::read(file).unwrap();
    let variables: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
    assert!(variables.contains(&format!("EVERY={every}").as_bytes()));
    let count = variables.iter().filter(|variable| variable.starts_with(b"NAME_")).count();
    assert_eq!(count, 10_000);
}
