//! Sending people to their provider, and taking what it answers.

use std::{pin::Pin, sync::Arc};

use http::{
    Method, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    HttpRequest, HttpResponse, IssuerUrl, JsonWebKeySet, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse as _,
    TokenUrl,
    core::{CoreAuthenticationFlow, CoreClient, CoreIdTokenClaims, CoreTokenResponse},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{
    Provider, Refusal, SsoError,
    documents::Documents,
    endpoints::{Endpoints, other_issuer, setting},
    id_token::{self, Header},
    keys,
};
use crate::outbound::{Outbound, OutboundError, Target, Trust};

/// What binds a provider's answer to the browser that asked; made anew for every sign-in.
#[derive(Clone, Debug)]
pub struct Started {
    /// Comes back in the address.
    pub state: SecretString,
    /// Comes back in the ID token.
    pub nonce: SecretString,
    /// Shows to the provider that the code is ours to trade (RFC 7636).
    pub verifier: SecretString,
    /// Where the provider sends the browser back to.
    pub redirect: String,
}

/// What a provider says about somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who somebody is there, for good; means nothing at another issuer.
    pub subject: String,
    /// The address, which the provider says is theirs.
    pub email: String,
    /// The first name, if told.
    pub first_name: Option<String>,
    /// The last name, if told.
    pub last_name: Option<String>,
}

/// Signs people in at providers. Cheap to clone.
#[derive(Clone)]
pub struct SingleSignOn(Arc<Inner>);

struct Inner {
    outbound: Outbound,
    documents: Documents,
}

/// The guard, as the library calls it.
struct Guarded(Outbound);

/// A call on its way.
type Calling = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send>>;

impl AsyncHttpClient<'_> for Guarded {
    type Error = OutboundError;
    type Future = Calling;

    fn call(&self, request: HttpRequest) -> Calling {
        let outbound = self.0.clone();
        Box::pin(async move {
            let answer = outbound.send(request, &Trust::public()).await?;
            Ok(answer.map(|body| body.to_vec()))
        })
    }
}

/// What is asked for when the ID token holds no address (OpenID Connect Core 1.0, section 5.3).
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    email: Option<String>,
    email_verified: Option<bool>,
    given_name: Option<String>,
    family_name: Option<String>,
}

impl SingleSignOn {
    /// Calls providers through this guard.
    pub fn new(outbound: Outbound) -> Self {
        let documents = Documents::new(outbound.clone());
        Self(Arc::new(Inner { outbound, documents }))
    }

    /// Looks at a provider as it is configured, without calling it.
    pub fn check_form(&self, provider: &Provider) -> Result<(), SsoError> {
        let reach = &provider.reach;
        let fields = [
            ("issuer", Some(&provider.issuer)),
            ("discoveryURL", reach.discovery.as_ref()),
            ("authorizationEndpoint", reach.authorization.as_ref()),
            ("tokenEndpoint", reach.token.as_ref()),
            ("jwksUri", reach.keys.as_ref()),
            ("userinfoEndpoint", reach.userinfo.as_ref()),
        ];
        for (field, url) in fields {
            let Some(url) = url else { continue };
            let target = Target::parse(url, self.0.outbound.policy());
            target.map_err(|error| setting(field, error.to_string()))?;
        }
        Ok(())
    }

    /// Looks at what a provider says about itself now, for whoever configures it. Answers the
    /// issuer as the provider spells it, which differs at most in a slash at its end.
    pub async fn check(&self, provider: &Provider, now: i64) -> Result<String, SsoError> {
        self.check_form(provider)?;
        let (documents, policy) = (&self.0.documents, self.0.outbound.policy());
        let mut provider = provider.clone();
        if let Some(url) = &provider.reach.discovery {
            let field = "discoveryURL";
            let target = Target::parse(url, policy);
            let target = target.map_err(|error| setting(field, error.to_string()))?;
            documents.forget(&target);
            let document = documents.get(&target, now).await?;
            let issuer = document["issuer"].as_str().ok_or_else(other_issuer)?;
            if issuer.trim_end_matches('/') != provider.issuer.trim_end_matches('/') {
                return Err(other_issuer());
            }
            issuer.clone_into(&mut provider.issuer);
        }
        let endpoints = Endpoints::of(&provider, documents, policy, now).await?;
        documents.forget(&endpoints.keys);
        let keys = documents.get(&endpoints.keys, now).await?;
        if keys["keys"].as_array().is_none_or(Vec::is_empty) {
            return Err(setting("jwksUri", "Holds no keys"));
        }
        Ok(provider.issuer)
    }

    /// Where a browser is sent to sign in.
    pub async fn start(
        &self,
        provider: &Provider,
        started: &Started,
        now: i64,
    ) -> Result<String, SsoError> {
        let endpoints = self.endpoints(provider, now).await?;
        let verifier = PkceCodeVerifier::new(started.verifier.expose_secret().to_owned());
        let state = CsrfToken::new(started.state.expose_secret().to_owned());
        let nonce = Nonce::new(started.nonce.expose_secret().to_owned());
        let url = AuthUrl::new(endpoints.authorization.url().to_string());
        let url = url.map_err(|_| SsoError::Unreachable(None))?;
        let client = client(provider)?.set_auth_uri(url).set_redirect_uri(redirect(started)?);
        let (url, _, _) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .add_scope(Scope::new("email".into()))
            .add_scope(Scope::new("profile".into()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.into())
    }

    /// Trades the code that a browser brought back for what the provider says about somebody.
    /// `issuer` is who the answer says that it is from (RFC 9207).
    pub async fn finish(
        &self,
        provider: &Provider,
        started: &Started,
        code: &SecretString,
        issuer: Option<&str>,
        now: i64,
    ) -> Result<Identity, SsoError> {
        let endpoints = self.endpoints(provider, now).await?;
        // Mix-up: the answer of another provider is not traded at this one.
        let is_from = issuer.map(|issuer| issuer == provider.issuer);
        if !is_from.unwrap_or(!endpoints.names_itself) {
            return Err(Refusal::Issuer.into());
        }
        let tokens = self.trade(provider, &endpoints, started, code).await?;
        let token = tokens.id_token().ok_or(Refusal::Form)?;
        let header = Header::of(&token.to_string(), provider.reach.algorithm)?;
        let key = self.key(provider, &endpoints, &header, now).await?;
        let claims = id_token::verify(token, key, provider, &started.nonce, now)?;
        if claims.email().is_some() {
            return identity_of(&claims);
        }
        let info = self.user_info(&endpoints, tokens.access_token().secret()).await?;
        if info.sub != claims.subject().as_str() {
            return Err(Refusal::Subject.into());
        }
        let (email, is_verified) = (info.email, info.email_verified);
        let names = (info.given_name, info.family_name);
        identity(info.sub, email, is_verified, names)
    }

    async fn endpoints(&self, provider: &Provider, now: i64) -> Result<Endpoints, SsoError> {
        let policy = self.0.outbound.policy();
        Endpoints::of(provider, &self.0.documents, policy, now).await
    }

    async fn trade(
        &self,
        provider: &Provider,
        endpoints: &Endpoints,
        started: &Started,
        code: &SecretString,
    ) -> Result<CoreTokenResponse, SsoError> {
        let secret = ClientSecret::new(provider.client_secret.expose_secret().to_owned());
        let way =
            if endpoints.secret_in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        let url = TokenUrl::new(endpoints.token.url().to_string());
        let client = client(provider)?
            .set_client_secret(secret)
            .set_auth_type(way)
            .set_token_uri(url.map_err(|_| SsoError::Unreachable(None))?)
            .set_redirect_uri(redirect(started)?);
        let verifier = PkceCodeVerifier::new(started.verifier.expose_secret().to_owned());
        let code = AuthorizationCode::new(code.expose_secret().to_owned());
        let guarded = Guarded(self.0.outbound.clone());
        let request = client.exchange_code(code).set_pkce_verifier(verifier);
        request.request_async(&guarded).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(_) => Refusal::Code.into(),
            RequestTokenError::Request(error) => error.into(),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Refusal::Form.into(),
        })
    }

    /// The key of a token; looked for again where the provider may have changed its keys.
    async fn key(
        &self,
        provider: &Provider,
        endpoints: &Endpoints,
        header: &Header,
        now: i64,
    ) -> Result<openidconnect::core::CoreJsonWebKey, SsoError> {
        let algorithm = provider.reach.algorithm;
        let name = header.kid.as_deref();
        let known = self.0.documents.get(&endpoints.keys, now).await?;
        if let Ok(key) = keys::find(&known, algorithm, name) {
            return Ok(key);
        }
        let newest = self.0.documents.newest(&endpoints.keys, now).await?;
        Ok(keys::find(&newest, algorithm, name)?)
    }

    async fn user_info(&self, endpoints: &Endpoints, token: &str) -> Result<UserInfo, SsoError> {
        let target = endpoints.userinfo.as_ref().ok_or(Refusal::NoAddress)?;
        let request = Request::builder()
            .method(Method::GET)
            .uri(target.url().as_str())
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Vec::new())
            .map_err(|_| Refusal::Form)?;
        let answer = self.0.outbound.send(request, &Trust::public()).await?;
        let media_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = media_type.is_some_and(|value| value.starts_with("application/json"));
        if answer.status() != StatusCode::OK || !is_json {
            return Err(Refusal::NoAddress.into());
        }
        serde_json::from_slice(answer.body()).map_err(|_| Refusal::NoAddress.into())
    }
}

/// What every request needs; the addresses are set by who makes it. Keys are looked up elsewhere.
fn client(provider: &Provider) -> Result<CoreClient, SsoError> {
    let issuer = IssuerUrl::new(provider.issuer.clone());
    let issuer = issuer.map_err(|_| setting("issuer", "Must be a URL"))?;
    let client = ClientId::new(provider.client_id.clone());
    Ok(CoreClient::new(client, issuer, JsonWebKeySet::default()))
}

fn redirect(started: &Started) -> Result<RedirectUrl, SsoError> {
    RedirectUrl::new(started.redirect.clone()).map_err(|_| SsoError::Unreachable(None))
}

fn identity_of(claims: &CoreIdTokenClaims) -> Result<Identity, SsoError> {
    let first = claims.given_name().and_then(|name| name.get(None));
    let last = claims.family_name().and_then(|name| name.get(None));
    identity(
        claims.subject().to_string(),
        claims.email().map(|email| email.to_string()),
        claims.email_verified(),
        (first.map(|name| name.to_string()), last.map(|name| name.to_string())),
    )
}

fn identity(
    subject: String,
    email: Option<String>,
    is_verified: Option<bool>,
    (first_name, last_name): (Option<String>, Option<String>),
) -> Result<Identity, SsoError> {
    let email = email.ok_or(Refusal::NoAddress)?;
    if is_verified != Some(true) {
        return Err(Refusal::Unverified.into());
    }
    Ok(Identity { subject, email, first_name, last_name })
}
