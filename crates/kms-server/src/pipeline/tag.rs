//! `ETag` and `If-None-Match`, by which agents notice that secrets changed (wire contract, 3.10).

use axum::{
    body::{Body, HttpBody as _},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{
    HeaderValue, Method, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG},
};
use http_body_util::BodyExt as _;

use super::request::Asked;
use crate::AppState;

/// Tags a success of a read, and leaves out its body where the client has it already.
pub(super) async fn compare(response: &mut Response, app: &AppState, asked: &Asked) {
    let reads = asked.method == Method::GET || asked.method == Method::HEAD;
    if !reads || response.status() != StatusCode::OK {
        return;
    }
    // Our own answers are complete in memory; collecting one neither waits nor copies.
    let body = std::mem::take(response.body_mut());
    if body.size_hint().exact().is_none() {
        *response.body_mut() = body;
        return;
    }
    let Ok(body) = body.collect().await else { return };
    let body = body.to_bytes();
    let tag = format!("\"{}\"", STANDARD.encode(app.core.content_tag(&body)));
    let known = asked.if_none_match.as_ref().is_some_and(|known| matches(known, &tag));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
    } else {
        *response.body_mut() = Body::from(body);
    }
}

/// Whether one of the client's tags is this one; proxies may have marked it as weak.
fn matches(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else { return false };
    known
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
