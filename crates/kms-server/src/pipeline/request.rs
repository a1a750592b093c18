//! What is done with a request before it is routed.

use std::{net::SocketAddr, sync::Arc};

use axum::extract::Request;
use http::{
    HeaderValue, Method, Uri,
    header::{ACCEPT, IF_NONE_MATCH, USER_AGENT},
    uri::PathAndQuery,
};

use crate::{
    ApiError,
    address::ClientAddress,
    context::{Context, SharedContext},
    extract,
    state::Settings,
};

/// Characters of a user agent that the audit log keeps.
const LONGEST_USER_AGENT: usize = 256;

/// What the answer depends on after the request is gone.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) if_none_match: Option<HeaderValue>,
    /// Whether a browser asks, rather than a program.
    pub(super) wants_page: bool,
    /// Path and query of a page that may be asked for again; empty for all else.
    pub(super) address: String,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Self {
        let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
        let is_api = request.uri().path().starts_with("/api/");
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            if_none_match: request.headers().get(IF_NONE_MATCH).cloned(),
            address: if is_api || request.method() != Method::GET {
                String::new()
            } else {
                request.uri().path_and_query().map(ToString::to_string).unwrap_or_default()
            },
            wants_page: !is_api && accepts.is_some_and(|types| types.contains("text/html")),
        }
    }
}

/// Everything that the network tells about a request.
pub(super) fn context(
    id: String,
    request: &Request,
    peer: SocketAddr,
    settings: &Settings,
) -> SharedContext {
    let headers = request.headers();
    let address = ClientAddress::of(peer, headers, &settings.trusted_proxies);
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let user_agent = user_agent.map(|text| text.get(..LONGEST_USER_AGENT).unwrap_or(text).into());
    Arc::new(Context::new(id, address, user_agent))
}

/// Brings a request into the one form that is routed.
pub(super) fn prepare(mut request: Request, context: &SharedContext) -> Result<Request, ApiError> {
    let text = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
    extract::check_encoding(text.as_bytes())?;
    if let Some(uri) = without_slash(request.uri()) {
        *request.uri_mut() = uri;
    }
    // The server sends no body for `HEAD`, whatever the answer has.
    if request.method() == Method::HEAD {
        *request.method_mut() = Method::GET;
    }
    request.extensions_mut().insert(Arc::clone(context));
    Ok(request)
}

/// The URI without the slash at the end of its path; served alike, without a redirect.
fn without_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_suffix('/').filter(|path| !path.is_empty())?;
    let query = uri.query().map_or(String::new(), |query| format!("?{query}"));
    format!("{path}{query}").parse().ok()
}
