//! Which addresses are listened on, and how others call them.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::TcpListener;

use crate::{ServerArgs, StartError};

/// How often a free port is looked for that is free on both loopback addresses.
const TRIES: usize = 16;
/// `EAFNOSUPPORT`, which has no kind of its own.
const NO_SUCH_FAMILY: i32 = nix::libc::EAFNOSUPPORT;

/// Binds the address of the flags; for development both loopback addresses and nothing else.
pub(super) async fn listen(args: &ServerArgs) -> Result<Vec<TcpListener>, StartError> {
    let address = args.listen;
    let failed = |source| StartError::Listen { address, source };
    if !args.dev {
        return Ok(vec![TcpListener::bind(address).await.map_err(failed)?]);
    }
    if !address.ip().is_loopback() {
        let text = "`--dev` listens on this machine only: `--listen` must name 127.0.0.1 or [::1]";
        return Err(StartError::Usage(text.into()));
    }
    let mut tries = 1;
    loop {
        match both(address.port()).await {
            Err(error) if is_taken(&error) && address.port() == 0 && tries < TRIES => tries += 1,
            result => return result.map_err(failed),
        }
    }
}

async fn both(port: u16) -> io::Result<Vec<TcpListener>> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = first.local_addr()?.port();
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
        Ok(second) => Ok(vec![first, second]),
        // Not every machine has IPv6.
        Err(error) if has_no_family(&error) => Ok(vec![first]),
        Err(error) => Err(error),
    }
}

fn is_taken(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrInUse
}

fn has_no_family(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(NO_SUCH_FAMILY)
}

/// Where others reach the server, without a final slash.
pub(super) fn public_url(args: &ServerArgs, bound: SocketAddr, tls: bool) -> String {
    if let Some(url) = &args.public_url {
        return url.clone();
    }
    let scheme = if tls { "https" } else { "http" };
    let host = match bound.ip() {
        // Passkeys need a name.
        _ if args.dev => "localhost".to_owned(),
        IpAddr::V4(ip) if ip.is_unspecified() => "localhost".to_owned(),
        IpAddr::V6(ip) if ip.is_unspecified() => "localhost".to_owned(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    format!("{scheme}://{host}:{}", bound.port())
}
