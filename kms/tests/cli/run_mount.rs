//! `run --mount`: secrets in files for as long as the program runs (attack R5).

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    run::{list, start},
    run_supervised::{Going, PATIENCE, wait_until},
    support::{Reply, Server, run},
};

/// A folder for mounts, and one in memory that nobody else uses.
struct Place {
    folder: tempfile::TempDir,
    memory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let memory = tempfile::tempdir_in("/dev/shm").unwrap();
        fs::set_permissions(memory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), memory }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn start(&self, server: &Server, args: &[&str]) -> assert_cmd::Command {
        let mut command = start(server, args);
        command.env("XDG_RUNTIME_DIR", self.memory.path());
        command
    }

    /// Everything that lies in either.
    fn left(&self) -> Vec<PathBuf> {
        let entries = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        entries(self.folder.path()).chain(entries(self.memory.path())).collect()
    }
}

/// The processes that this one started.
fn children(id: Pid) -> Vec<Pid> {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let lists = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")));
    let ids: Vec<String> = lists.map(Result::unwrap).collect();
    let ids = ids.iter().flat_map(|list| list.split_whitespace());
    ids.map(|id| Pid::from_raw(id.parse().unwrap())).collect()
}

/// Whether this process removes files after us.
fn is_keeper(id: Pid) -> bool {
    fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap().contains("remove-mount")
}

#[test]
fn a_directory_holds_one_private_file_for_each_secret() {
    let place = Place::new();
    let server = Server::start([list(&[("A", "one\n"), ("b.c", "")])]);
    let path = place.path("secrets");
    let script = format!(
        "cat {path}/A; ls {path}; stat -Lc %a {path} {path}/A; readlink {path}; echo \"[$A]\""
    );
    let mount = ["--mount", &path, "--", "sh", "-c", &script];
    let ran = run(&mut place.start(&server, &mount)).ends_with(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[..5], ["one", "A", "b.c", "700", "400"]);
    assert!(lines[5].starts_with(place.memory.path().to_str().unwrap()), "{}", lines[5]);
    assert_eq!(lines[6], "[]", "not in the environment as well");
    assert_eq!(place.left(), [] as [PathBuf; 0]);
    ran.says("Injecting 2 KMS secrets");
}

#[test]
fn a_pipe_holds_all_of_them_in_the_format_of_its_name() {
    let place = Place::new();
    for (name, expected) in [
        ("s.json", "{\"A\":\"it's\",\"B\":\"2\"}\n"),
        (".env", "A=\"it's\"\nB='2'\n"),
        ("s.yaml", "A: \"it's\"\nB: \"2\"\n"),
    ] {
        let server = Server::start([list(&[("A", "it's"), ("B", "2")])]);
        let path = place.path(name);
        let script = format!("test -p {path} && stat -c %a {path}; cat {path}; cat {path}; exit 3");
        let mount = ["--mount", &path, "--", "sh", "-c", &script];
        let ran = run(&mut place.start(&server, &mount)).ends_with(3);
        let read = ran.stdout.strip_prefix("600\n").unwrap().to_owned();
        let (once, again) = read.split_at(read.len() / 2);
        assert_eq!(once, again, "{name}");
        if name != "s.yaml" {
            assert_eq!(once, expected);
        }
        assert_eq!(place.left(), [] as [PathBuf; 0]);
    }
}

#[test]
fn r5_a_pipe_can_be_read_as_often_as_was_said() {
    let place = Place::new();
    let server = Server::start([list(&[("A", "1")])]);
    let path = place.path("s.json");
    let script = format!("cat {path}; test -e {path} || echo gone; cat {path} 2>/dev/null; true");
    let mount = ["--mount", &path, "--mount-max-reads=1", "--", "sh", "-c", &script];
    let ran = run(&mut place.start(&server, &mount)).ends_with(0);
    assert_eq!(ran.stdout, "{\"A\":\"1\"}\ngone\n");
}

/// However early or late it is killed, nothing that can be read stays.
#[test]
fn r5_nothing_stays_when_it_is_killed_at_any_step() {
    let place = Place::new();
    let memory = format!("XDG_RUNTIME_DIR={}", place.memory.path().display());
    for step in 0..24_u64 {
        let server = Server::start([list(&[("A", "c4n4ry-value"), ("B", "c4n4ry-value")])]);
        let path = place.path("secrets");
        let script = "echo ready; exec sleep 300";
        let args = ["--mount", &path, "--", "sh", "-c", script];
        let mut going = Going::start(&server, &["env", &memory], &args);
        if step == 23 {
            assert_eq!(going.line(), "ready");
            assert_eq!(fs::read_to_string(format!("{path}/A")).unwrap(), "c4n4ry-value");
        } else {
            thread::sleep(Duration::from_millis(step * 3));
        }
        going.signal(Signal::SIGKILL);
        going.end();
        wait_until("everything is removed", || place.left().is_empty());
    }
}

/// Also while one reader follows the other.
#[test]
fn r5_nothing_stays_when_it_is_killed_while_its_pipe_is_read() {
    let place = Place::new();
    let path = place.path("secrets.json");
    // Whoever opens it so does not wait for the other side.
    let mut reader = OpenOptions::new();
    reader.read(true).custom_flags(nix::libc::O_NONBLOCK);
    for round in 0..12 {
        let server = Server::start([list(&[("A", "c4n4ry-value")])]);
        let args = ["--mount", &path, "--", "sh", "-c", "echo ready; exec sleep 300"];
        let mut going = Going::start(&server, &[], &args);
        assert_eq!(going.line(), "ready");
        let signal = [Signal::SIGKILL, Signal::SIGTERM][round % 2];
        let (stop, started) = (AtomicBool::new(false), Instant::now());
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) && started.elapsed() < PATIENCE {
                    let _ = reader.open(&path);
                    // Whoever waits to read gets a turn, too.
                    thread::sleep(Duration::from_millis(1));
                }
            });
            for _ in 0..20 {
                fs::read(&path).unwrap();
            }
            going.signal(signal);
            going.end();
            stop.store(true, Ordering::Relaxed);
        });
        if signal == Signal::SIGTERM {
            assert_eq!(place.left(), [] as [PathBuf; 0], "it is removed before it ends");
        }
        wait_until("everything is removed", || place.left().is_empty());
    }
}

/// What the program put in the place of the pipe is not written to.
#[test]
fn r5_nothing_but_the_pipe_is_written_to() {
    let value = "c4n4ry".repeat(40_000);
    for replace in ["echo mine > $1", "echo mine > $1.target; ln -s $1.target $1"] {
        let place = Place::new();
        let server = Server::start([list(&[("A", &value)])]);
        let path = place.path("secrets.json");
        // A reader that has not read to the end keeps whoever writes from the next one.
        let script = format!(
            "exec 3< $1; dd bs=1 count=1 <&3 2>/dev/null; rm $1; {replace}; cat <&3 > /dev/null; \
             while [ -f $1 ] && [ $(ls /proc/$PPID/task | wc -l) -gt 1 ]; do sleep 0.01; done; \
             cat $1"
        );
        let args = ["--mount", &path, "--", "sh", "-c", &script, "sh", &path];
        let ran = run(&mut place.start(&server, &args)).ends_with(0);
        let start: String = ran.stdout.chars().take(40).collect();
        assert_eq!(start, "{mine\n", "{replace}");
    }
}

/// As a service manager does it: every process of the service gets the signal.
#[test]
fn r5_nothing_stays_when_everybody_is_told_to_end() {
    let place = Place::new();
    let memory = format!("XDG_RUNTIME_DIR={}", place.memory.path().display());
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
        for name in ["secrets", "secrets.json"] {
            let server = Server::start([list(&[("A", "c4n4ry-value")])]);
            let path = place.path(name);
            let args = ["--mount", &path, "--", "sh", "-c", "echo ready; exec sleep 300"];
            let mut going = Going::start(&server, &["env", &memory], &args);
            assert_eq!(going.line(), "ready");
            let (keepers, programs): (Vec<Pid>, Vec<Pid>) =
                children(going.id()).into_iter().partition(|id| is_keeper(*id));
            assert_eq!((keepers.len(), programs.len()), (1, 1));
            for id in keepers.into_iter().chain(programs).chain([going.id()]) {
                kill(id, signal).unwrap();
            }
            assert_eq!(going.end().0.code(), Some(128 + signal as i32));
            assert_eq!(place.left(), [] as [PathBuf; 0], "{name} {signal}");
        }
    }
}

#[test]
fn r5_nothing_stays_when_whoever_removes_it_was_killed() {
    let place = Place::new();
    let memory = format!("XDG_RUNTIME_DIR={}", place.memory.path().display());
    for name in ["secrets", "secrets.json"] {
        let server = Server::start([list(&[("A", "c4n4ry-value")])]);
        let path = place.path(name);
        let args = ["--mount", &path, "--", "sh", "-c", "echo ready; exec sleep 300"];
        let mut going = Going::start(&server, &["env", &memory], &args);
        assert_eq!(going.line(), "ready");
        let keeper = children(going.id()).into_iter().find(|id| is_keeper(*id)).unwrap();
        kill(keeper, Signal::SIGKILL).unwrap();
        wait_until("it is collected", || !children(going.id()).contains(&keeper));
        going.signal(Signal::SIGTERM);
        assert_eq!(going.end().0.code(), Some(143));
        assert_eq!(place.left(), [] as [PathBuf; 0], "{name}");
    }
}

/// Whoever may write a secret must not thereby end a program that runs with it.
#[test]
fn r5_a_change_that_cannot_be_handed_over_does_not_end_the_program() {
    let (long, large) = ("x".repeat(256), "x".repeat(200 * 1024));
    let many: Vec<String> = (0..70).map(|n| format!("MANY_{n}")).collect();
    let many = many.iter().map(|name| (name.as_str(), &large[..100 * 1024])).collect::<Vec<_>>();
    let cases = [
        ("secrets", vec![(long.as_str(), "")], "a file cannot be called `xxxx"),
        ("secrets", vec![("a/b", "")], "a file cannot be called `a/b`"),
        ("secrets.env", vec![("a b", "")], "`a b`"),
        ("", vec![("LARGE", large.as_str())], "cannot start `sh`: "),
        ("", many, "cannot start `sh`: "),
    ];
    for (name, unfit, why) in cases {
        let place = Place::new();
        let path = place.path(name);
        let read = match name {
            "" => "echo $A".to_owned(),
            "secrets" => format!("cat {path}/A"),
            _ => format!(". {path}; echo $A"),
        };
        let script = format!("v=$({read}); echo $v; [ $v = 2 ] && exit 5; exec sleep 60");
        let unfit: Vec<(&str, &str)> = unfit.into_iter().chain([("A", "2")]).collect();
        let silent = Reply::error(404, "no such route");
        let changes = [list(&[("A", "1")]), silent, list(&unfit), list(&[("A", "2")])];
        let server = Server::start(changes);
        let mount = ["--mount", &path];
        let given = if name.is_empty() { &[][..] } else { &mount };
        let watch = ["--watch", "--watch-interval=1", "--", "sh", "-c", &script];
        let args: Vec<&str> = given.iter().copied().chain(watch).collect();
        let ran = run(&mut place.start(&server, &args)).ends_with(5);
        assert_eq!(ran.stdout, "1\n2\n", "{why}");
        ran.says("warning: what changed was not taken over: ").says(why);
    }
}

#[test]
fn what_lies_there_already_is_left_alone() {
    let place = Place::new();
    let path = place.path("secrets");
    fs::write(&path, "mine").unwrap();
    let server = Server::start([list(&[("A", "1")])]);
    let mount = ["--mount", &path, "--", "echo", "started"];
    let ran = run(&mut place.start(&server, &mount)).ends_with(125);
    assert_eq!(ran.stdout, "");
    ran.says("there is something at that path already");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn names_that_no_file_can_have_are_refused() {
    for name in ["..", "a/b"] {
        let place = Place::new();
        let server = Server::start([list(&[(name, "1")])]);
        let path = place.path("secrets/");
        let mount = ["--mount", &path, "--", "echo", "started"];
        let ran = run(&mut place.start(&server, &mount)).ends_with(125);
        assert_eq!(ran.stdout, "");
        ran.says(&format!("a file cannot be called `{name}`")).says("--mount secrets.json");
        assert_eq!(place.left(), [] as [PathBuf; 0]);
    }
}

#[test]
fn options_of_a_pipe_are_refused_for_a_directory() {
    let server = Server::start([]);
    let args = ["--mount=/tmp/x/", "--mount-max-reads=1", "--", "true"];
    run(&mut start(&server, &args)).ends_with(2);
    run(&mut start(&server, &["--mount-format=json", "--", "true"])).ends_with(2);
}
