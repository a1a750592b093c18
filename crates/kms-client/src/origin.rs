//! Where the server is: parsed once, then the only address that a token is sent to.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

use url::{Host, Url};

use crate::Error;

/// The address of a KMS server: scheme, host, port and, behind some proxies, a path in front of
/// `/api`. It never ends in `/` or `/api` and holds no credentials, query or fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin {
    url: Arc<Url>,
}

impl Origin {
    /// The address of the hosted service in the United States, which is the default.
    pub const US_CLOUD: &'static str = "https://kms.hanzo.ai";

    /// The address of the hosted service in the European Union.
    pub const EU_CLOUD: &'static str = "https://eu.kms.hanzo.ai";

    /// Whether it is a hosted service, not a server of one's own.
    pub fn is_cloud(&self) -> bool {
        [Self::US_CLOUD, Self::EU_CLOUD].contains(&self.to_string().as_str())
    }

    /// Whether requests to it are encrypted.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it names this machine, so that nothing leaves it.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name.eq_ignore_ascii_case("localhost")
                    || name.to_ascii_lowercase().ends_with(".localhost")
            }
            Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
            None => false,
        }
    }

    /// Whether both are one server: the same address, or two of the names that this machine has
    /// for itself (`localhost`, `127.0.0.1`, `[::1]`) with one scheme, port and path.
    pub fn is_same_server(&self, other: &Self) -> bool {
        let place = |origin: &Self| {
            let url = &origin.url;
            let path = url.path().trim_end_matches('/').to_owned();
            (url.scheme().to_owned(), url.port_or_known_default(), path)
        };
        self == other
            || (self.is_this_machine() && other.is_this_machine() && place(self) == place(other))
    }

    fn is_this_machine(&self) -> bool {
        matches!(self.url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
    }

    /// Host and, where it is not the scheme's own, port.
    pub fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The name or address of its machine, without brackets.
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']').to_owned()
    }

    /// Its port, which may be the scheme's own.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// What a browser says in `Origin` on a page of this server (RFC 6454): without the path.
    pub fn web_origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The full address of an API path, which starts with `/api`.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }
}

impl FromStr for Origin {
    type Err = Error;

    /// Reads an address with or without `/api` and slashes at its end.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::InvalidOrigin { reason };
        let mut url =
            Url::parse(text.trim()).map_err(|_| invalid("it is not a URL such as https://host"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("it must start with https:// or http://"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("it names no host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("it must not contain credentials"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it must end after the host or its path"));
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/api").unwrap_or(path);
        let path = path.trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self { url: Arc::new(url) })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> String {
        text.parse::<Origin>().unwrap().to_string()
    }

    #[test]
    fn every_spelling_of_a_domain_is_one_origin() {
        for text in [
            "https://kms.example.com",
            "https://kms.example.com/",
            "https://kms.example.com/api",
            "https://kms.example.com/api/",
            " https://KMS.example.com:443/api// ",
        ] {
            assert_eq!(origin(text), "https://kms.example.com", "{text}");
        }
        assert_eq!(origin("https://example.com/kms/api/"), "https://example.com/kms");
        assert_eq!(origin("http://[::1]:8080/api"), "http://[::1]:8080");
    }

    #[test]
    fn what_is_not_an_address_is_refused_without_repeating_it() {
        for text in [
            "",
            "kms.example.com",
            "localhost:8080",
            "ftp://example.com",
            "https://user:canary@example.com",
            "https://example.com/?canary=1",
            "https://example.com/#canary",
        ] {
            let error = text.parse::<Origin>().unwrap_err().to_string();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn the_names_of_this_machine_are_one_server_per_port() {
        let same = |a: &str, b: &str| {
            a.parse::<Origin>().unwrap().is_same_server(&b.parse::<Origin>().unwrap())
        };
        assert!(same("http://localhost:8080/api", "http://127.0.0.1:8080"));
        assert!(same("http://[::1]:8080", "http://localhost:8080"));
        for other in [
            "http://localhost:8081",
            "https://localhost:8080",
            "http://localhost:8080/kms",
            "http://127.0.0.2:8080",
            "http://localhost.example:8080",
        ] {
            assert!(!same("http://localhost:8080", other), "{other}");
        }
    }

    #[test]
    fn l9_only_this_machine_is_loopback() {
        let loopback = |text: &str| text.parse::<Origin>().unwrap().is_loopback();
        for text in [
            "http://localhost:1",
            "http://LOCALHOST.",
            "http://kms.localhost",
            "http://127.0.0.1",
            "http://127.9.9.9",
            "http://[::1]:8080",
        ] {
            assert!(loopback(text), "{text}");
        }
        for text in [
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0",
            "http://10.0.0.1",
            "http://notlocalhost",
        ] {
            assert!(!loopback(text), "{text}");
        }
    }
}
