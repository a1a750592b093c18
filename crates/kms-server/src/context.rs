//! What is known about a request besides the request itself.

use std::sync::{Arc, OnceLock};

use kms_core::{Caller, Error, Origin};

use crate::{
    AppState,
    address::ClientAddress,
    limits::{Allowance, Key, Limited},
    route::RouteInfo,
};

/// Travels with a request as an extension; the pipeline reads it again when the answer is there.
pub(crate) struct Context {
    /// Names the request in the answer and in the log.
    pub(crate) id: String,
    /// The client's address.
    pub(crate) address: ClientAddress,
    /// Where the request came from, as the product wants to know it.
    pub(crate) origin: Origin,
    /// The route, once there is one.
    pub(crate) route: OnceLock<RouteInfo>,
    /// Who is asking, once that is known.
    pub(crate) caller: OnceLock<Caller>,
    /// What the caller has left.
    pub(crate) allowance: OnceLock<Allowance>,
}

/// How a [`Context`] is kept among the extensions of a request.
pub(crate) type SharedContext = Arc<Context>;

impl Context {
    pub(crate) fn new(id: String, address: ClientAddress, user_agent: Option<Arc<str>>) -> Self {
        Self {
            id,
            address,
            origin: Origin { ip: address.ip, user_agent },
            route: OnceLock::new(),
            caller: OnceLock::new(),
            allowance: OnceLock::new(),
        }
    }

    /// Counts the request towards the limit of its route.
    pub(crate) fn count(&self, app: &AppState, key: &Key) -> Result<(), Error> {
        let Some(route) = self.route.get() else { return Ok(()) };
        let (allowance, counted) = match app.limiter.count(route.class, key) {
            Ok(allowance) => (allowance, Ok(())),
            Err(Limited { allowance, error }) => (Some(allowance), Err(error)),
        };
        if let Some(allowance) = allowance {
            // The first count is told: a request is counted once, or refused at the second.
            let _ = self.allowance.set(allowance);
        }
        counted
    }

    /// Counts the request for its address.
    pub(crate) fn count_address(&self, app: &AppState) -> Result<(), Error> {
        self.count(app, &Key::Address(self.address.group()))
    }
}
