//! What every handler is given, and the settings of the HTTP skin.

use std::{ops::Deref, sync::Arc};

use ipnet::IpNet;
use kms_core::Core;

use crate::limits::{Limiter, RateLimits};

/// The names of this machine, as they stand in URLs.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The settings of the HTTP skin.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where people and machines find us, without a final slash; `https://` adds HSTS.
    pub public_url: String,
    /// Whose forwarding headers count.
    pub trusted_proxies: Vec<IpNet>,
    /// How often.
    pub rate_limits: RateLimits,
    /// Whether requests are counted and timed.
    pub metrics: bool,
    /// Whether the login page keeps sessions from programs of the compatible kind.
    pub no_hand_over: bool,
}

/// The product and the settings of its HTTP skin. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The product.
    pub core: Core,
    shared: Arc<Shared>,
}

/// What [`AppState`] shares.
pub struct Shared {
    /// The settings.
    pub settings: Settings,
    pub(crate) limiter: Limiter,
    /// Every origin that the server is reached at.
    pub(crate) origins: Vec<String>,
}

impl AppState {
    /// Puts the product and its settings together.
    pub fn new(core: Core, settings: Settings) -> Self {
        let limiter = Limiter::new(settings.rate_limits);
        let origins = origins(&settings.public_url);
        Self { core, shared: Arc::new(Shared { settings, limiter, origins }) }
    }
}

/// The origins that stand for a public URL: on this machine its three names are one.
fn origins(public_url: &str) -> Vec<String> {
    let local = LOOPBACK.iter().find_map(|name| {
        let (scheme, rest) = public_url.split_once("://")?;
        let port = rest.strip_prefix(name)?;
        let ends = port.is_empty() || port.starts_with(':');
        ends.then(|| LOOPBACK.map(|name| format!("{scheme}://{name}{port}")).to_vec())
    });
    local.unwrap_or_else(|| vec![public_url.to_owned()])
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_one_origin() {
        assert_eq!(origins("https://kms.example.com"), ["https://kms.example.com"]);
        assert_eq!(origins("http://localhost.example.com"), ["http://localhost.example.com"]);
        let names = ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"];
        for name in names {
            assert_eq!(origins(name), names);
        }
    }
}
