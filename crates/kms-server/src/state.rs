//! What every handler is given, and the settings of the HTTP skin.

use std::{ops::Deref, sync::Arc};

use ipnet::IpNet;
use kms_core::Core;

use crate::limits::{Limiter, RateLimits};

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
}

impl AppState {
    /// Puts the product and its settings together.
    pub fn new(core: Core, settings: Settings) -> Self {
        let limiter = Limiter::new(settings.rate_limits);
        Self { core, shared: Arc::new(Shared { settings, limiter }) }
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}
