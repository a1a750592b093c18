//! A server of its own for every test.

use std::{net::SocketAddr, sync::Arc};

use http::Method;
use kms_api::Timestamp;
use kms_core::{
    Core, LocalRootKey, ManualClock, Options, SeededEntropy,
    mail::Mailer,
    outbound::{Allow, Outbound, OutboundPolicy},
};
use kms_server::{AppState, RateLimits, Running, Service, Settings, route::Route};
use tokio::net::TcpListener;

use crate::{Request, Tenant, database::Database};

/// Monday, 5 January 2026, 09:00 UTC.
const NOW: i64 = 1_767_603_600;

/// What a test may decide about its server.
pub struct Setup {
    /// The settings of the HTTP skin; no rate limits unless set.
    pub settings: Settings,
    /// The seed of all randomness.
    pub seed: u64,
    /// Other routes than the API's.
    pub routes: Option<Vec<Route>>,
    /// Where its mail goes; it sends none unless set.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// What it may call beside the public internet.
    pub outbound_allow: Vec<Allow>,
}

impl Default for Setup {
    fn default() -> Self {
        let settings = Settings { rate_limits: RateLimits::OFF, ..Settings::default() };
        Self { settings, seed: 1, routes: None, mailer: None, outbound_allow: Vec::new() }
    }
}

/// A server that answers, with nothing in it.
pub struct TestServer {
    running: Running,
    database: Database,
    root: Arc<LocalRootKey>,
    listens_at: SocketAddr,
    /// The server's clock; it moves only when told to.
    pub clock: Arc<ManualClock>,
}

impl TestServer {
    /// Starts a server as most tests want it.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// Starts a server.
    pub async fn with(setup: Setup) -> Self {
        let Setup { mut settings, seed, routes, mailer, outbound_allow } = setup;
        let database = Database::create().await;
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(NOW)));
        let entropy = Arc::new(SeededEntropy::new(seed));
        let root = Arc::new(LocalRootKey::generate(&*entropy));
        let mut options = Options { clock: clock.clone(), entropy, ..Options::default() };
        options.mailer = mailer.unwrap_or(options.mailer);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listens_at = listener.local_addr().unwrap();
        let own_listeners = vec![listens_at];
        options.outbound = Outbound::new(OutboundPolicy { allow: outbound_allow, own_listeners });
        let core = Core::open(database.open().await, root.clone(), options).await.unwrap();
        if settings.public_url.is_empty() {
            settings.public_url = format!("http://{}", listener.local_addr().unwrap());
        }
        let app = AppState::new(core, settings);
        let service = match routes {
            Some(routes) => Service::of(routes, app),
            None => Service::new(app),
        };
        let running = Running::serve_with(service, vec![listener], None);
        Self { running, database, root, listens_at, clock }
    }

    /// Another server on the same database, where that takes several.
    pub async fn replica(&self) -> Option<Service> {
        if !self.database.is_shared() {
            return None;
        }
        let entropy = Arc::new(SeededEntropy::new(2));
        let options = Options { clock: self.clock.clone(), entropy, ..Options::default() };
        let store = self.database.open().await;
        let core = Core::open(store, self.root.clone(), options).await.unwrap();
        let settings = Settings { rate_limits: RateLimits::OFF, ..Settings::default() };
        Some(Service::new(AppState::new(core, settings)))
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        self.running.url()
    }

    /// The address that it listens on.
    pub fn listens_at(&self) -> SocketAddr {
        self.listens_at
    }

    /// What it serves.
    pub fn core(&self) -> &Core {
        self.running.core()
    }

    /// A request of any method.
    pub fn call(&self, method: Method, path: &str) -> Request {
        Request::new(self.running.service().clone(), method, path)
    }

    /// A `GET`.
    pub fn get(&self, path: &str) -> Request {
        self.call(Method::GET, path)
    }

    /// A `POST`.
    pub fn post(&self, path: &str) -> Request {
        self.call(Method::POST, path)
    }

    /// Sets it up for development and logs its machine in.
    pub async fn seed(&self) -> Tenant {
        Tenant::of(self, self.core().dev_seed(self.url()).await.unwrap()).await
    }

    /// Adds another organization and logs its machine in.
    pub async fn seed_another(&self, name: &str) -> Tenant {
        Tenant::of(self, self.core().dev_seed_another(name, self.url()).await.unwrap()).await
    }

    /// Stops it, as an operator would, and removes its data.
    pub async fn stop(self) {
        self.running.stop().await;
        self.database.remove().await;
    }
}
