//! What happens to every request around its handler, in this order.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use tower::ServiceExt as _;

use crate::{
    AppState,
    answer::JSON,
    context::{Context, SharedContext},
    error::Failure,
    route,
};

/// The whole API as one function from request to answer. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    router: Router,
}

impl Service {
    /// The API over an instance.
    pub fn new(app: AppState) -> Self {
        Self { router: route::router(crate::routes(), app) }
    }

    /// Answers one request; never fails.
    pub async fn answer(&self, mut request: Request) -> Response {
        let context: SharedContext = Arc::new(Context::default());
        request.extensions_mut().insert(Arc::clone(&context));
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let Ok(mut response) = self.router.clone().oneshot(request).await;
        if let Some(Failure(error)) = response.extensions_mut().remove() {
            let body = error.body(&context.id, method.as_str(), &path);
            let body = serde_json::to_vec(&body).unwrap_or_default();
            let retry_after = error.retry_after();
            response = (error.status(), body).into_response();
            response.headers_mut().insert(CONTENT_TYPE, JSON);
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
        response
    }
}
