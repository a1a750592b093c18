//! Start-up of the command-line client, as whole processes.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use crate::{Outcome, report::median, suites::Server};

const SPAWNS: usize = 100;

/// Measures the client behind a path: `kms`, built with `--release`.
pub(crate) async fn measure(binary: &str) -> Outcome {
    let server = Server::start("embedded", "warm").await?;
    server.fill("/", 20).await?;
    let url = format!("http://{}", server.facts.address);
    let version = || {
        let mut command = Command::new(binary);
        command.arg("--version");
        command
    };
    let nothing = || Command::new("/bin/true");
    let run = || {
        let mut command = Command::new(binary);
        command.args(["run", "--silent", "--domain", &url, "--projectId", &server.facts.project]);
        command.args(["--", "/bin/true"]).env("KMS_TOKEN", &server.token);
        command
    };
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..SPAWNS {
        times[0].push(spawn(&mut nothing())?);
        times[1].push(spawn(&mut version())?);
        times[2].push(spawn(&mut run())?);
    }
    let [nothing, version, run] = times.map(median);
    println!("medians of {SPAWNS} spawns, in turns");
    println!("  /bin/true                  {nothing:>6.2} ms");
    println!("  kms --version              {version:>6.2} ms, {:.2} ms over it", version - nothing);
    println!("  kms run -- /bin/true       {run:>6.2} ms, {:.2} ms over it", run - nothing);
    Ok(())
}

fn spawn(command: &mut Command) -> Outcome<f64> {
    let started = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let elapsed = started.elapsed().as_secs_f64() * 1_000.0;
    if status.success() {
        Ok(elapsed)
    } else {
        Err(format!("{command:?} ended with {status}").into())
    }
}
