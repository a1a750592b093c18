//! A server of its own for every test.

use std::{net::SocketAddr, sync::Arc};

use http::Method;
use kms_api::Timestamp;
use kms_core::{
    Core, LocalRootKey, ManualClock, Options, SeededEntropy,
    mail::Mailer,
    outbound::{Allow, Endpoints, Outbound, OutboundPolicy},
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
    /// Where the vendors are that vouch for machines.
    pub endpoints: Endpoints,
}

impl Setup {
    /// A server that may call what is on this machine, except itself.
    pub fn calling_loopback() -> Self {
        let outbound_allow = vec!["127.0.0.0/8".parse().unwrap()];
        Self { outbound_allow, ..Self::default() }
    }
}

impl Default for Setup {
    fn default() -> Self {
        let settings = Settings { rate_limits: RateLimits::OFF, ..Settings::default() };
        Self {
            settings,
            seed: 1,
            routes: None,
            mailer: None,
            outbound_allow: Vec::new(),
            endpoints: Endpoints::default(),
        }
    }
}

/// A server that answers, with nothing in it.
pub struct TestServer {
    running: Running,
    ground: Arc<Ground>,
    listens_at: SocketAddr,
    /// The server's clock; it moves only when told to.
    pub clock: Arc<ManualClock>,
}

/// What servers on one database share.
struct Ground {
    database: Database,
    root: Arc<LocalRootKey>,
    options: Options,
    settings: Settings,
    outbound_allow: Vec<Allow>,
    clock: Arc<ManualClock>,
    seed: u64,
}

impl TestServer {
    /// Starts a server as most tests want it.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// Starts a server.
    pub async fn with(setup: Setup) -> Self {
        let Setup { settings, seed, routes, mailer, outbound_allow, endpoints } = setup;
        let database = Database::create().await;
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(NOW)));
        let entropy = Arc::new(SeededEntropy::new(seed));
        let root = Arc::new(LocalRootKey::generate(&*entropy));
        let mut options = Options { clock: clock.clone(), endpoints, ..Options::default() };
        options.mailer = mailer.unwrap_or(options.mailer);
        let ground = Ground { database, root, options, settings, outbound_allow, clock, seed };
        Self::on(Arc::new(ground), entropy, routes).await
    }

    /// Starts another server on the same database, with randomness of its own; nothing where the
    /// database is one server's alone.
    pub async fn beside(&self) -> Option<Self> {
        if self.ground.database.is_embedded() {
            return None;
        }
        let entropy = Arc::new(SeededEntropy::new(self.ground.seed + 1_000));
        Some(Self::on(Arc::clone(&self.ground), entropy, None).await)
    }

    async fn on(
        ground: Arc<Ground>,
        entropy: Arc<SeededEntropy>,
        routes: Option<Vec<Route>>,
    ) -> Self {
        let (mut options, mut settings) = (ground.options.clone(), ground.settings.clone());
        options.entropy = entropy;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listens_at = listener.local_addr().unwrap();
        let (allow, own_listeners) = (ground.outbound_allow.clone(), vec![listens_at]);
        options.outbound = Outbound::new(OutboundPolicy { allow, own_listeners });
        let store = ground.database.open().await;
        let core = Core::open(store, ground.root.clone(), options).await.unwrap();
        if settings.public_url.is_empty() {
            settings.public_url = format!("http://{listens_at}");
        }
        let app = AppState::new(core, settings);
        let service = match routes {
            Some(routes) => Service::of(routes, app),
            None => Service::new(app),
        };
        let running = Running::serve_with(service, vec![listener], None);
        let clock = Arc::clone(&ground.clock);
        Self { running, ground, listens_at, clock }
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

    /// Stops it, as an operator would; the last one on its database removes the data.
    pub async fn stop(self) {
        self.running.stop().await;
        if let Some(ground) = Arc::into_inner(self.ground) {
            ground.database.remove().await;
        }
    }
}
