//! A URL that was looked at before anything is sent to it.

use std::fmt;

use url::{Host, Url};

use super::OutboundPolicy;

/// The longest URL, in bytes.
const MAX_URL: usize = 2_048;
/// Below are the ports of the system; a call to another than a web server's is an attempt at
/// something else.
const SYSTEM_PORTS: u16 = 1_024;

/// What is wrong with a URL; says the rule, never the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsafeUrl {
    /// Not a URL at all.
    #[error("Must be a URL")]
    Malformed,
    /// Longer than anybody needs.
    #[error("Must have at most 2048 characters")]
    TooLong,
    /// White space, control characters or backslashes, which URL parsers drop or turn around.
    #[error("Must not hold spaces, control characters or backslashes")]
    Characters,
    /// Another scheme.
    #[error("Must start with `https://`")]
    Scheme,
    /// User name or password in the URL.
    #[error("Must not hold a user name or a password")]
    Credentials,
    /// A fragment.
    #[error("Must not have a fragment")]
    Fragment,
    /// An absolute name, or none.
    #[error("Must name a host, without a dot at its end")]
    HostName,
    /// A port of the system that is not a web server's.
    #[error("Must not name a port below 1024 other than that of its scheme")]
    Port,
    /// An address that is not public.
    #[error(
        "Must not be a private, local or reserved address; the operator of the server can allow \
         one with `--outbound-allow`"
    )]
    Address,
}

/// A URL whose form is safe to call; where its name leads is checked when it is called.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Url);

impl Target {
    /// Reads a URL that was configured. The reason of a refusal is for whoever configures it.
    ///
    /// Decimal, octal and hexadecimal forms of an address are read as what they are.
    pub fn parse(text: &str, policy: &OutboundPolicy) -> Result<Self, UnsafeUrl> {
        if text.len() > MAX_URL {
            return Err(UnsafeUrl::TooLong);
        }
        if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(UnsafeUrl::Characters);
        }
        let url = Url::parse(text).map_err(|_| UnsafeUrl::Malformed)?;
        let (_, rest) = text.split_once("://").ok_or(UnsafeUrl::Malformed)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') || !url.username().is_empty() || url.password().is_some() {
            return Err(UnsafeUrl::Credentials);
        }
        if url.fragment().is_some() {
            return Err(UnsafeUrl::Fragment);
        }
        let host = url.host().filter(|_| !authority.is_empty()).ok_or(UnsafeUrl::HostName)?;
        if matches!(host, Host::Domain(name) if name.is_empty() || name.ends_with('.')) {
            return Err(UnsafeUrl::HostName);
        }
        let named = policy.names(&host);
        match url.scheme() {
            "https" => {}
            // A name may still lead to an allowed network, which only calling it can tell.
            "http" if named || matches!(host, Host::Domain(_)) && policy.has_networks() => {}
            _ => return Err(UnsafeUrl::Scheme),
        }
        // The port of the scheme is not seen as one here.
        if url.port().is_some_and(|port| port == 0 || (port < SYSTEM_PORTS && !named)) {
            return Err(UnsafeUrl::Port);
        }
        let target = Self(url);
        if target.is_refused(policy) {
            return Err(UnsafeUrl::Address);
        }
        Ok(target)
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Another URL below this one: the path is appended, the query stays behind.
    pub fn join(&self, path: &str, policy: &OutboundPolicy) -> Result<Self, UnsafeUrl> {
        let mut url = self.0.clone();
        url.set_query(None);
        let text = format!("{}{path}", url.as_str().trim_end_matches('/'));
        Self::parse(&text, policy)
    }

    /// The port that a connection goes to.
    pub(super) fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or_default()
    }

    /// The host's address, if it is given as one.
    pub(super) fn literal(&self) -> Option<std::net::IpAddr> {
        match self.0.host()? {
            Host::Ipv4(ip) => Some(ip.into()),
            Host::Ipv6(ip) => Some(ip.into()),
            Host::Domain(_) => None,
        }
    }

    fn is_refused(&self, policy: &OutboundPolicy) -> bool {
        if let Some(ip) = self.literal() {
            return policy.admit((ip, self.port()).into(), false).is_err();
        }
        let name = self.0.host_str().unwrap_or_default();
        let is_local = name == "localhost" || name.ends_with(".localhost");
        let local = std::net::IpAddr::from([127, 0, 0, 1]);
        let named = self.0.host().is_some_and(|host| policy.names(&host));
        is_local && policy.admit((local, self.port()).into(), named).is_err()
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.0.host_str().unwrap_or_default())
    }
}
