//! `run` becomes the program: what the program sees and how it ends are nobody else's.
//!
//! Each test starts this test binary again; that process then becomes the program.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    os::unix::{ffi::OsStrExt, process::ExitStatusExt},
    process::{Command, ExitStatus, Stdio},
};

use kms_api::secrets::Secret;
use kms_cli::process::{EnvironmentError, Program, environment, exec};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// What the other process is to do; the file's name is in its environment.
#[derive(Default, Deserialize, Serialize)]
struct Task {
    program: Vec<String>,
    line: Option<String>,
    secrets: BTreeMap<String, String>,
}

const TASK: &str = "TASK_FILE";

fn secrets(pairs: &BTreeMap<String, String>) -> Vec<Secret> {
    let id = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
    let secret = |(name, value): (&String, &String)| {
        let body = serde_json::json!({
            "id": id, "_id": id, "workspace": id, "environment": "dev", "version": 1,
            "type": "shared", "secretKey": name, "secretValue": value,
        });
        serde_json::from_value(body).unwrap()
    };
    pairs.iter().map(secret).collect()
}

#[test]
#[ignore = "is no test of its own: the others start it as a process"]
fn becomes_the_program() {
    let task: Task =
        serde_json::from_slice(&fs::read(std::env::var_os(TASK).unwrap()).unwrap()).unwrap();
    fs::copy("/proc/self/status", "before").unwrap();
    let _open = fs::File::open("before").unwrap();
    let mut words = task.program.into_iter().map(OsString::from);
    let program = match task.line {
        Some(line) => Program::Shell(line.into()),
        None => Program::Direct { program: words.next().unwrap(), arguments: words.collect() },
    };
    let environment = environment(std::env::vars_os(), &secrets(&task.secrets), &[]).unwrap();
    let error = exec(&program, &environment, Some("/bin/sh".into()));
    std::process::exit(error.exit_code().into());
}

/// A folder in which another process becomes a program.
struct Stage {
    folder: TempDir,
    command: Command,
}

impl Stage {
    fn new(task: &Task) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("task");
        fs::write(&file, serde_json::to_vec(task).unwrap()).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "becomes_the_program",
                "--ignored",
                "--test-threads=1",
                "--nocapture",
            ])
            .env(TASK, file)
            .current_dir(folder.path());
        Self { folder, command }
    }

    fn program(program: &[&str]) -> Self {
        Self::new(&Task {
            program: program.iter().map(|&word| word.to_owned()).collect(),
            ..Task::default()
        })
    }

    fn line(line: &str) -> Self {
        Self::new(&Task { line: Some(line.to_owned()), ..Task::default() })
    }

    fn end(&mut self) -> ExitStatus {
        self.command.output().unwrap().status
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).unwrap()
    }

    /// Runs a program that copies its environment, which is what the kernel gave it.
    fn variables(mut self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        assert!(self.end().success());
        let bytes = self.read("environ");
        let variables = bytes.split(|byte| *byte == 0).filter(|it| !it.is_empty());
        let split = |it: &[u8]| {
            let end = it.iter().position(|byte| *byte == b'=').unwrap();
            (it[..end].to_vec(), it[end + 1..].to_vec())
        };
        variables.map(split).collect()
    }
}

const COPY_ENVIRONMENT: [&str; 3] = ["cp", "/proc/self/environ", "environ"];

fn environment_of(secrets: BTreeMap<String, String>) -> Stage {
    Stage::new(&Task { program: COPY_ENVIRONMENT.map(str::to_owned).to_vec(), secrets, line: None })
}

#[test]
fn the_exit_status_is_the_programs() {
    for code in [0, 1, 2, 7, 70, 125, 126, 127, 128, 255] {
        assert_eq!(Stage::line(&format!("exit {code}")).end().code(), Some(code));
    }
}

#[test]
fn r5_the_program_has_our_process_id_so_no_wrapper_can_outlive_it() {
    let mut stage = Stage::line("echo $$ > pid");
    let mut child = stage.command.stdout(Stdio::null()).spawn().unwrap();
    let id = child.id().to_string();
    assert!(child.wait().unwrap().success());
    assert_eq!(String::from_utf8(stage.read("pid")).unwrap().trim(), id);
}

#[test]
fn a_signal_ends_the_program_itself() {
    for (name, number) in [("TERM", 15), ("INT", 2), ("KILL", 9), ("PIPE", 13)] {
        let status = Stage::line(&format!("kill -{name} $$")).end();
        assert_eq!(status.signal(), Some(number), "{name}");
    }
}

#[test]
fn the_program_starts_with_default_signals() {
    let mut stage = Stage::program(&["cp", "/proc/self/status", "after"]);
    assert!(stage.end().success());
    let mask = |file: &str, field: &str| {
        let text = String::from_utf8(stage.read(file)).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    let pipe = 1 << (13 - 1);
    assert_eq!(mask("before", "SigIgn:") & pipe, pipe, "Rust ignores SIGPIPE");
    assert_eq!(mask("after", "SigIgn:") & pipe, 0);
    assert_eq!(mask("after", "SigBlk:"), 0);
}

#[test]
fn a_missing_program_is_127_and_one_that_cannot_run_126() {
    assert_eq!(Stage::program(&["no-such-program"]).end().code(), Some(127));
    assert_eq!(Stage::program(&["./no-such-program"]).end().code(), Some(127));
    assert_eq!(Stage::program(&["/"]).end().code(), Some(126));
    assert_eq!(Stage::program(&["./task"]).end().code(), Some(126));
}

#[test]
fn no_shell_reads_the_arguments() {
    let mut stage = Stage::program(&["touch", "a b", "$(touch tripwire)", "*"]);
    assert!(stage.end().success());
    for name in ["a b", "$(touch tripwire)", "*"] {
        assert!(stage.folder.path().join(name).exists(), "{name}");
    }
    assert!(!stage.folder.path().join("tripwire").exists());
}

#[test]
fn secrets_win_over_variables_and_our_own_credentials_stay_behind() {
    let secrets = [("PLAIN", "secret"), ("INFISICAL_PASSWORD", "of the project")];
    let secrets = secrets.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut stage = environment_of(secrets.into());
    for name in [
        "PLAIN",
        "OTHER",
        "KMS_TOKEN",
        "INFISICAL_TOKEN",
        "INFISICAL_UNIVERSAL_AUTH_ACCESS_TOKEN",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
        "INFISICAL_PASSWORD",
        "KMS_PASSWORD",
        "INFISICAL_VAULT_FILE_PASSPHRASE",
        "KMS_ROOT_KEY",
        "INFISICAL_API_URL",
    ] {
        stage.command.env(name, "of the parent");
    }
    let seen = stage.variables();
    let value = |name: &str| {
        let value = seen.get(name.as_bytes())?;
        Some(String::from_utf8(value.clone()).unwrap())
    };
    assert_eq!(value("PLAIN").as_deref(), Some("secret"));
    assert_eq!(value("OTHER").as_deref(), Some("of the parent"));
    assert_eq!(value("INFISICAL_API_URL").as_deref(), Some("of the parent"));
    assert_eq!(value("INFISICAL_PASSWORD").as_deref(), Some("of the project"));
    for name in [
        "KMS_TOKEN",
        "INFISICAL_TOKEN",
        "INFISICAL_UNIVERSAL_AUTH_ACCESS_TOKEN",
        "KMS_PASSWORD",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
        "INFISICAL_VAULT_FILE_PASSPHRASE",
        "KMS_ROOT_KEY",
    ] {
        assert_eq!(value(name), None, "{name}");
    }
}

#[test]
fn every_byte_that_an_environment_can_carry_arrives() {
    let every_byte: Vec<u8> = (1..=255).collect();
    let every_character: String = ('\u{1}'..='\u{3fff}').chain(['😀', '\u{10ffff}']).collect();
    let name = "a.b-c d%:é".to_owned();
    let mut stage = environment_of([(name.clone(), every_character.clone())].into());
    stage.command.env("BYTES", OsStr::from_bytes(&every_byte));
    let seen = stage.variables();
    assert_eq!(seen[&b"BYTES"[..]], every_byte);
    assert_eq!(seen[name.as_bytes()], every_character.as_bytes());
}

#[test]
fn ten_thousand_secrets_are_handed_over() {
    let secrets: BTreeMap<String, String> =
        (0..10_000).map(|n| (format!("NAME_{n}"), format!("value {n}"))).collect();
    let seen = environment_of(secrets.clone()).variables();
    for (name, value) in &secrets {
        assert_eq!(seen[name.as_bytes()], value.as_bytes());
    }
}

#[test]
fn r3_names_that_load_code_are_refused_unless_allowed() {
    for name in [
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "NODE_OPTIONS",
        "BASH_ENV",
        "ENV",
        "PYTHONSTARTUP",
        "PERL5OPT",
        "RUBYOPT",
        "GIT_SSH_COMMAND",
        "DYLD_INSERT_LIBRARIES",
        "BASH_FUNC_x%%",
    ] {
        let secrets = secrets(&[(name.to_owned(), "x".to_owned())].into());
        let refused = environment([], &secrets, &[]).unwrap_err();
        assert_eq!(refused, EnvironmentError::Dangerous(vec![name.to_owned()]));
        assert_eq!(environment([], &secrets, &[name.to_owned()]).unwrap().injected, 1);
    }
}

#[test]
fn r3_reserved_names_keep_the_parents_value() {
    let names = ["PATH", "HOME", "SHELL", "LC_ALL", "XDG_CONFIG_HOME"];
    let pairs: BTreeMap<_, _> = names.map(|name| (name.to_owned(), "evil".to_owned())).into();
    let built = environment([], &secrets(&pairs), &[]).unwrap();
    assert_eq!((built.injected, built.dropped.len()), (0, names.len()));
    let seen = environment_of(pairs).variables();
    assert!(seen.values().all(|value| value != b"evil"));
    assert!(seen.contains_key(&b"PATH"[..]));
}

#[test]
fn what_an_environment_cannot_hold_is_refused_by_name() {
    for (name, value) in [("", "v"), ("A=B", "v"), ("A\0", "v"), ("A", "a\0canary")] {
        let secrets = secrets(&[(name.to_owned(), value.to_owned())].into());
        let refused = environment([], &secrets, &[]).unwrap_err();
        assert_eq!(refused, EnvironmentError::Unfit(vec![name.to_owned()]));
        assert!(!refused.to_string().contains("canary"));
    }
}

#[test]
fn d5_debug_output_of_an_environment_shows_no_value() {
    let secrets = secrets(&[("NAME".to_owned(), "canary".to_owned())].into());
    let parent = [("PARENT".into(), "canary".into())];
    let text = format!("{:?}", environment(parent, &secrets, &[]).unwrap());
    assert!(text.contains("NAME") && !text.contains("canary"), "{text}");
}

#[test]
fn our_files_are_closed_before_the_program_starts() {
    let mut stage = Stage::program(&["ls", "-l", "/proc/self/fd"]);
    let output = stage.command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("-> "), "{text}");
    assert!(!text.contains("/before"), "{text}");
}
