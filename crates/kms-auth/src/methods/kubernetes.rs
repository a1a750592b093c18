//! Kubernetes: the token of a service account, which its cluster reviews.
//!
//! The cluster's API server is asked whether the token is good, for which audience, and whose it
//! is (`TokenReview`, API `authentication.k8s.io/v1`). It is called over TLS that is always
//! verified, by the authority that was configured or the public ones.

use http::{Request, header};
use kms_api::{
    auth::kubernetes::{Config, Kubernetes, Proof, Settings, TokenReviewMode},
    error::Issue,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::Verify;
use crate::{
    AuthError, Login, Principal,
    check::{Check, admits, kept},
    outbound::{OutboundPolicy, Target, Trust},
};

const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
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

async fn review(config: &Config, token: &str, login: Login<'_>) -> Result<Status, AuthError> {
    let verifier = login.verifier;
    let trust = Trust::pem(&config.ca_cert).map_err(|_| AuthError::unreachable("unusable CA"))?;
    let url = Target::parse(&config.kubernetes_host, verifier.policy())
        .and_then(|host| host.join(REVIEWS, verifier.policy()))
        .map_err(|_| AuthError::unreachable("the cluster's address may not be called"))?;
    let mut spec = json!({ "token": token });
    if !config.allowed_audience.is_empty() {
        spec["audiences"] = json!([config.allowed_audience]);
    }
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": spec,
    });
    let reviewer = config.token_reviewer_jwt.as_ref().map_or(token, |jwt| jwt.expose_secret());
    let mut bearer = header::HeaderValue::from_str(&format!("Bearer {reviewer}"))
        .map_err(|_| AuthError::unverified("not a token of a service account"))?;
    bearer.set_sensitive(true);
    let request = Request::post(url.url().as_str())
        .header(header::AUTHORIZATION, bearer)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .body(body.to_string().into_bytes())
        .map_err(|_| AuthError::unreachable("the cluster's address may not be called"))?;
    let answer = verifier.outbound.send(request, &trust).await?;
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
