//! Changes, told while they happen: server-sent events (HTML standard, 9.2).

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderName},
};
use kms_api::{events, routes as paths, secrets::ListSecretsQuery};
use kms_core::{
    Caller,
    secrets::{Told, Watch},
};
use secrecy::ExposeSecret as _;

use crate::{
    ApiError, AppState,
    extract::{Query, TokenText},
    route::{Describe, Operation, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get(paths::SECRET_EVENTS, watch, "Tells when the secrets of a folder change")]
}

async fn watch(
    caller: Caller,
    TokenText(bearer): TokenText,
    State(app): State<AppState>,
    Query(query): Query<ListSecretsQuery>,
) -> Result<Events, ApiError> {
    Ok(Events(app.core.watch_secrets(&caller, bearer.expose_secret(), &query).await?))
}

/// An answer that goes on for as long as both sides want it to.
struct Events(Watch);

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        let told = stream::unfold(Next::Ready(self.0), |next| async move {
            let (text, watch) = match next {
                Next::Ready(watch) => (events::READY, watch),
                Next::Wait(mut watch) => match watch.next().await? {
                    Told::Changed => (events::CHANGED, watch),
                    Told::Quiet => (events::QUIET, watch),
                },
            };
            Some((Ok::<_, Infallible>(Bytes::from_static(text.as_bytes())), Next::Wait(watch)))
        });
        let headers = [
            (CONTENT_TYPE, events::MEDIA_TYPE),
            // Proxies of the nginx kind would collect what has to arrive at once.
            (HeaderName::from_static("x-accel-buffering"), "no"),
        ];
        (StatusCode::OK, headers, Body::from_stream(told)).into_response()
    }
}

impl Describe for Events {
    fn describe(operation: &mut Operation) {
        operation.streams(events::MEDIA_TYPE);
    }
}

/// What is said next.
enum Next {
    Ready(Watch),
    Wait(Watch),
}
