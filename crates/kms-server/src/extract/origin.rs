//! Where a request came from, for the routes that nobody has to log in for.

use axum::extract::FromRequestParts;
use http::request::Parts;
use kms_core::Origin;

use super::context;
use crate::{
    ApiError, AppState,
    route::{Describe, Operation},
};

/// Who sent a request, as far as the network tells.
pub struct Sender {
    /// For trusted IPs and the audit log.
    pub origin: Origin,
    /// Whether it came from this machine itself, without any proxy.
    pub local: bool,
}

impl FromRequestParts<AppState> for Sender {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let context = context(&parts.extensions)?;
        Ok(Self { origin: context.origin.clone(), local: context.address.is_local() })
    }
}

impl Describe for Sender {
    fn describe(_: &mut Operation) {}
}

impl Describe for http::HeaderMap {
    fn describe(_: &mut Operation) {}
}
