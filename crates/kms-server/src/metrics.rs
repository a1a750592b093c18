//! Counters and timings for Prometheus, served on a listener of their own.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{Method, StatusCode, header::CONTENT_TYPE};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

use crate::{route::RouteInfo, serve::Answer};

/// How often old samples are put together.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Upper ends of the buckets of a request's time, in seconds.
const SECONDS: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Starts counting in this process.
pub(crate) fn install() -> Result<Page, BuildError> {
    let recorder = PrometheusBuilder::new().set_buckets(&SECONDS)?.build_recorder();
    let handle = recorder.handle();
    // A second server in one process counts with the first.
    let _ = metrics::set_global_recorder(recorder);
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP_EVERY).await;
            upkeep.run_upkeep();
        }
    });
    Ok(Page(handle))
}

/// Counts and times one request.
pub(crate) fn count(
    method: &Method,
    route: Option<&RouteInfo>,
    status: StatusCode,
    started: Instant,
) {
    let method = match method.as_str() {
        method @ ("GET" | "HEAD" | "POST" | "PATCH" | "DELETE") => method.to_owned(),
        // What a client makes up must not make new time series.
        _ => "other".to_owned(),
    };
    let route = route.map_or("none", |route| route.path);
    let status = status.as_str().to_owned();
    let seconds = started.elapsed().as_secs_f64();
    metrics::counter!(
        "kms_http_requests_total", "method" => method.clone(), "route" => route, "status" => status
    )
    .increment(1);
    metrics::histogram!("kms_http_request_seconds", "method" => method, "route" => route)
        .record(seconds);
}

/// Answers every request with the page that Prometheus reads.
#[derive(Clone)]
pub(crate) struct Page(PrometheusHandle);

impl Answer for Page {
    async fn answer(&self, _: Request, _: SocketAddr) -> Response {
        ([(CONTENT_TYPE, "text/plain; version=0.0.4")], self.0.render()).into_response()
    }
}
