//! Memory and start-up of the real server binary.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    Outcome,
    load::{Request, once},
    report::median,
};

/// Measures the server behind a path: `kms`, built with `--release`.
pub(crate) async fn measure(binary: &str) -> Outcome {
    let directory = tempfile::tempdir()?;
    let data = directory.path().to_str().ok_or("a path that is not text")?;
    let (mut server, address, _) = start(binary, data).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("idle server: {:.1} MiB resident", resident(&server)?);
    fill(address, data).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("after writing 100,000 secrets: {:.1} MiB resident", resident(&server)?);
    stop(&mut server)?;
    let mut starts = Vec::new();
    for _ in 0..7 {
        let (mut server, _, ready) = start(binary, data).await?;
        starts.push(ready.as_secs_f64() * 1_000.0);
        stop(&mut server)?;
    }
    println!("ready on these 100,000 secrets after {:.0} ms (median of 7)", median(starts));
    let (mut server, address, _) = start(binary, data).await?;
    list_everything(address, data).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("after listing them all: {:.1} MiB resident", resident(&server)?);
    stop(&mut server)
}

pub(crate) async fn start(binary: &str, data: &str) -> Outcome<(Child, SocketAddr, Duration)> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let started = Instant::now();
    let child = Command::new(binary)
        .args(["server", "--dev", "--data-dir", data, "--listen", &address.to_string()])
        .args(["--credentials-file", &format!("{data}/credentials.json")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let status = Request::new("GET", "/api/status", "", None);
    while started.elapsed() < Duration::from_secs(20) {
        if matches!(once(address, &status).await, Ok((200, _))) {
            return Ok((child, address, started.elapsed()));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Err("the server did not become ready".into())
}

pub(crate) fn stop(server: &mut Child) -> Outcome {
    Command::new("kill").arg(server.id().to_string()).status()?;
    server.wait()?;
    Ok(())
}

pub(crate) fn resident(server: &Child) -> Outcome<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?;
    Ok(kib / 1024.0)
}

struct Access {
    token: String,
    project: String,
}

async fn access(address: SocketAddr, data: &str) -> Outcome<Access> {
    let (token, seed) = log_in(address, data).await?;
    let project = seed["project"]["id"].as_str().unwrap_or_default().to_owned();
    Ok(Access { token, project })
}

/// The access token of the server's own identity, and all that the server says about itself.
pub(crate) async fn log_in(address: SocketAddr, data: &str) -> Outcome<(String, Value)> {
    // The credentials are written once the server serves.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let text = std::fs::read_to_string(format!("{data}/credentials.json"))?;
    let seed: Value = serde_json::from_str(&text)?;
    let body = json!({ "clientId": seed["machineIdentity"]["clientId"],
        "clientSecret": seed["machineIdentity"]["clientSecret"] });
    let login =
        Request::new("POST", "/api/v1/auth/universal-auth/login", "", Some(&body.to_string()));
    let answer: Value = serde_json::from_slice(&once(address, &login).await?.1)?;
    let token = answer["accessToken"].as_str().unwrap_or_default().to_owned();
    Ok((token, seed))
}

async fn fill(address: SocketAddr, data: &str) -> Outcome {
    let access = access(address, data).await?;
    for folder in 0..100 {
        let name = format!("folder-{folder}");
        let place = json!({ "projectId": access.project, "environment": "dev", "name": name });
        post(address, &access, "/api/v2/folders", &place).await?;
        let secret = |n: usize| {
            json!({ "secretKey": format!("SECRET_{n}"),
            "secretValue": format!("a value of about forty bytes, number {n}") })
        };
        let secrets: Vec<_> = (0..1_000).map(secret).collect();
        let body = json!({ "projectId": access.project, "environment": "dev",
            "secretPath": format!("/{name}"), "secrets": secrets });
        post(address, &access, "/api/v4/secrets/batch", &body).await?;
    }
    Ok(())
}

async fn post(address: SocketAddr, access: &Access, path: &str, body: &Value) -> Outcome {
    let request = Request::new("POST", path, &access.token, Some(&body.to_string()));
    let (status, answer) = once(address, &request).await?;
    if status == 200 {
        return Ok(());
    }
    Err(format!("{path} answered {status}: {}", String::from_utf8_lossy(&answer)).into())
}

async fn list_everything(address: SocketAddr, data: &str) -> Outcome {
    let access = access(address, data).await?;
    for folder in 0..100 {
        let path = format!(
            "/api/v4/secrets?projectId={}&environment=dev&secretPath=/folder-{folder}",
            access.project
        );
        let (status, _) = once(address, &Request::new("GET", &path, &access.token, None)).await?;
        if status != 200 {
            return Err(format!("{path} answered {status}").into());
        }
    }
    Ok(())
}
