//! A request in the making.

use std::net::SocketAddr;

use axum::body::Body;
use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderName, HeaderValue, Method, header};
use http_body_util::BodyExt as _;
use kms_server::Service;
use serde_json::Value;

use crate::Answer;

/// A request to a [`crate::TestServer`]; from a loopback address unless told otherwise.
#[must_use]
pub struct Request {
    service: Service,
    inner: http::Request<Body>,
    peer: SocketAddr,
}

impl Request {
    /// A request to a server.
    pub fn new(service: Service, method: Method, path: &str) -> Self {
        let inner = http::Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        Self { service, inner, peer: ([127, 0, 0, 1], 50_000).into() }
    }

    /// With a bearer token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.inner.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// With a JSON body.
    #[expect(clippy::needless_pass_by_value, reason = "reads better with `json!`")]
    pub fn json(self, body: Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With any body.
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        *self.inner.body_mut() = Body::from(body.into());
        self.inner.headers_mut().insert(header::CONTENT_TYPE, media_type.parse().unwrap());
        self
    }

    /// With a body that comes in parts, or never ends.
    pub fn stream<S, E>(mut self, media_type: &str, parts: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        *self.inner.body_mut() = Body::from_stream(parts);
        self.inner.headers_mut().insert(header::CONTENT_TYPE, media_type.parse().unwrap());
        self
    }

    /// From this address.
    pub fn from(mut self, peer: &str) -> Self {
        self.peer = peer.parse().unwrap();
        self
    }

    /// Sends it. Of an answer without an end, the first event is waited for.
    pub async fn send(self) -> Answer {
        let (parts, mut body) = self.open().await.into_parts();
        let is_stream = parts.headers.get(header::CONTENT_TYPE).is_some_and(|media_type| {
            media_type.as_bytes().starts_with(kms_api::events::MEDIA_TYPE.as_bytes())
        });
        let body = if is_stream {
            body.frame().await.unwrap().unwrap().into_data().unwrap().into()
        } else {
            body.collect().await.unwrap().to_bytes().into()
        };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends it, and gives back the answer as it begins.
    pub async fn open(self) -> http::Response<Body> {
        self.service.answer(self.inner, self.peer).await
    }
}
