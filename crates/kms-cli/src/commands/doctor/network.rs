//! The way to the server, step by step. A step that fails ends it: the others are skipped.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    time::Instant,
};

use kms_client::{Answer, Client, Error as ClientError, Probe, Roots, Shown};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};
use url::Url;

use super::{PATIENCE, away, report::Check, too_long};
use crate::{Context, error::CliError, profiles::now};

/// Of the machine that is connected to.
const NAME: &str = "name";
const CONNECTION: &str = "connection";
const CERTIFICATE: &str = "certificate";
const SERVER: &str = "server";
const CLOCK: &str = "clock";

/// A certificate that ends sooner than this is worth a word, in seconds.
const SOON: i64 = 14 * 24 * 60 * 60;
/// How far clocks may be apart, in seconds: a little, and before logins fail.
const DRIFT: u64 = 30;
const TOO_FAR: u64 = 5 * 60;

/// What was found on the way.
pub(super) struct Way {
    pub(super) checks: Vec<Check>,
    /// Whether a KMS answers at its end.
    pub(super) is_there: bool,
}

pub(super) async fn checks(context: &Context) -> Way {
    let client = match context.settings.probing_client() {
        Ok(client) => client,
        Err(error) => return no_client(error),
    };
    let (host, port) = next_hop(&client);
    let (name, addresses) = resolve(&client, &host, port).await;
    let mut checks = vec![name];
    if addresses.is_empty() {
        return cut_off(checks);
    }
    let (connection, is_connected) = connect(&client, &addresses).await;
    checks.push(connection);
    if !is_connected {
        return cut_off(checks);
    }
    let Ok(probe) = timeout(PATIENCE, client.probe()).await else {
        checks.push(Check::skipped(CERTIFICATE, too_long()));
        let server = Check::failed(SERVER, too_long()).unreachable();
        checks.push(server.next("try again; if it stays so, ask whoever runs the server"));
        return cut_off(checks);
    };
    checks.push(certificate(&client, &probe));
    match probe.answer {
        Ok(answer) => {
            checks.extend([server(&answer, context), clock(&answer)]);
            Way { checks, is_there: true }
        }
        Err(ClientError::Tls { .. }) => cut_off(checks),
        Err(error) => {
            let check = Check::error(SERVER, error);
            checks.push(check.or_next("try again; if it stays so, ask whoever runs the server"));
            cut_off(checks)
        }
    }
}

/// What is set makes no client: the step that it belongs to fails.
fn no_client(error: ClientError) -> Way {
    let step = match error {
        // The line about the domain says so.
        ClientError::InsecureOrigin { .. } => return cut_off(Vec::new()),
        ClientError::Certificates { .. } => 2,
        _ => 3,
    };
    let names = [NAME, CONNECTION, CERTIFICATE, SERVER];
    let before = names[..step].iter().map(|name| Check::skipped(name, "not looked at"));
    let mut checks: Vec<Check> = before.collect();
    let next = "`kms help environment` lists what sets it: certificates, custom headers";
    checks.push(Check::error(names[step], error).or_next(next));
    cut_off(checks)
}

/// Fills up with what could not be looked at.
fn cut_off(mut checks: Vec<Check>) -> Way {
    let names = [NAME, CONNECTION, CERTIFICATE, SERVER, CLOCK];
    let left = names.into_iter().skip(checks.len());
    checks.extend(left.map(|name| Check::skipped(name, "not looked at: the way ends before it")));
    Way { checks, is_there: false }
}

/// What is connected to: the proxy, else the server.
fn next_hop(client: &Client) -> (String, u16) {
    let proxy = client.proxy().and_then(|proxy| Url::parse(proxy).ok());
    let of_proxy = proxy.and_then(|url| {
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        // What has no port of its own is SOCKS.
        Some((host, url.port_or_known_default().unwrap_or(1080)))
    });
    of_proxy.unwrap_or_else(|| (client.origin().host(), client.origin().port()))
}

async fn resolve(client: &Client, host: &str, port: u16) -> (Check, Vec<SocketAddr>) {
    let whose = if client.proxy().is_some() { " (the proxy)" } else { "" };
    if let Ok(address) = host.parse::<IpAddr>() {
        let text = format!("`{host}`{whose} is an address");
        return (Check::ok(NAME, text), vec![SocketAddr::new(address, port)]);
    }
    let asked = host.to_owned();
    let looked_up = away(move || Ok((asked.as_str(), port).to_socket_addrs()?.collect())).await;
    let failed = |why: String| {
        let check = Check::failed(NAME, format!("`{host}`{whose} has no address: {why}"));
        let check = check.unreachable().next(format!("ask for it: `getent hosts {host}`"));
        check.next("is it misspelt in `--domain`, or is a VPN needed?")
    };
    let addresses: Vec<SocketAddr> = match looked_up {
        None => return (failed(too_long()), Vec::new()),
        Some(Err::<_, std::io::Error>(error)) => return (failed(error.to_string()), Vec::new()),
        Some(Ok(addresses)) => addresses,
    };
    if addresses.is_empty() {
        return (failed("the answer was empty".to_owned()), addresses);
    }
    let mut shown: Vec<String> =
        addresses.iter().take(3).map(|address| address.ip().to_string()).collect();
    if addresses.len() > shown.len() {
        shown.push(format!("{} more", addresses.len() - shown.len()));
    }
    (Check::ok(NAME, format!("`{host}`{whose} is {}", shown.join(", "))), addresses)
}

/// Connects to all addresses at once: the first that takes it is good enough.
async fn connect(client: &Client, addresses: &[SocketAddr]) -> (Check, bool) {
    let started = Instant::now();
    let mut tries = JoinSet::new();
    for address in addresses.iter().copied() {
        tries.spawn(async move { (address, timeout(PATIENCE, TcpStream::connect(address)).await) });
    }
    let mut refused = Vec::new();
    while let Some(tried) = tries.join_next().await {
        match tried {
            Ok((address, Ok(Ok(_)))) => {
                let took = started.elapsed().as_millis();
                return (Check::ok(CONNECTION, format!("`{address}` in {took} ms")), true);
            }
            Ok((address, Ok(Err(error)))) => refused.push(format!("`{address}`: {error}")),
            Ok((address, Err(_))) => refused.push(format!("`{address}`: {}", too_long())),
            Err(error) => refused.push(error.to_string()),
        }
    }
    let check = Check::failed(CONNECTION, refused.join("; ")).unreachable();
    let check = match client.proxy() {
        Some(_) => check.next("check `HTTPS_PROXY`; `NO_PROXY` names hosts to call without it"),
        None => check.next("is the server running, and is a VPN or `HTTPS_PROXY` needed?"),
    };
    (check.next("another server: `kms doctor --domain URL`"), false)
}

fn certificate(client: &Client, probe: &Probe) -> Check {
    if let Err(error @ ClientError::Tls { .. }) = &probe.answer {
        let (kind, hints) = crate::error::classify(error);
        let mut causes = CliError::new(kind, describe(error));
        causes.hints = hints;
        let check = Check::error(CERTIFICATE, causes);
        return check.or_next("ask whoever runs the server for its certificate");
    }
    match (&probe.shown, client.origin().is_https()) {
        (Some(shown), _) => shown_certificate(shown),
        (None, true) => Check::skipped(CERTIFICATE, "none was shown"),
        (None, false) if client.origin().is_loopback() => {
            Check::ok(CERTIFICATE, "none is needed: nothing leaves this machine")
        }
        (None, false) => Check::warning(CERTIFICATE, "none: everybody between can read along")
            .next("use an address that begins with `https://`"),
    }
}

/// The chain of an error that is still needed elsewhere.
fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

fn shown_certificate(shown: &Shown) -> Check {
    let leaf = shown.chain.first();
    let name = leaf.and_then(|leaf| leaf.subject.as_deref()).unwrap_or(&shown.by);
    let mut text = format!("`{name}`");
    if let Some(issuer) = leaf.and_then(|leaf| leaf.issuer.as_deref()) {
        let _ = write!(text, ", issued by `{issuer}`");
    }
    let ends = shown.chain.iter().filter_map(|certificate| certificate.ends_at).min();
    if let Some(ends) = ends {
        let _ = write!(text, ", good until {ends}");
    }
    text.push_str(match shown.trusted_by {
        Some(Roots::Bundled) => ", trusted by the bundled certificates",
        Some(Roots::System) => ", trusted by the system's certificates",
        Some(Roots::Added) => ", trusted by those of `--cacert`",
        None => "",
    });
    match ends {
        Some(ends) if ends.seconds() - now().seconds() < SOON => {
            Check::warning(CERTIFICATE, format!("{text}: it ends soon"))
                .next("tell whoever runs the server to renew it")
        }
        _ => Check::ok(CERTIFICATE, text),
    }
}

fn server(answer: &Answer, context: &Context) -> Check {
    let ours = env!("CARGO_PKG_VERSION");
    let is = match &answer.version {
        Some(version) if version == ours => format!("Hanzo KMS {version}"),
        Some(version) => format!("Hanzo KMS {version} (this program is {ours})"),
        None => "a compatible server, which tells no version".to_owned(),
    };
    if !answer.is_ready {
        return Check::warning(SERVER, format!("{is}, which says that it is not ready"))
            .next(format!("look again: `kms doctor --domain {}`", context.settings.origin.value));
    }
    Check::ok(SERVER, format!("{is}, ready; it answered in {} ms", answer.took.as_millis()))
}

fn clock(answer: &Answer) -> Check {
    let Some(ahead) = answer.ahead else {
        return Check::skipped(CLOCK, "the server tells no time");
    };
    let apart = ahead.unsigned_abs();
    if apart <= DRIFT {
        return Check::ok(CLOCK, format!("{apart} s from the server's"));
    }
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    let text = format!("this machine's is {apart} s {side} the server's");
    let check = if apart <= TOO_FAR {
        Check::warning(CLOCK, text)
    } else {
        Check::failed(CLOCK, format!("{text}: tokens and certificates seem to have ended"))
    };
    check.next(if cfg!(target_os = "macos") {
        "set it: `sudo sntp -sS time.apple.com`"
    } else {
        "set it: `sudo timedatectl set-ntp true`; if it is right, the server's is wrong"
    })
}
