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
    // An answer that the product has finished brings its own tag; no byte is hashed twice.
    let tag = match response.headers().get(ETAG) {
        Some(tag) => tag.clone(),
        None => match tag_of(response, app).await {
            Some(tag) => tag,
            None => return,
        },
    };
    if asked.if_none_match.as_ref().is_some_and(|known| matches(known, &tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response.headers_mut().insert(ETAG, tag);
}

async fn tag_of(response: &mut Response, app: &AppState) -> Option<HeaderValue> {
    // Our own answers are complete in memory; collecting one neither waits nor copies.
    response.body().size_hint().exact()?;
    let body = std::mem::take(response.body_mut()).collect().await.ok()?.to_bytes();
    let tag = format!("\"{}\"", STANDARD.encode(app.core.content_tag(&body)));
    *response.body_mut() = Body::from(body);
    HeaderValue::from_str(&tag).ok()
}

/// Whether one of the client's tags is this one; proxies may have marked it as weak.
fn matches(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else { return false };
    known
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
