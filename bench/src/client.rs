//! Start-up of the command-line client, as whole processes.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use crate::{Outcome, report::median, suites::Server};

const SPAWNS: usize = 100;
/// Opens the file vault once; it stays unlocked for the time of the measurement.
const PASSPHRASE: (&str, &str) = ("KMS_VAULT_FILE_PASSPHRASE", "a passphrase to measure with");

/// Measures the client behind a path: `kms`, built with `--release`.
pub(crate) async fn measure(binary: &str) -> Outcome {
    let server = Server::start("embedded", "warm").await?;
    server.fill("/", 20).await?;
    let person = Person::log_in(binary, &server)?;
    let mut version = Command::new(binary);
    version.arg("--version");
    let mut by_token = person.run(&server);
    by_token.env("KMS_TOKEN", &server.token);
    let by_login = person.run(&server);
    // What `by_login` reads is what these find.
    let offline = person.copy(&server, "--offline");
    let prefer = person.copy(&server, "--prefer-offline");
    let mut log_in = person.login(&server);
    let nothing = Command::new("/bin/true");
    let mut commands = [nothing, version, by_token, by_login, offline, prefer];
    let mut times = [const { Vec::new() }; 6];
    for _ in 0..SPAWNS {
        for (command, times) in commands.iter_mut().zip(&mut times) {
            times.push(spawn(command)?);
        }
    }
    let [nothing, version, by_token, by_login, offline, prefer] = times.map(median);
    // Not in turns with the others: a login is new each time, and the first read after it makes the
    // key of its copies.
    let mut logins = Vec::new();
    for _ in 0..SPAWNS {
        logins.push(spawn(&mut log_in)?);
    }
    let log_in = median(logins);
    println!("medians of {SPAWNS} spawns, in turns");
    println!("  /bin/true                  {nothing:>6.2} ms");
    println!("  kms --version              {version:>6.2} ms, {:.2} ms over it", version - nothing);
    println!(
        "  kms run -- /bin/true       {by_token:>6.2} ms, {:.2} ms over it",
        by_token - nothing
    );
    println!("  the same by stored login   {by_login:>6.2} ms, {:.2} ms more", by_login - by_token);
    for (flag, time) in [("--offline", offline), ("--prefer-offline", prefer)] {
        let over = time - nothing;
        println!("  the same, {flag:<16} {time:>6.2} ms, {over:.2} ms over /bin/true; goal 15 ms");
    }
    println!("  direct login of a person   {log_in:>6.2} ms; an Argon2id hash: {:.2} ms", hash()?);
    Ok(())
}

/// A person with files of their own, whose file vault is unlocked.
struct Person {
    binary: String,
    files: tempfile::TempDir,
}

impl Person {
    fn log_in(binary: &str, server: &Server) -> Outcome<Self> {
        let person = Self { binary: binary.to_owned(), files: tempfile::tempdir()? };
        let mut vault = person.command();
        vault.args(["vault", "set", "file", "--silent"]).env(PASSPHRASE.0, PASSPHRASE.1);
        spawn(&mut vault)?;
        let mut keep = person.command();
        keep.args(["login", "--silent", "--domain", &format!("http://{}", server.facts.address)])
            .env("KMS_EMAIL", &server.facts.email)
            .env("KMS_PASSWORD", &server.facts.password)
            .env("KMS_ORGANIZATION_ID", &server.facts.organization);
        spawn(&mut keep)?;
        let mut unlock = person.run(server);
        spawn(unlock.env(PASSPHRASE.0, PASSPHRASE.1))?;
        Ok(person)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env("KMS_CONFIG_DIR", self.files.path());
        command
    }

    /// A program started with secrets; without a token in the environment by the stored login.
    fn run(&self, server: &Server) -> Command {
        let mut command = self.running(server);
        command.args(["--", "/bin/true"]);
        command
    }

    /// The same from the copy that was kept when the vault was unlocked.
    fn copy(&self, server: &Server, flag: &str) -> Command {
        let mut command = self.running(server);
        command.args([flag, "--", "/bin/true"]);
        command
    }

    fn running(&self, server: &Server) -> Command {
        let url = format!("http://{}", server.facts.address);
        let mut command = self.command();
        command.args(["run", "--silent", "--domain", &url, "--projectId", &server.facts.project]);
        command
    }

    /// A direct login whose token is printed.
    fn login(&self, server: &Server) -> Command {
        let mut command = self.command();
        let url = format!("http://{}", server.facts.address);
        command
            .args(["login", "--silent", "--plain", "--domain", &url])
            .env("KMS_EMAIL", &server.facts.email)
            .env("KMS_PASSWORD", &server.facts.password)
            .env("KMS_ORGANIZATION_ID", &server.facts.organization);
        command
    }
}

/// Milliseconds of one password hash, as the server makes it.
fn hash() -> Outcome<f64> {
    let password = secrecy::SecretString::from("a password");
    let mut times = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        kms_crypto::hash_password(&password, &kms_crypto::OsEntropy)?;
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(median(times))
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
