//! One request and its answer: the only place that talks to the network.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, PoisonError},
    time::Duration,
};

use kms_api::{ErrorBody, oauth::OAuthErrorBody};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    Method, Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderValue, LOCATION},
};
use secrecy::SecretString;
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, sleep};
use url::Url;

use crate::{
    ClientBuilder, Error, Origin, WithRefresh,
    builder::bearer,
    cookie::{self, refresh_token},
    retry,
    session::Session,
    verifier::{Presented, Seen},
    version,
};

/// An answer larger than this is refused rather than kept in memory.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// For answers that have no end: as good as none.
const NO_TIMEOUT: Duration = Duration::from_hours(24 * 365);

/// The name of the error about a token that has ended or is malformed.
const TOKEN_ERROR: &str = "TokenError";

/// What may stand in a path segment as it is (RFC 3986, unreserved characters).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A connection to one server, with or without a token.
///
/// It follows no redirect, so the token reaches the configured origin and nobody else. A call is
/// one request; it is sent again only when the server asks to slow down (status 429) or, for
/// reads, when connecting failed. With a session, a call is sent once more with a new access token
/// if the server does not take the stored one.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    origin: Origin,
    caller: Caller,
    proxied: Option<String>,
    certificates: Option<Arc<Path>>,
    seen: Seen,
    heard: Arc<OnceLock<String>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("origin", &self.origin)
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

/// Who calls.
#[derive(Clone)]
pub(crate) enum Caller {
    Nobody,
    Token(HeaderValue),
    Session(Arc<Session>),
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Token(_) => "Token",
            Self::Session(_) => "Session",
        })
    }
}

/// Whether a request carries the caller's token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auth {
    Token,
    None,
}

impl Client {
    /// Starts making a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The server that calls go to.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The same client with another access token; the connections are shared.
    pub fn with_token(&self, token: &SecretString) -> Result<Self, Error> {
        Ok(Self { caller: Caller::Token(bearer(token)?), ..self.clone() })
    }

    pub(crate) fn new(
        http: reqwest::Client,
        origin: Origin,
        caller: Caller,
        proxied: Option<String>,
    ) -> Self {
        Self {
            http,
            origin,
            caller,
            proxied,
            certificates: None,
            seen: Seen::default(),
            heard: Arc::default(),
        }
    }

    /// Remembers the file with certificates to trust, for those that a login has to ask.
    pub(crate) fn trusting(mut self, file: Option<PathBuf>) -> Self {
        self.certificates = file.map(Arc::from);
        self
    }

    /// Remembers where the verifier leaves what it was shown.
    pub(crate) fn seeing(mut self, seen: Seen) -> Self {
        self.seen = seen;
        self
    }

    /// Remembers where to leave the version that the server tells.
    pub(crate) fn hearing(mut self, heard: Arc<OnceLock<String>>) -> Self {
        self.heard = heard;
        self
    }

    /// The certificates that were last shown.
    pub(crate) fn presented(&self) -> Option<Presented> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn proxied(&self) -> Option<&str> {
        self.proxied.as_deref()
    }

    pub(crate) fn certificates(&self) -> Option<&Path> {
        self.certificates.as_deref()
    }

    /// The access token of the client's session, renewed if it has ended; `None` without one.
    pub async fn session_token(&self) -> Result<Option<SecretString>, Error> {
        match &self.caller {
            Caller::Session(session) => session.access_token(self).await.map(Some),
            _ => Ok(None),
        }
    }

    /// `GET` with a query.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &impl Serialize,
    ) -> Result<T, Error> {
        let request = self.request(Method::GET, path);
        self.answer(request.query(query), path, Auth::Token).await
    }

    /// `GET` without a token.
    pub(crate) async fn get_anonymously<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<T, Error> {
        self.answer(self.request(Method::GET, path), path, Auth::None).await
    }

    /// Any other method, with a JSON body.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let request = self.request(method, path);
        self.answer(request.json(body), path, Auth::Token).await
    }

    /// A method without a body.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<T, Error> {
        self.answer(self.request(method, path), path, Auth::Token).await
    }

    /// `POST` without a token: the body proves who is asking.
    pub(crate) async fn post_anonymously<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let request = self.request(Method::POST, path);
        self.answer(request.json(body), path, Auth::None).await
    }

    /// `POST` of a form without a token, as OAuth has it.
    pub(crate) async fn post_form<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let request = self.request(Method::POST, path);
        self.answer(request.form(body), path, Auth::None).await
    }

    /// As [`Self::post_anonymously`], for an answer that may set a refresh token.
    pub(crate) async fn post_anonymously_for_session<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<WithRefresh<T>, Error> {
        let request = self.request(Method::POST, path);
        self.session_answer(request.json(body), path, Auth::None).await
    }

    /// `POST` with the token, for an answer that may set a refresh token.
    pub(crate) async fn send_for_session<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<WithRefresh<T>, Error> {
        let request = self.request(Method::POST, path);
        self.session_answer(request.json(body), path, Auth::Token).await
    }

    /// `POST` with a refresh token in its cookie, with or without the access token.
    pub(crate) async fn post_refresh_token<T: DeserializeOwned>(
        &self,
        path: &str,
        refresh_token: &SecretString,
        auth: Auth,
    ) -> Result<WithRefresh<T>, Error> {
        let request = self.request(Method::POST, path);
        let request = request.header(COOKIE, cookie::header(refresh_token)?);
        self.session_answer(request, path, auth).await
    }

    /// `GET` of an answer that goes on: its head, whatever the status. No time is too long.
    pub(crate) async fn open_stream(
        &self,
        path: &str,
        query: &impl Serialize,
        media_type: &'static str,
    ) -> Result<Response, Error> {
        let request = self.http.get(self.origin.join(path)).header(ACCEPT, media_type);
        let response =
            self.exchange(request.query(query).timeout(NO_TIMEOUT), path, Auth::Token).await?;
        if response.status().is_redirection() {
            return Err(self.redirected(&response));
        }
        Ok(response)
    }

    /// What an answer says that is no success.
    pub(crate) async fn refusal(&self, response: Response) -> Error {
        match self.read::<serde::de::IgnoredAny>(response).await {
            Err(error) => error,
            Ok(_) => Error::Setup("the answer is a success".into()),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.origin.join(path)).header(ACCEPT, "application/json")
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        path: &str,
        auth: Auth,
    ) -> Result<T, Error> {
        let response = self.exchange(request, path, auth).await?;
        self.read(response).await
    }

    async fn session_answer<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        path: &str,
        auth: Auth,
    ) -> Result<WithRefresh<T>, Error> {
        let response = self.exchange(request, path, auth).await?;
        let refresh_token = refresh_token(response.headers());
        Ok(WithRefresh { answer: self.read(response).await?, refresh_token })
    }

    async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
        path: &str,
        auth: Auth,
    ) -> Result<Response, Error> {
        let mut request =
            request.build().map_err(|error| Error::Setup(error.without_url().into()))?;
        let session = match (auth, &self.caller) {
            (Auth::Token, Caller::Session(session)) => session,
            (Auth::Token, Caller::Token(bearer)) => {
                request.headers_mut().insert(AUTHORIZATION, bearer.clone());
                return self.send_logged(&request, path).await;
            }
            _ => return self.send_logged(&request, path).await,
        };
        let token = session.access_token(self).await?;
        request.headers_mut().insert(AUTHORIZATION, bearer(&token)?);
        let response = self.send_logged(&request, path).await?;
        let (response, is_good) = self.examine(response).await?;
        if is_good {
            return Ok(response);
        }
        // It was revoked, or has ended by the server's clock though not by ours.
        let token = match session.instead_of(self, &token).await {
            // Without anything to renew it by, this refusal is what ended it.
            Err(Error::SessionEnded { origin, cause: None }) => {
                let said = self.read::<serde::de::IgnoredAny>(response).await.err();
                return Err(Error::SessionEnded { origin, cause: said.map(Box::new) });
            }
            other => other?,
        };
        request.headers_mut().insert(AUTHORIZATION, bearer(&token)?);
        self.send_logged(&request, path).await
    }

    /// The answer, and whether the server took the token. One that has ended is status 403 in the contract, and
    /// told from what is not allowed by the error's name alone.
    async fn examine(&self, response: Response) -> Result<(Response, bool), Error> {
        match response.status() {
            StatusCode::UNAUTHORIZED => Ok((response, false)),
            status @ StatusCode::FORBIDDEN => {
                let headers = response.headers().clone();
                let body = self.body(response).await?;
                let error = serde_json::from_slice::<ErrorBody>(&body).map(|body| body.error);
                let mut again = http::Response::new(body);
                *again.status_mut() = status;
                *again.headers_mut() = headers;
                Ok((again.into(), !error.is_ok_and(|name| name == TOKEN_ERROR)))
            }
            _ => Ok((response, true)),
        }
    }

    async fn send_logged(&self, request: &Request, path: &str) -> Result<Response, Error> {
        let started = Instant::now();
        let response = self.send_patiently(request).await?;
        if let Some(version) = version::of(response.headers()) {
            // All answers are of one server: the first says enough.
            let _ = self.heard.set(version);
        }
        tracing::debug!(
            http.request.method = %request.method(),
            url.path = path,
            http.response.status_code = response.status().as_u16(),
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
        Ok(response)
    }

    /// Sends the request until it is answered or there is no point in trying again.
    async fn send_patiently(&self, request: &Request) -> Result<Response, Error> {
        let started = Instant::now();
        let idempotent = request.method() == Method::GET;
        for next in 1.. {
            let this = request.try_clone().expect("every body is in memory, none is a stream");
            let result = self.http.execute(this).await;
            let wait = match &result {
                Ok(response) => retry::after_answer(response, next),
                Err(error) => retry::after_failure(error, idempotent, next),
            };
            match wait
                .filter(|wait| next < retry::TRIES && started.elapsed() + *wait < retry::BUDGET)
            {
                Some(wait) => sleep(wait).await,
                None => return result.map_err(|error| self.transport(error)),
            }
        }
        unreachable!("the loop has no end of its own")
    }

    /// Sends a request, once.
    pub(crate) async fn once(&self, request: Request) -> Result<Response, Error> {
        self.http.execute(request).await.map_err(|error| self.transport(error))
    }

    pub(crate) fn transport(&self, error: reqwest::Error) -> Error {
        Error::transport(&self.origin, self.proxied.as_deref(), error)
    }

    pub(crate) async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Error> {
        let status = response.status();
        if status.is_redirection() {
            return Err(self.redirected(&response));
        }
        let content_type = header(&response, CONTENT_TYPE.as_str());
        let retry_after = retry::asked(&response);
        let body = self.body(response).await?;
        let not_kms = || Error::NotKms {
            origin: self.origin.clone(),
            status: status.as_u16(),
            content_type: content_type.clone(),
        };
        if !status.is_success() {
            if let Ok(body) = serde_json::from_slice::<ErrorBody>(&body) {
                return Err(Error::refused(&self.origin, status, body, retry_after));
            }
            // The endpoints of OAuth have a form of their own, which lacks most of the other's.
            let body = serde_json::from_slice::<OAuthErrorBody>(&body).map_err(|_| not_kms())?;
            return Err(Error::OAuth {
                origin: self.origin.clone(),
                code: body.error,
                description: body.error_description,
            });
        }
        if !is_json(&content_type) {
            return Err(not_kms());
        }
        serde_json::from_slice(&body).map_err(|error| self.unexpected(status, &error, not_kms()))
    }

    /// Valid JSON that is not ours came from a KMS of another version; anything else did not.
    fn unexpected(&self, status: StatusCode, error: &serde_json::Error, not_kms: Error) -> Error {
        if !status.is_success() || !error.is_data() {
            return not_kms;
        }
        Error::UnexpectedAnswer { origin: self.origin.clone(), cause: describe(error).into() }
    }

    fn redirected(&self, response: &Response) -> Error {
        let location = header(response, LOCATION.as_str());
        // Only the origin: a location may carry codes and tokens in its query.
        let target =
            response.url().join(&location).map_or_else(|_| "nowhere".into(), |url| origin_of(&url));
        Error::Redirected { origin: self.origin.clone(), target }
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Error> {
        let too_large = || Error::TooLarge { origin: self.origin.clone(), limit: MAX_ANSWER };
        let announced = response.content_length().unwrap_or(0);
        if announced > MAX_ANSWER as u64 {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.transport(error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Fills the parameters of a path from [`kms_api::routes`], in their order.
pub(crate) fn path(route: &str, values: &[&dyn fmt::Display]) -> Result<String, Error> {
    let mut values = values.iter();
    let mut path = String::with_capacity(route.len() + 64);
    for segment in route.split('/').skip(1) {
        path.push('/');
        if segment.starts_with('{') {
            let value =
                values.next().expect("a caller gives one value for each parameter").to_string();
            // URL parsers remove dot segments even when they are percent-encoded, which would
            // turn a call about one thing into a call about another.
            if matches!(value.as_str(), "" | "." | "..") {
                return Err(Error::UnusableName { name: value });
            }
            path.extend(utf8_percent_encode(&value, SEGMENT));
        } else {
            path.push_str(segment);
        }
    }
    Ok(path)
}

/// The kind of a decoding error without the text that was decoded: serde quotes unknown values.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("missing field") {
        text
    } else {
        format!("a field has an unexpected type at line {} column {}", error.line(), error.column())
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence.to_ascii_lowercase().ends_with("+json")
}

fn header(response: &Response, name: &str) -> String {
    response
        .headers()
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_into_one_segment() {
        let encoded = path("/api/v4/secrets/{secretName}", &[&"a/b?c#d %2e\u{e9}"]).unwrap();
        assert_eq!(encoded, "/api/v4/secrets/a%2Fb%3Fc%23d%20%252e%C3%A9");
    }

    #[test]
    fn names_that_would_change_the_path_are_refused() {
        for name in ["", ".", ".."] {
            assert!(path("/api/{a}/b", &[&name]).is_err(), "{name:?}");
        }
        assert_eq!(path("/api/{a}", &[&"..."]).unwrap(), "/api/...");
    }

    #[test]
    fn d6_decoding_errors_do_not_quote_what_was_decoded() {
        let error = serde_json::from_str::<u8>("\"canary\"").unwrap_err();
        assert!(error.to_string().contains("canary"));
        assert!(!describe(&error).contains("canary"));
    }
}
