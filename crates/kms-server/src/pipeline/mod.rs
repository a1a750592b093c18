//! What happens to every request around its handler. [`Service::answer`] reads as the list.

mod failure;
mod headers;
mod request;
mod tag;

use std::{
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use http::Method;
use kms_core::Error;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use tracing::Instrument as _;

use crate::{ApiError, AppState, context::SharedContext, metrics, route};

/// Requests that are worked on at one time.
const AT_ONCE: u32 = 1_024;

/// The whole API as one function from request to answer. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

struct Shared {
    app: AppState,
    router: Router,
    at_once: Arc<Semaphore>,
    id_prefix: u32,
    requests: AtomicU64,
}

impl Service {
    /// The API over an instance.
    pub fn new(app: AppState) -> Self {
        let mut routes = crate::routes();
        routes.extend(crate::pages());
        Self::of(routes, app)
    }

    /// The same pipeline around other routes, to measure what the pipeline itself costs.
    pub fn of(routes: Vec<route::Route>, app: AppState) -> Self {
        let shared = Shared {
            router: route::router(routes, app.clone()),
            app,
            at_once: Arc::new(Semaphore::new(AT_ONCE as usize)),
            id_prefix: uuid::Uuid::new_v4().as_fields().0,
            requests: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Answers one request; never fails.
    pub async fn answer(&self, request: Request, peer: SocketAddr) -> Response {
        let started = Instant::now();
        let context = self.context(&request, peer);
        let asked = request::Asked::of(&request);
        let span = tracing::info_span!(
            "http.request",
            request.id = %context.id,
            http.method = %asked.method,
            http.route = tracing::field::Empty,
        );
        let app = &self.shared.app;
        let answer = async {
            let mut response = self.dispatch(request, &context).await;
            failure::record_refusal(&mut response, app, &context).await;
            failure::write(&mut response, &context, &asked);
            tag::compare(&mut response, app, &asked).await;
            headers::complete(&mut response, app, &context);
            response
        };
        let response = answer.instrument(span).await;
        if app.settings.metrics {
            metrics::count(&asked.method, context.route.get(), response.status(), started);
        }
        response
    }

    /// Waits until no request is worked on any more, of those that came before.
    pub async fn finished(&self) {
        // Fails only when the semaphore is closed, which nobody does.
        let _ = self.shared.at_once.acquire_many(AT_ONCE).await;
    }

    /// The product behind it.
    pub fn app(&self) -> &AppState {
        &self.shared.app
    }

    fn context(&self, request: &Request, peer: SocketAddr) -> SharedContext {
        let count = self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let id = format!("req-{:08x}{count:08x}", self.shared.id_prefix);
        request::context(id, request, peer, &self.shared.app.settings)
    }

    async fn dispatch(&self, request: Request, context: &SharedContext) -> Response {
        let Ok(permit) = Arc::clone(&self.shared.at_once).try_acquire_owned() else {
            return ApiError::Busy.into_response();
        };
        let request = match request::prepare(request, context) {
            Ok(request) => request,
            Err(error) => return error.into_response(),
        };
        let changes = request.method() != Method::GET;
        let router = self.shared.router.clone();
        let handled = async move {
            let _permit = permit;
            router.oneshot(request).await
        };
        if changes {
            // Of its own, so that a client who goes away cannot stop a change half-way.
            let handled = tokio::spawn(handled.instrument(tracing::Span::current()));
            match handled.await {
                Ok(Ok(response)) => response,
                Err(_) => panicked(),
            }
        } else {
            match AssertUnwindSafe(handled).catch_unwind().await {
                Ok(Ok(response)) => response,
                Err(_) => panicked(),
            }
        }
    }
}

/// The panic itself is logged by the process's hook, without its payload.
fn panicked() -> Response {
    ApiError::from(Error::Internal("a handler panicked".into())).into_response()
}
