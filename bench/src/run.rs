//! `kms run` beside a program, and those who wait for changes on a server.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    Outcome,
    load::{Request, once},
    memory::{resident, start, stop},
    report::{Ratios, median},
    suites::Server,
};

const RESTARTS: usize = 15;
const ROUNDS: usize = 5;
/// Bytes that go through the mask in one round.
const TEXT: usize = 256 * 1024 * 1024;
const WATCHERS: usize = 10_000;
/// Watchers of one identity: fewer than a server takes.
const OF_ONE: usize = 1_000;

/// Measures the client and the server behind a path: `kms`, built with `--release`.
pub(crate) async fn measure(binary: &str) -> Outcome {
    restarts(binary).await?;
    masked(binary).await?;
    watchers(binary).await
}

fn run(binary: &str, server: &Server) -> Command {
    let url = format!("http://{}", server.facts.address);
    let mut command = Command::new(binary);
    command.args(["run", "--silent", "--domain", &url, "--projectId", &server.facts.project]);
    command.env("KMS_TOKEN", &server.token).stdin(Stdio::null());
    command
}

/// From the moment that a change is asked for to the first line of the program started anew.
async fn restarts(binary: &str) -> Outcome {
    let server = Server::start("embedded", "warm").await?;
    server.fill("/", 20).await?;
    let mut command = run(binary, &server);
    command.args(["--watch", "--", "sh", "-c", "echo \"$SECRET_0\"; exec sleep 1000"]);
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
    lines.next().ok_or("the program did not start")??;
    // It connects after the program has started.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut times = Vec::new();
    for round in 0..RESTARTS {
        let value = format!("round {round}");
        let body = json!({ "projectId": server.facts.project, "environment": "dev",
            "secretPath": "/", "secretValue": value });
        let started = Instant::now();
        server.change("SECRET_0", &body).await?;
        let line = lines.next().ok_or("the program ended")??;
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
        if line != value {
            return Err(format!("started with `{line}` in place of `{value}`").into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    end(&mut child)?;
    let worst = times.iter().copied().fold(0.0, f64::max);
    println!("--watch: from the change to the program's first line, loopback");
    println!("  median {:.0} ms, worst {worst:.0} ms of {RESTARTS}\n", median(times));
    Ok(())
}

fn end(child: &mut Child) -> Outcome {
    Command::new("kill").arg(child.id().to_string()).status()?;
    child.wait()?;
    Ok(())
}

/// A large text through `cat`, and through `cat` below `kms run --mask`, into one kind of pipe.
async fn masked(binary: &str) -> Outcome {
    let server = Server::start("embedded", "warm").await?;
    server.fill("/", 50).await?;
    let mut file = tempfile::NamedTempFile::new_in("/dev/shm")?;
    let lines: String =
        (0..20_000).map(|n| format!("{n:06} a line of a log, as programs write them\n")).collect();
    for _ in 0..TEXT.div_ceil(lines.len()) {
        file.write_all(lines.as_bytes())?;
    }
    let path = file.path().to_str().ok_or("a path that is not text")?;
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        let mut plain = Command::new("cat");
        plain.arg(path);
        let mut masked = run(binary, &server);
        masked.args(["--mask", "--", "cat", path]);
        for (rates, mut command) in rates.iter_mut().zip([masked, plain]) {
            let rate = throughput(&mut command)?;
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    println!("--mask with 50 secrets, {} MiB through a pipe, start included", TEXT >> 20);
    println!(
        "  {:.0} MB/s, cat alone {:.0} MB/s",
        median(rates[0].clone()),
        median(rates[1].clone())
    );
    println!("  masked / cat = {}\n", Ratios::of(&rates[0], &rates[1]));
    Ok(())
}

/// Megabytes per second.
fn throughput(command: &mut Command) -> Outcome<f64> {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut output = child.stdout.take().ok_or("no standard output")?;
    let mut chunk = vec![0; 256 * 1024];
    let mut total = 0;
    while let count @ 1.. = output.read(&mut chunk)? {
        total += count;
    }
    if !child.wait()?.success() || total < TEXT {
        return Err(format!("only {total} bytes arrived").into());
    }
    Ok(total as f64 / 1e6 / started.elapsed().as_secs_f64())
}

/// What ten thousand who wait take of a server's memory, and how soon all of them hear.
async fn watchers(binary: &str) -> Outcome {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let files = limits.lines().find(|line| line.starts_with("Max open files"));
    let files = files.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    if files.unwrap_or(0_usize) < WATCHERS + 100 {
        return Err("more open files are needed: `ulimit -n 65536`".into());
    }
    let directory = tempfile::tempdir()?;
    let data = directory.path().to_str().ok_or("a path that is not text")?;
    let (mut server, address, _) = start(binary, data).await?;
    let access = Access::of(address, data).await?;
    access.change(address, "before").await?;
    let before = resident(&server)?;
    let mut waiting = Vec::with_capacity(WATCHERS);
    for _ in 0..WATCHERS / OF_ONE {
        let token = access.another(address).await?;
        for _ in 0..OF_ONE {
            waiting.push(access.wait(address, &token).await?);
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let during = resident(&server)?;
    println!("{WATCHERS} who wait for changes, {OF_ONE} of one identity");
    println!(
        "  {before:.1} MiB resident before, {during:.1} MiB with them: {:.1} KiB each",
        (during - before) * 1024.0 / WATCHERS as f64
    );
    let started = Instant::now();
    access.change(address, "after").await?;
    for stream in &mut waiting {
        event(stream, "changed").await?;
    }
    println!(
        "  all told of one change after {} ms; {:.1} MiB resident then",
        started.elapsed().as_millis(),
        resident(&server)?
    );
    drop(waiting);
    stop(&mut server)
}

struct Access {
    token: String,
    project: String,
    organization: String,
}

impl Access {
    async fn of(address: SocketAddr, data: &str) -> Outcome<Self> {
        let (token, seed) = crate::memory::log_in(address, data).await?;
        let text = |pointer| seed.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let project = text("/project/id").ok_or("no project")?;
        let organization = text("/organization/id").ok_or("no organization")?;
        Ok(Self { token, project, organization })
    }

    async fn post(&self, address: SocketAddr, path: &str, body: &Value) -> Outcome<Value> {
        let request = Request::new("POST", path, &self.token, Some(&body.to_string()));
        let (status, answer) = once(address, &request).await?;
        if status != 200 {
            let answer = String::from_utf8_lossy(&answer);
            return Err(format!("{path} answered {status}: {answer}").into());
        }
        Ok(serde_json::from_slice(&answer)?)
    }

    /// The token of another identity that may read.
    async fn another(&self, address: SocketAddr) -> Outcome<String> {
        let body = json!({ "name": "watcher", "organizationId": self.organization,
            "role": "no-access" });
        let made = self.post(address, "/api/v1/identities", &body).await?;
        let id = made["identity"]["id"].as_str().ok_or("no identity")?.to_owned();
        let methods = format!("/api/v1/auth/token-auth/identities/{id}");
        self.post(address, &methods, &json!({})).await?;
        let place = format!("/api/v2/workspace/{}/identity-memberships/{id}", self.project);
        self.post(address, &place, &json!({ "role": "viewer" })).await?;
        let tokens = format!("{methods}/tokens");
        let made = self.post(address, &tokens, &json!({ "name": "watcher" })).await?;
        Ok(made["accessToken"].as_str().ok_or("no token")?.to_owned())
    }

    async fn change(&self, address: SocketAddr, name: &str) -> Outcome {
        let body = json!({ "projectId": self.project, "environment": "dev", "secretPath": "/",
            "secretValue": name });
        self.post(address, &format!("/api/v4/secrets/{name}"), &body).await?;
        Ok(())
    }

    async fn wait(&self, address: SocketAddr, token: &str) -> Outcome<TcpStream> {
        let path = format!("/api/v1/events/secrets?projectId={}&environment=dev", self.project);
        let mut stream = TcpStream::connect(address).await?;
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        event(&mut stream, "ready").await?;
        Ok(stream)
    }
}

/// Reads until an event of this name.
async fn event(stream: &mut TcpStream, name: &str) -> Outcome {
    let mut text = Vec::new();
    let mut chunk = [0; 2_048];
    let wanted = format!("event: {name}");
    while !String::from_utf8_lossy(&text).contains(&wanted) {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Err(format!("no `{name}`: {}", String::from_utf8_lossy(&text)).into());
        }
        text.extend_from_slice(&chunk[..count]);
    }
    Ok(())
}
