//! What is compared with what.

use std::{
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    Outcome,
    load::{Figures, Request, drive, once},
    logins,
    report::{Ratios, line, median},
    server::{Facts, LISTED},
};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);

/// A server in a process of its own; it ends with its standard input.
pub(crate) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    pub(crate) facts: Facts,
    pub(crate) token: String,
}

impl Server {
    pub(crate) async fn start(engine: &str, memory: &str) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["server", engine, memory])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("no standard output")?;
        let mut first = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut first)?;
        let facts: Facts = serde_json::from_str(&first)?;
        let (_, body) = once(facts.address, &login(&facts)).await?;
        let answer: Value = serde_json::from_slice(&body)?;
        let token = answer["accessToken"].as_str().ok_or("no access token")?.to_owned();
        Ok(Self { child, input, facts, token })
    }

    /// Creates secrets in a folder, a thousand at one time.
    pub(crate) async fn fill(&self, path: &str, count: usize) -> Outcome {
        for first in (0..count).step_by(1_000) {
            let secret = |n: usize| {
                json!({ "secretKey": format!("SECRET_{n}"),
                "secretValue": format!("a value of about forty bytes, number {n}") })
            };
            let secrets: Vec<_> = (first..count.min(first + 1_000)).map(secret).collect();
            self.batch(path, secrets).await?;
        }
        Ok(())
    }

    pub(crate) async fn batch(&self, path: &str, secrets: Vec<Value>) -> Outcome {
        let body = json!({ "projectId": self.facts.project, "environment": "dev",
            "secretPath": path, "secrets": secrets });
        self.post("/api/v4/secrets/batch", &body).await
    }

    pub(crate) async fn folder(&self, name: &str) -> Outcome {
        let body = json!({ "projectId": self.facts.project, "environment": "dev", "name": name });
        self.post("/api/v2/folders", &body).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Outcome {
        self.send("POST", path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Outcome {
        self.send("PATCH", path, body).await
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Outcome {
        let request = Request::new(method, path, &self.token, Some(&body.to_string()));
        let (status, answer) = once(self.facts.address, &request).await?;
        if status == 200 {
            return Ok(());
        }
        Err(format!("{path} answered {status}: {}", String::from_utf8_lossy(&answer)).into())
    }

    /// Changes a secret.
    pub(crate) async fn change(&self, name: &str, body: &Value) -> Outcome {
        let path = format!("/api/v4/secrets/{name}");
        let request = Request::new("PATCH", &path, &self.token, Some(&body.to_string()));
        let (status, answer) = once(self.facts.address, &request).await?;
        if status == 200 {
            return Ok(());
        }
        Err(format!("{path} answered {status}: {}", String::from_utf8_lossy(&answer)).into())
    }

    pub(crate) fn listing(&self, path: &str) -> Request {
        let query = format!(
            "/api/v4/secrets?projectId={}&environment=dev&secretPath={path}",
            self.facts.project
        );
        Request::new("GET", &query, &self.token, None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

pub(crate) fn login(facts: &Facts) -> Request {
    let body = json!({ "clientId": facts.client_id, "clientSecret": facts.client_secret });
    Request::new("POST", "/api/v1/auth/universal-auth/login", "", Some(&body.to_string()))
}

/// Two requests in turns, several rounds each.
pub(crate) async fn compare(
    server: &Server,
    connections: usize,
    ours: (&str, &Request),
    theirs: (&str, &Request),
) -> Outcome {
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (side, (name, request)) in [ours, theirs].into_iter().enumerate() {
            let figures = drive(server.facts.address, request, connections, ROUND).await?;
            check(name, &figures)?;
            // The first round warms up.
            if round > 0 {
                rates[side].push(figures.rate());
            }
            if round == ROUNDS {
                line(name, &figures);
            }
        }
    }
    println!("  {} / {} = {}\n", ours.0, theirs.0, Ratios::of(&rates[0], &rates[1]));
    Ok(())
}

fn check(name: &str, figures: &Figures) -> Outcome {
    if figures.answered == 0 || figures.refused > 0 {
        return Err(format!("{name}: {} answers were not 200", figures.refused).into());
    }
    Ok(())
}

/// Listings and logins against what they cannot do without.
pub(crate) async fn load() -> Outcome {
    let nothing = |server: &Server| Request::new("GET", "/bench/nothing", &server.token, None);
    let rows = |server: &Server| Request::new("GET", "/bench/rows", &server.token, None);
    let warm = prepared("embedded", "warm").await?;
    println!("embedded, listing {LISTED} secrets, warm, 16 connections");
    let listing = warm.listing("/");
    compare(&warm, 16, ("listing", &listing), ("nothing", &nothing(&warm))).await?;
    println!("embedded, universal-auth login, 64 connections");
    let insert = Request::new("POST", "/bench/insert", "", Some("{}"));
    compare(&warm, 64, ("login", &login(&warm.facts)), ("durable insert", &insert)).await?;
    println!("embedded, logins that others vouch for, 64 connections");
    logins::measure(&warm).await?;
    drop(warm);
    let cold = prepared("embedded", "cold").await?;
    println!("embedded, listing {LISTED} secrets, cold, 16 connections");
    compare(&cold, 16, ("listing", &cold.listing("/")), ("bare query", &rows(&cold))).await?;
    drop(cold);
    let Ok(url) = std::env::var("KMS_BENCH_DATABASE_URL") else {
        println!("PostgreSQL: left out, KMS_BENCH_DATABASE_URL names no empty database");
        return Ok(());
    };
    let postgres = prepared(&url, "warm").await?;
    println!("PostgreSQL, listing {LISTED} secrets, 16 connections");
    compare(&postgres, 16, ("listing", &postgres.listing("/")), ("bare query", &rows(&postgres)))
        .await?;
    println!("PostgreSQL, universal-auth login, 64 connections");
    compare(&postgres, 64, ("login", &login(&postgres.facts)), ("durable insert", &insert)).await?;
    println!("PostgreSQL, logins that others vouch for, 64 connections");
    logins::measure(&postgres).await
}

async fn prepared(engine: &str, memory: &str) -> Outcome<Server> {
    let server = Server::start(engine, memory).await?;
    server.fill("/", LISTED).await?;
    let (_, body) = once(server.facts.address, &server.listing("/")).await?;
    server.post("/bench/nothing", &json!({ "bytes": body.len() })).await?;
    Ok(server)
}

/// The cost of a listing against what it returns and against what is stored.
pub(crate) async fn curve() -> Outcome {
    const FOLDERS: usize = 1_000;
    let server = Server::start("embedded", "cold").await?;
    println!("embedded, cold, one connection: microseconds of one listing (median)");
    for size in [0, 10, 100, 1_000] {
        server.folder(&format!("size-{size}")).await?;
        server.fill(&format!("/size-{size}"), size).await?;
        let request = server.listing(&format!("/size-{size}"));
        println!("  returns {size:>5}: {:>8.0}", cost(&server, &request).await?);
    }
    let mut stored = 1_110;
    for target in [1_000, 10_000, 100_000] {
        while stored < target {
            let folder = format!("folder-{}", stored / (100_000 / FOLDERS));
            server.folder(&folder).await?;
            server.fill(&format!("/{folder}"), 100).await?;
            stored += 100;
        }
        let cost = cost(&server, &server.listing("/size-10")).await?;
        println!("  stored {stored:>7}, returns 10: {cost:>8.0}");
    }
    Ok(())
}

pub(crate) async fn cost(server: &Server, request: &Request) -> Outcome<f64> {
    let mut medians = Vec::new();
    for _ in 0..3 {
        let figures = drive(server.facts.address, request, 1, Duration::from_secs(1)).await?;
        check("listing", &figures)?;
        medians.push(f64::from(figures.percentile(50)));
    }
    Ok(median(medians))
}
