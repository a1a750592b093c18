//! A login through the browser, from the click on "Confirm" to the prompt. The browser is played by a
//! client that sends what one would send, so that what is measured is ours alone.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{Outcome, report::median};

const LOGINS: usize = 30;

/// Measures the client behind a path: `kms`, built with `--release`, at a server of its own.
pub(crate) fn measure(binary: &str) -> Outcome {
    let folder = tempfile::tempdir()?;
    let server = Server::start(binary, folder.path())?;
    let cookie = server.log_in()?;
    let program = folder.path().join("browser");
    // Put in its place whole, so that nobody reads half an address.
    std::fs::write(
        &program,
        "#!/bin/sh\nprintf %s \"$1\" > \"$0.new\"\nmv \"$0.new\" \"$0.address\"\n",
    )?;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700))?;
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..LOGINS {
        for (times, took) in times.iter_mut().zip(server.one(binary, folder.path(), &cookie)?) {
            times.push(took);
        }
    }
    let mut all = times[2].clone();
    all.sort_by(f64::total_cmp);
    let [opened, confirmed, returned] = times.map(median);
    println!("medians of {LOGINS} logins through the browser, on loopback");
    println!("  start to the browser       {opened:>6.2} ms");
    println!("  confirm to the redirect    {confirmed:>6.2} ms");
    println!("  confirm to the prompt      {returned:>6.2} ms, {:.2} ms at most", all[LOGINS - 1]);
    Ok(())
}

struct Server {
    child: Child,
    authority: String,
    email: String,
    password: String,
    organization: String,
}

impl Server {
    fn start(binary: &str, folder: &Path) -> Outcome<Self> {
        let file = folder.join("credentials.json");
        let mut child = Command::new(binary)
            .args(["server", "--dev", "--credentials-file"])
            .arg(&file)
            .env("KMS_LISTEN", "127.0.0.1:0")
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no standard error")?).lines();
        let ready = lines.find_map(|line| {
            line.ok()?.strip_prefix("kms server: ready at http://").map(str::to_owned)
        });
        // Whoever stops reading stops the server from writing.
        thread::spawn(move || lines.for_each(drop));
        let facts: Value = serde_json::from_slice(&std::fs::read(file)?)?;
        let text = |path: &str| facts.pointer(path).and_then(Value::as_str).unwrap_or_default();
        Ok(Self {
            child,
            authority: ready.ok_or("the server did not start")?,
            email: text("/user/email").to_owned(),
            password: text("/user/password").to_owned(),
            organization: text("/organization/id").to_owned(),
        })
    }

    /// Logs the browser in; answers its cookie.
    fn log_in(&self) -> Outcome<String> {
        let body =
            format!("email={}&password={}&continue=", form(&self.email), form(&self.password));
        let answer = self.post("/login", "", &body)?;
        let cookie = header(&answer, "set-cookie").ok_or("the browser was not logged in")?;
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }

    /// One login: milliseconds to the browser, to the redirect, and to the end of the program.
    fn one(&self, binary: &str, folder: &Path, cookie: &str) -> Outcome<[f64; 3]> {
        let address = folder.join("browser.address");
        let _ = std::fs::remove_file(&address);
        let command = format!("{binary} login --plain --silent --domain=http://{}", self.authority);
        let started = Instant::now();
        // Gives it a terminal.
        let mut child = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .env("KMS_CONFIG_DIR", folder.join("files"))
            .env("BROWSER", folder.join("browser"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let sent = loop {
            match std::fs::read_to_string(&address) {
                Ok(sent) => break sent,
                Err(_) if started.elapsed() > Duration::from_secs(10) => {
                    return Err("no browser was opened".into());
                }
                Err(_) => thread::sleep(Duration::from_micros(200)),
            }
        };
        let opened = started.elapsed();
        let target = sent.split_once(&self.authority).ok_or("sent elsewhere")?.1;
        let body = format!("organization={}&decision=confirm", self.organization);
        let started = Instant::now();
        let answer = self.post(target, cookie, &body)?;
        let confirmed = started.elapsed();
        let back = header(&answer, "location").ok_or_else(|| format!("no redirect: {answer}"))?;
        let back = back.strip_prefix("http://").ok_or("not to this machine")?;
        let (listener, path) = back.split_once('/').ok_or("to no path")?;
        exchange(listener, &format!("GET /{path} HTTP/1.1\r\nhost: {listener}\r\n\r\n"))?;
        let status = child.wait()?;
        let returned = started.elapsed();
        if !status.success() {
            return Err(format!("the login ended with {status}").into());
        }
        Ok([opened, confirmed, returned].map(|took| took.as_secs_f64() * 1_000.0))
    }

    fn post(&self, target: &str, cookie: &str, body: &str) -> Outcome<String> {
        let (host, length) = (&self.authority, body.len());
        let request = format!(
            "POST {target} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n\
             sec-fetch-site: same-origin\r\ncookie: {cookie}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        exchange(&host.replace("localhost", "127.0.0.1"), &request)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn exchange(authority: &str, request: &str) -> Outcome<String> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn header(answer: &str, name: &str) -> Option<String> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// A value of a form.
fn form(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
