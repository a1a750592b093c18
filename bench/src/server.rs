//! A server process to be measured: the real pipeline with the real routes, and beside them
//! routes that do only one part of the work, to divide by.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use kms_core::{
    Core, Options,
    opening::{LocalRootKey, OsEntropy, Store},
    outbound::{Outbound, OutboundPolicy},
};
use kms_server::{
    ApiError, AppState, RateLimits, Running, Service, Settings,
    extract::Body,
    route::{Describe, Operation, Route},
};
use kms_store::folders::Place;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::Outcome;

/// What the measuring process needs to know.
#[derive(Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) address: SocketAddr,
    pub(crate) project: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) identity: String,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) organization: String,
}

/// Secrets in the listing that is measured.
pub(crate) const LISTED: usize = 20;

static STORE: OnceLock<Store> = OnceLock::new();
static BODY: OnceLock<Bytes> = OnceLock::new();
static PROJECT: OnceLock<(kms_api::OrganizationId, kms_api::ProjectId)> = OnceLock::new();

/// Serves until its standard input ends.
pub(crate) async fn run(engine: &str, memory: &str) -> Outcome {
    let directory = tempfile::tempdir()?;
    let store = match engine {
        "embedded" => Store::open_embedded(directory.path()).await?,
        url => Store::connect(url, 20).await?,
    };
    // Those who vouch for machines are on this machine.
    let policy = OutboundPolicy { allow: vec!["127.0.0.1".parse()?], own_listeners: Vec::new() };
    let options = Options {
        outbound: Outbound::new(policy),
        memory_budget: if memory == "warm" { Options::default().memory_budget } else { 0 },
        ..Options::default()
    };
    let root = Arc::new(LocalRootKey::generate(&OsEntropy));
    let core = Core::open(store.clone(), root, options).await?;
    let seed = serde_json::to_value(core.dev_seed("http://localhost").await?)?;
    let text =
        |path: &str| seed.pointer(path).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    let ids = (text("/organization/id").parse()?, text("/project/id").parse()?);
    let (Ok(()), Ok(())) = (STORE.set(store).map_err(drop), PROJECT.set(ids)) else {
        return Err("started twice".into());
    };
    let settings = Settings { rate_limits: RateLimits::OFF, ..Settings::default() };
    let mut routes = kms_server::routes();
    routes.extend([
        Route::post("/bench/nothing", fill, "Sets how many bytes are answered"),
        Route::get("/bench/nothing", nothing, "Answers as many bytes and does nothing"),
        Route::get("/bench/rows", rows, "Reads the same rows and does nothing with them"),
        Route::post("/bench/insert", insert, "Inserts one row durably"),
    ]);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let facts = Facts {
        address: listener.local_addr()?,
        project: text("/project/id"),
        client_id: text("/machineIdentity/clientId"),
        client_secret: text("/machineIdentity/clientSecret"),
        identity: text("/machineIdentity/id"),
        email: text("/user/email"),
        password: text("/user/password"),
        organization: text("/organization/id"),
    };
    let service = Service::of(routes, AppState::new(core, settings));
    let running = Running::serve_with(service, vec![listener], None);
    println!("{}", serde_json::to_string(&facts)?);
    let ended = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    tokio::task::spawn_blocking(ended).await??;
    running.stop().await;
    Ok(())
}

/// Bytes that were set by whoever measures: those of the real listing.
struct Raw(Bytes);

impl IntoResponse for Raw {
    fn into_response(self) -> Response {
        let headers = [("content-type", "application/json; charset=utf-8"), ("etag", "\"bench\"")];
        (headers, self.0).into_response()
    }
}

impl Describe for Raw {
    fn describe(_: &mut Operation) {}
}

#[derive(Deserialize, utoipa::ToSchema)]
struct Fill {
    bytes: usize,
}

/// Sets how many bytes the do-nothing routes answer: as many as the listing has.
async fn fill(State(_): State<AppState>, Body(fill): Body<Fill>) -> Result<Raw, ApiError> {
    let body = BODY.get_or_init(|| Bytes::from(vec![b' '; fill.bytes]));
    Ok(Raw(body.clone()))
}

async fn nothing(State(_): State<AppState>) -> Result<Raw, ApiError> {
    Ok(Raw(BODY.get().cloned().unwrap_or_default()))
}

async fn rows(State(_): State<AppState>) -> Result<Raw, ApiError> {
    if let (Some(store), Some((org, project))) = (STORE.get(), PROJECT.get()) {
        let place = Place { org: *org, project: *project, environment: "dev", path: "/" };
        let rows = kms_store::secrets::list(store, &place, false).await;
        std::hint::black_box(rows.map_err(kms_core::Error::from)?);
    }
    Ok(Raw(BODY.get().cloned().unwrap_or_default()))
}

async fn insert(State(_): State<AppState>) -> Result<Raw, ApiError> {
    const INSERT: &str = "INSERT INTO token_uses (token_id, org_id, remaining, expires_at)
        VALUES ($1, $2, 1, 0)";
    if let Some(store) = STORE.get() {
        let mut tx = store.begin().await.map_err(kms_core::Error::from)?;
        tx.execute(INSERT, (Uuid::now_v7(), Uuid::nil())).await.map_err(kms_core::Error::from)?;
        tx.commit().await.map_err(kms_core::Error::from)?;
    }
    Ok(Raw(Bytes::from_static(b"{}")))
}
