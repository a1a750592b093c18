//! How the library that finds credentials sends its requests: through our one HTTP client, with
//! our trust roots and the caller's.

use std::{
    collections::HashSet,
    fmt,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;

use super::vendor::{ANSWER, CONNECT_FAR, MAX_ANSWER, near};
use crate::{Error, builder, tls};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// One for each login.
#[derive(Clone)]
pub(super) struct Transport(Arc<State>);

struct State {
    certificates: Option<Arc<Path>>,
    near: OnceLock<reqwest::Client>,
    far: OnceLock<reqwest::Client>,
    /// Who did not answer. Region and credentials are looked for at one address; a second wait
    /// for it would only be longer.
    silent: Mutex<HashSet<String>>,
}

impl Transport {
    pub(super) fn new(certificates: Option<&Path>) -> Self {
        Self(Arc::new(State {
            certificates: certificates.map(Arc::from),
            near: OnceLock::new(),
            far: OnceLock::new(),
            silent: Mutex::default(),
        }))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl HttpClient for Transport {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let state = Arc::clone(&self.0);
        SharedHttpConnector::new(Connector { state, patience: settings.read_timeout() })
    }
}

struct Connector {
    state: Arc<State>,
    /// How long an answer may take, where the caller has an opinion.
    patience: Option<Duration>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let state = Arc::clone(&self.state);
        let patience = self.patience.unwrap_or(ANSWER);
        HttpConnectorFuture::new(async move { state.send(request, patience).await })
    }
}

impl State {
    async fn send(
        &self,
        request: HttpRequest,
        patience: Duration,
    ) -> Result<HttpResponse, ConnectorError> {
        let request =
            request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (parts, body) = request.into_parts();
        let body = body.bytes().ok_or_else(|| ConnectorError::user("a stream as a body".into()))?;
        let is_near = parts.uri.scheme_str() == Some("http");
        let place = parts.uri.authority().map(ToString::to_string).unwrap_or_default();
        if is_near && self.silent().contains(&place) {
            return Err(ConnectorError::timeout("nobody answered there a moment ago".into()));
        }
        let http =
            self.client(is_near).map_err(|error| ConnectorError::other(error.into(), None))?;
        let request = http
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body.to_vec())
            .timeout(patience);
        let failed = |error: reqwest::Error| {
            if is_near && (error.is_timeout() || error.is_connect()) {
                self.silent().insert(place.clone());
            }
            sorted(error)
        };
        let mut response = request.send().await.map_err(&failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(&failed)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(ConnectorError::io("the answer is too long".into()));
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::new(SdkBody::from(body));
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        HttpResponse::try_from(answer).map_err(|error| ConnectorError::io(error.into()))
    }

    fn silent(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Metadata services speak plain HTTP on the host; everybody else is encrypted. Reading the
    /// trust roots takes its time, so it waits until there is somebody to verify.
    fn client(&self, is_near: bool) -> Result<reqwest::Client, Error> {
        let cell = if is_near { &self.near } else { &self.far };
        if let Some(client) = cell.get() {
            return Ok(client.clone());
        }
        let client = if is_near {
            near()?
        } else {
            let tls = tls::config(self.certificates.as_deref(), crate::verifier::Seen::default())?;
            let http = builder::transport(tls, true).connect_timeout(CONNECT_FAR);
            http.build().map_err(|error| Error::Setup(error.into()))?
        };
        Ok(cell.get_or_init(|| client).clone())
    }
}

fn sorted(error: reqwest::Error) -> ConnectorError {
    let is_timeout = error.is_timeout();
    // The URL may carry what only its receiver should see.
    let cause: Cause = error.without_url().into();
    if is_timeout { ConnectorError::timeout(cause) } else { ConnectorError::io(cause) }
}
