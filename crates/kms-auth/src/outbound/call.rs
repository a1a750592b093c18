//! Making a call.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use moka::sync::Cache;
use reqwest::{redirect, retry};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::{
    OutboundError, OutboundPolicy, Resolve, SystemResolver, Target, Trust, error::Reason,
    policy::is_private, resolve::Pinned, turns::Turns,
};

const USER_AGENT: &str = concat!("kms/", env!("CARGO_PKG_VERSION"));
/// HTTP clients kept for the hosts that were called last, each with its open connections.
const CLIENTS: u64 = 64;
/// How long a client is kept after it was used.
const CLIENT_IDLE: Duration = Duration::from_mins(1);

/// How much a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From its start to the last byte of its answer.
    pub total: Duration,
    /// Bytes of the answer's body.
    pub body: usize,
    /// Calls under way at the same time; more wait for their turn.
    pub calls: usize,
    /// The same for one host that a tenant can name.
    pub calls_to_host: usize,
    /// The same for one host of a vendor, which many tenants rely on and none can name.
    pub calls_to_vendor: usize,
    /// How long a call waits for its turn, which is part of `total`.
    pub wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(5),
            body: 1 << 20,
            calls: 64,
            calls_to_host: 8,
            calls_to_vendor: 32,
            wait: Duration::from_secs(1),
        }
    }
}

/// The way out of the server. Cheap to clone.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    policy: OutboundPolicy,
    resolver: Box<dyn Resolve>,
    limits: Limits,
    turns: Turns,
    clients: Cache<Key, reqwest::Client>,
}

/// A client reaches one host at these addresses and trusts these authorities.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    host: String,
    addresses: Vec<SocketAddr>,
    trust: Trust,
}

impl Outbound {
    /// Calls within a policy, with the operating system's resolver and [`Limits::default`].
    pub fn new(policy: OutboundPolicy) -> Self {
        Self::with(policy, SystemResolver, Limits::default())
    }

    /// Calls with another resolver and other limits.
    pub fn with(policy: OutboundPolicy, resolver: impl Resolve + 'static, limits: Limits) -> Self {
        let clients = Cache::builder().max_capacity(CLIENTS).time_to_idle(CLIENT_IDLE).build();
        let turns = Turns::new(limits.calls);
        Self(Arc::new(Inner { policy, resolver: Box::new(resolver), limits, turns, clients }))
    }

    /// What may be called, to judge a URL before it is configured ([`Target::parse`]).
    pub fn policy(&self) -> &OutboundPolicy {
        &self.0.policy
    }

    /// Sends a request and reads its answer, whatever its status. Redirects are answers.
    pub async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        trust: &Trust,
    ) -> Result<http::Response<Bytes>, OutboundError> {
        self.send_among(self.0.limits.calls_to_host, request, trust).await
    }

    /// The same for a host that no tenant can name.
    pub async fn send_to_vendor(
        &self,
        request: http::Request<Vec<u8>>,
        trust: &Trust,
    ) -> Result<http::Response<Bytes>, OutboundError> {
        self.send_among(self.0.limits.calls_to_vendor, request, trust).await
    }

    /// Sends a request when fewer than `most` to its host are under way.
    async fn send_among(
        &self,
        most: usize,
        request: http::Request<Vec<u8>>,
        trust: &Trust,
    ) -> Result<http::Response<Bytes>, OutboundError> {
        let Limits { total, wait, .. } = self.0.limits;
        let deadline = Instant::now() + total;
        let target = Target::parse(&request.uri().to_string(), &self.0.policy)
            .map_err(|error| OutboundError::from(Reason::from(error)))?;
        let host = target.url().host_str().unwrap_or_default();
        let Ok(Some(turn)) = timeout(wait, self.0.turns.take(host, most)).await else {
            return Err(Reason::Busy.into());
        };
        let mut private = false;
        let sent = self.exchange(request, &target, trust, &mut private);
        let answer = timeout_at(deadline, sent).await.unwrap_or(Err(Reason::TimedOut));
        drop(turn);
        if answer.is_err() && private {
            // In a private network a refused connection must not look different from one that
            // nobody answers.
            sleep_until(deadline).await;
        }
        answer.map_err(OutboundError::from)
    }

    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
        target: &Target,
        trust: &Trust,
        private: &mut bool,
    ) -> Result<http::Response<Bytes>, Reason> {
        let (parts, body) = request.into_parts();
        let addresses = self.addresses(target).await?;
        *private = addresses.iter().any(|address| is_private(address.ip()));
        let client = self.client(target, addresses, trust)?;
        let answer = client
            .request(parts.method, target.url().clone())
            .headers(parts.headers)
            .body(body)
            .send()
            .await
            .map_err(Reason::Transport)?;
        self.read(answer).await
    }

    /// Hosts that are called or waited for.
    #[cfg(test)]
    pub(super) fn hosts_called(&self) -> usize {
        self.0.turns.remembered()
    }

    /// The addresses of the target; a single one that may not be called refuses them all.
    pub(super) async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, Reason> {
        let policy = &self.0.policy;
        let host = target.url().host().ok_or(Reason::NoAddress(None))?;
        let named = policy.names(&host);
        let found: Vec<IpAddr> = match (target.literal(), host) {
            (Some(ip), _) => vec![ip],
            (None, host) => {
                let name = host.to_string();
                let found = self.0.resolver.resolve(&name).await;
                found.map_err(|error| Reason::NoAddress(Some(error)))?
            }
        };
        let mut addresses: Vec<SocketAddr> =
            found.into_iter().map(|ip| (ip, target.port()).into()).collect();
        if addresses.is_empty() {
            return Err(Reason::NoAddress(None));
        }
        for address in &addresses {
            policy.admit(*address, named)?;
        }
        if target.url().scheme() != "https" && !named && !policy.hold_all(&addresses) {
            return Err(Reason::Unencrypted);
        }
        addresses.sort_unstable();
        addresses.dedup();
        Ok(addresses)
    }

    /// A client that connects to these addresses and no other.
    fn client(
        &self,
        target: &Target,
        addresses: Vec<SocketAddr>,
        trust: &Trust,
    ) -> Result<reqwest::Client, Reason> {
        let host = target.url().host_str().unwrap_or_default().to_owned();
        let key = Key { host, addresses, trust: trust.clone() };
        if let Some(client) = self.0.clients.get(&key) {
            return Ok(client);
        }
        let config = trust.config().map_err(|error| Reason::Setup(error.into()))?;
        let pinned = Pinned { host: key.host.clone(), addresses: key.addresses.clone() };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .dns_resolver(pinned)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .user_agent(USER_AGENT)
            .timeout(self.0.limits.total)
            .build()
            .map_err(|error| Reason::Setup(error.into()))?;
        self.0.clients.insert(key, client.clone());
        Ok(client)
    }

    async fn read(&self, mut answer: reqwest::Response) -> Result<http::Response<Bytes>, Reason> {
        let most = self.0.limits.body;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(Reason::Transport)? {
            if body.len() + chunk.len() > most {
                return Err(Reason::TooLong(most));
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = http::Response::new(body.freeze());
        *whole.status_mut() = status;
        *whole.headers_mut() = headers;
        Ok(whole)
    }
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("policy", &self.0.policy).finish_non_exhaustive()
    }
}
