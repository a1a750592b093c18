//! Kubernetes: the token of a service account, which its cluster reviews.
//!
//! The cluster's API server is asked whether the token is good, for which audience, and whose it
//! is (`TokenReview`, API `authentication.k8s.io/v1`). It is called over TLS that is always
//! verified, by the authority that was configured or the public ones.

use bytes::Bytes;
use http::{Method, Request, Response, header};
use kms_api::{
    auth::kubernetes::{Config, Kubernetes, Proof, Settings, TokenReviewMode},
    error::Issue,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::Verify;
use crate::{
    AuthError, Login, Principal, ProbeFailed, Verifier,
    check::{Check, admits, kept},
    outbound::{OutboundPolicy, Target, Trust},
};

const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
/// What every API server has.
const VERSION: &str = "/version";
/// The longest token, in bytes.
const MAX_TOKEN: usize = 16 * 1_024;

impl Verify for Kubernetes {
    fn configure(
        current: Option<&Config>,
        settings: &Settings,
        policy: &OutboundPolicy,
    ) -> Result<Config, Vec<Issue>> {
        let mut check = Check::default();
        let (new, old) = (settings, current);
        let host = check.setting(
            "kubernetesHost",
            new.kubernetes_host.as_ref(),
            old.map(|c| &c.kubernetes_host),
        );
        let config = Config {
            kubernetes_host: with_scheme(&host),
            ca_cert: kept(new.ca_cert.as_ref(), old.map(|c| &c.ca_cert)),
            token_reviewer_jwt: reviewer(&mut check, settings, current, &with_scheme(&host)),
            token_review_mode: TokenReviewMode::Api,
            allowed_namespaces: check.list(
                "allowedNamespaces",
                new.allowed_namespaces.as_ref(),
                old.map(|c| &c.allowed_namespaces),
            ),
            allowed_names: check.list(
                "allowedNames",
                new.allowed_names.as_ref(),
                old.map(|c| &c.allowed_names),
            ),
            allowed_audience: check.setting(
                "allowedAudience",
                new.allowed_audience.as_ref(),
                old.map(|c| &c.allowed_audience),
            ),
            gateway_id: None,
        };
        check.url("kubernetesHost", &config.kubernetes_host, policy);
        check.certificates("caCert", &config.ca_cert);
        if new.token_review_mode == Some(TokenReviewMode::Gateway) || new.gateway_id.is_some() {
            check.refuse("tokenReviewMode", "This server has no gateways: it must be `api`");
        }
        let chosen = new.allowed_namespaces.is_some() || new.allowed_names.is_some();
        check.require(
            current.is_some() || chosen,
            "allowedNamespaces",
            "Must be sent, or `allowedNames`: an empty text lets every service account of the \
             cluster log in",
        );
        check.finish(config)
    }

    /// The cluster must answer, and let the reviewer ask for reviews (wire contract, Kubernetes).
    async fn probe(
        current: Option<&Config>,
        config: &Config,
        verifier: &Verifier,
    ) -> Result<(), ProbeFailed> {
        if current.is_some_and(|current| is_asked_alike(current, config)) {
            return Ok(());
        }
        let Some(reviewer) = &config.token_reviewer_jwt else {
            let answer = call(config, Method::GET, VERSION, None, Vec::new(), verifier).await;
            return answer.map(|_| ()).map_err(|_| UNREACHABLE);
        };
        let reviewer = reviewer.expose_secret();
        let answer = ask(config, reviewer, reviewer, verifier).await.map_err(|_| UNREACHABLE)?;
        match answer.status().as_u16() {
            200 | 201 => Ok(()),
            401 | 403 => Err(NO_REVIEWER),
            _ => Err(UNREACHABLE),
        }
    }

    async fn verify(
        config: &Config,
        proof: &Proof,
        login: Login<'_>,
    ) -> Result<Principal, AuthError> {
        let token = proof.jwt.expose_secret().trim();
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.len() > MAX_TOKEN || !is_token {
            return Err(AuthError::unverified("not a token of a service account"));
        }
        let status = review(config, token, login).await?;
        let (namespace, name) = account(&status)?;
        if !config.allowed_audience.is_empty()
            && !status.audiences.contains(&config.allowed_audience)
        {
            return Err(AuthError::denied("Access denied: K8s audience not allowed."));
        }
        if !admits(&config.allowed_namespaces, namespace) {
            return Err(AuthError::denied("Access denied: K8s namespace not allowed."));
        }
        if !admits(&config.allowed_names, name) {
            return Err(AuthError::denied("Access denied: K8s name not allowed."));
        }
        Ok(Principal::of("kubernetes", json!({ "namespace": namespace, "name": name }))
            .fact("namespace", namespace)
            .fact("name", name))
    }
}

const UNREACHABLE: ProbeFailed = ProbeFailed(
    "The cluster could not be asked; check `kubernetesHost` and `caCert`, and that this server may \
     call it (an address that is not public needs `--outbound-allow`)",
);
const NO_REVIEWER: ProbeFailed = ProbeFailed(
    "The cluster does not let the token `tokenReviewerJwt` ask for reviews; its service account \
     needs the cluster role `system:auth-delegator`",
);

/// Whether the same cluster is asked in the same way.
fn is_asked_alike(one: &Config, other: &Config) -> bool {
    fn reviewer(config: &Config) -> Option<&str> {
        config.token_reviewer_jwt.as_ref().map(ExposeSecret::expose_secret)
    }
    one.kubernetes_host == other.kubernetes_host
        && one.ca_cert == other.ca_cert
        && reviewer(one) == reviewer(other)
}

/// The contract's clients store hosts without a scheme too.
fn with_scheme(host: &str) -> String {
    let host = host.trim_end_matches('/');
    if host.contains("://") || host.is_empty() { host.into() } else { format!("https://{host}") }
}

/// The token to ask with. It was given to one cluster: another one must not get it because
/// somebody edited the address (attack C9).
fn reviewer(
    check: &mut Check,
    settings: &Settings,
    current: Option<&Config>,
    host: &str,
) -> Option<SecretString> {
    let Some(sent) = &settings.token_reviewer_jwt else {
        let current = current?;
        let kept = current.token_reviewer_jwt.clone()?;
        check.require(
            current.kubernetes_host == host,
            "tokenReviewerJwt",
            "Must be sent again with another `kubernetesHost`, or as null to be removed",
        );
        return Some(kept);
    };
    let text = sent.as_ref()?.expose_secret().trim();
    if text.is_empty() {
        return None;
    }
    let is_token = text.len() <= MAX_TOKEN && text.bytes().all(|byte| byte.is_ascii_graphic());
    check.require(is_token, "tokenReviewerJwt", "Must be a token");
    Some(text.into())
}

#[derive(Deserialize)]
struct Review {
    kind: String,
    #[serde(rename = "apiVersion")]
    version: String,
    status: Option<Status>,
}

/// What the cluster says about a token.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    authenticated: bool,
    error: Option<String>,
    audiences: Vec<String>,
    user: User,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User {
    username: String,
}

/// Sends a request to the cluster; with a bearer, if there is one.
async fn call(
    config: &Config,
    method: Method,
    path: &str,
    bearer: Option<&str>,
    body: Vec<u8>,
    verifier: &Verifier,
) -> Result<Response<Bytes>, AuthError> {
    let trust = Trust::pem(&config.ca_cert).map_err(|_| AuthError::unreachable("unusable CA"))?;
    let url = Target::parse(&config.kubernetes_host, verifier.policy())
        .and_then(|host| host.join(path, verifier.policy()))
        .map_err(|_| AuthError::unreachable("the cluster's address may not be called"))?;
    let mut request = Request::builder()
        .method(method)
        .uri(url.url().as_str())
        .header(header::ACCEPT, "application/json");
    if let Some(bearer) = bearer {
        let mut bearer = header::HeaderValue::from_str(&format!("Bearer {bearer}"))
            .map_err(|_| AuthError::unverified("not a token of a service account"))?;
        bearer.set_sensitive(true);
        request = request
            .header(header::AUTHORIZATION, bearer)
            .header(header::CONTENT_TYPE, "application/json");
    }
    let request = request
        .body(body)
        .map_err(|_| AuthError::unreachable("the cluster's address may not be called"))?;
    Ok(verifier.outbound.send(request, &trust).await?)
}

/// Asks the cluster to review a token.
async fn ask(
    config: &Config,
    bearer: &str,
    token: &str,
    verifier: &Verifier,
) -> Result<Response<Bytes>, AuthError> {
    let mut spec = json!({ "token": token });
    if !config.allowed_audience.is_empty() {
        spec["audiences"] = json!([config.allowed_audience]);
    }
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": spec,
    });
    let body = body.to_string().into_bytes();
    call(config, Method::POST, REVIEWS, Some(bearer), body, verifier).await
}

async fn review(config: &Config, token: &str, login: Login<'_>) -> Result<Status, AuthError> {
    let reviewer = config.token_reviewer_jwt.as_ref().map_or(token, |jwt| jwt.expose_secret());
    let answer = ask(config, reviewer, token, login.verifier).await?;
    match answer.status().as_u16() {
        200 | 201 => {}
        // With its own token as the bearer, a caller who is not let in is nobody.
        401 | 403 if config.token_reviewer_jwt.is_none() => {
            return Err(AuthError::unverified("the cluster did not let the token review itself"));
        }
        status => {
            return Err(AuthError::unreachable(format!("the cluster answered with {status}")));
        }
    }
    let review: Review = serde_json::from_slice(answer.body())
        .map_err(|_| AuthError::unreachable("the cluster's answer is no review"))?;
    if review.kind != "TokenReview" || review.version != "authentication.k8s.io/v1" {
        return Err(AuthError::unreachable("the cluster's answer is no review"));
    }
    review.status.ok_or_else(|| AuthError::unreachable("the cluster's review has no status"))
}

/// Namespace and name of the service account that the token is of.
fn account(status: &Status) -> Result<(&str, &str), AuthError> {
    if status.error.as_ref().is_some_and(|error| !error.is_empty()) || !status.authenticated {
        return Err(AuthError::unverified("the cluster does not know the token"));
    }
    let parts: Vec<&str> = status.user.username.split(':').collect();
    match parts[..] {
        ["system", "serviceaccount", namespace, name] if is_name(namespace) && is_name(name) => {
            Ok((namespace, name))
        }
        _ => Err(AuthError::denied("Access denied: not a service account")),
    }
}

/// Whether a text is a name that Kubernetes gives (RFC 1123).
fn is_name(text: &str) -> bool {
    let known =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    (1..=253).contains(&text.len()) && text.bytes().all(known)
}
