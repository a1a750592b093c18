//! What a page answers.

use std::sync::LazyLock;

use askama::Template;
use axum::response::{IntoResponse, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, LOCATION, SET_COOKIE},
};
use kms_core::Error;
use sha2::{Digest as _, Sha256};

use crate::{
    ApiError,
    route::{Describe, Operation},
};

/// The style sheet of every page, in the page itself: one answer is all that a browser asks for.
pub(crate) const STYLE: &str = include_str!("../../templates/style.css");

static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| hash_source(STYLE));

/// What stands in a policy for one inline text.
pub(crate) fn hash_source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// What a page may load and where its forms may lead (Content Security Policy, level 3). Without
/// more, that is its own style, and this server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    /// Where a form's answer may lead besides here, such as `http://127.0.0.1:49152`.
    pub(crate) leads_to: Option<String>,
    /// The inline script that may run.
    pub(crate) script: Option<&'static str>,
    /// Where that script may connect to.
    pub(crate) connects_to: Option<String>,
}

impl Policy {
    fn header(&self) -> String {
        let style = STYLE_SOURCE.as_str();
        let leads_to = self.leads_to.as_deref().map(|origin| format!(" {origin}"));
        let mut text = format!(
            "default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; \
             frame-ancestors 'none'; form-action 'self'{}",
            leads_to.unwrap_or_default()
        );
        if let Some(script) = self.script {
            text = format!("{text}; script-src {}", hash_source(script));
        }
        if let Some(origin) = &self.connects_to {
            text = format!("{text}; connect-src {origin}");
        }
        text
    }
}

/// Marks an answer as a page, for the headers that every answer gets.
#[derive(Clone)]
pub(crate) struct IsPage;

/// A page, or a way to another one.
pub(crate) struct Page(Response);

impl Page {
    /// A page with the usual policy.
    pub(crate) fn new(template: &impl Template) -> Result<Self, ApiError> {
        Self::with_policy(template, &Policy::default())
    }

    /// A page with a policy of its own.
    pub(crate) fn with_policy(template: &impl Template, policy: &Policy) -> Result<Self, ApiError> {
        let html = template.render().map_err(|error| Error::Internal(Box::new(error)))?;
        let policy = HeaderValue::from_str(&policy.header());
        let policy = policy.map_err(|error| Error::Internal(Box::new(error)))?;
        let mut response = html.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert("content-security-policy", policy);
        response.extensions_mut().insert(IsPage);
        Ok(Self(response))
    }

    /// The page with another status than 200.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        *self.0.status_mut() = status;
        self
    }

    /// The page, with a cookie set or taken away.
    pub(crate) fn cookie(mut self, cookie: HeaderValue) -> Self {
        self.0.headers_mut().append(SET_COOKIE, cookie);
        self
    }

    /// The page with a header more.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }
}

/// Leads on to another page, which is asked for by `GET` whatever led here.
pub(crate) fn see_other(location: &str) -> Result<Page, ApiError> {
    let value = HeaderValue::from_str(location);
    let value = value.map_err(|error| Error::Internal(Box::new(error)))?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(LOCATION, value);
    response.extensions_mut().insert(IsPage);
    Ok(Page(response))
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Describe for Page {
    fn describe(_: &mut Operation) {}
}
