//! Answers that are no success: recorded, logged and written in one place.

use std::{error::Error as StdError, sync::Arc};

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
};
use kms_core::audit::Event;

use super::request::Asked;
use crate::{
    ApiError, AppState,
    answer::JSON,
    context::{Context, SharedContext},
    error::Failure,
    pages,
};

/// Records that somebody we know was refused. Without the record there is no such answer.
pub(super) async fn record_refusal(
    response: &mut Response,
    app: &AppState,
    context: &SharedContext,
) {
    let failure = response.extensions().get::<Failure>();
    let (Some(Failure(error)), Some(caller)) = (failure, context.caller.get()) else { return };
    if error.status() != StatusCode::FORBIDDEN {
        return;
    }
    let route = context.route.get().map_or("", |route| route.path);
    let event = Event::new("access-denied")
        .details([("route", route.into()), ("reason", error.to_string().into())]);
    if let Err(failed) = app.core.log_now(app.core.record(caller, &event)).await {
        *response = ApiError::from(failed).into_response();
    }
}

/// Writes a failure, as a page where a browser asked for one, and logs it where it is ours.
pub(super) fn write(response: &mut Response, context: &Context, asked: &Asked) {
    let Some(Failure(error)) = response.extensions_mut().remove() else { return };
    log(&error, context);
    let is_page = context.route.get().map_or(asked.wants_page, |route| route.is_page);
    match is_page.then(|| pages::failure(&error, &context.id, &asked.address)) {
        Some(Ok(page)) => *response = page.into_response(),
        // Templates do not fail; if one does, the answer is that of the API.
        Some(Err(_)) | None => write_body(response, &error, context, asked),
    }
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}

fn write_body(response: &mut Response, error: &ApiError, context: &Context, asked: &Asked) {
    let body = error.body(&context.id, asked.method.as_str(), &asked.path);
    *response.body_mut() = Body::from(serde_json::to_vec(&body).unwrap_or_default());
    response.headers_mut().remove(CONTENT_LENGTH);
    // A path of ours answers a wrong method like a path that is none.
    response.headers_mut().remove(ALLOW);
    response.headers_mut().insert(CONTENT_TYPE, JSON);
}

fn log(error: &Arc<ApiError>, context: &Context) {
    if !error.status().is_server_error() {
        tracing::debug!(http.status = error.status().as_u16(), "{error}");
        return;
    }
    let mut causes = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        causes = format!("{causes}: {cause}");
        source = cause.source();
    }
    tracing::error!(request.id = context.id, error = causes, "a request failed");
}
