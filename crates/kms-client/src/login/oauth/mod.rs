//! A person's login through the browser: OAuth 2.0 for a program that can keep no secret.
//!
//! The order: [`Client::oauth`] asks what the server offers. Then either [`OAuth::authorize`], an
//! address for the browser whose answer comes back to this machine ([`Authorization::answer`]) and
//! is traded for tokens ([`Authorization::redeem`]), or [`OAuth::authorize_device`], a code that is
//! typed on any device while [`DeviceLogin::wait`] asks whether it was.
//!
//! What the server's metadata names must be the server's own: the client that asked is the one that
//! trades, so neither a code nor a token reaches another origin. Opening a browser and listening
//! for its answer is the caller's.

mod code;
mod device;

use std::fmt;

use kms_api::{
    OrganizationId,
    oauth::{ServerMetadata, SessionDescription, TokenRequest, TokenResponse},
    routes,
};
use secrecy::SecretString;
use url::Url;

use crate::{Client, Error, Origin};

pub use code::{Answer, Authorization};
pub use device::DeviceLogin;

/// What a server offers to those who log in through the browser.
#[derive(Clone, Debug)]
pub struct OAuth {
    client: Client,
    issuer: String,
    authorization: Url,
    /// Paths below the issuer, which are called at the origin that the client was made for.
    token: String,
    device: Option<String>,
    names_issuer: bool,
}

/// What a login tells the server besides who asks.
#[derive(Clone, Debug, Default)]
pub struct LoginWish {
    /// The organization or sub-organization to act in, where it is known already.
    pub organization: Option<OrganizationId>,
    /// What this machine is called, for the page on which the login is confirmed.
    pub host: Option<String>,
}

/// The tokens of a login, and whose they are where the server says so.
pub struct BrowserTokens {
    /// The access token.
    pub access_token: SecretString,
    /// Good for the next pair.
    pub refresh_token: SecretString,
    /// Who logged in, and where they act.
    pub session: Option<SessionDescription>,
}

impl fmt::Debug for BrowserTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserTokens").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Client {
    /// Asks how to log in through the browser. `None` where the server has no metadata, as
    /// compatible servers have none: no such route, a page in its place, or no authorization
    /// endpoint in it. Anything else that goes wrong is an error, so that nobody on the way can
    /// choose the other flow.
    pub async fn oauth(&self) -> Result<Option<OAuth>, Error> {
        match self.get_anonymously(routes::OAUTH_METADATA).await {
            Ok(metadata) => OAuth::new(self.clone(), &metadata).map(Some),
            Err(error) if is_absent(&error, self.origin()) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn is_absent(error: &Error, origin: &Origin) -> bool {
    match error {
        Error::UnexpectedAnswer { .. } => true,
        Error::NotKms { status, .. } | Error::Status { status, .. } => {
            matches!(status, 200..=299 | 404)
        }
        // A page for whatever is not known; a redirect to another server is none.
        Error::Redirected { target, .. } => {
            target.parse().is_ok_and(|target| origin.is_same_server(&target))
        }
        _ => false,
    }
}

impl OAuth {
    fn new(client: Client, metadata: &ServerMetadata) -> Result<Self, Error> {
        let origin = client.origin();
        let issuer = metadata.issuer.parse::<Origin>().ok();
        let issuer = issuer
            .filter(|issuer| issuer.is_same_server(origin))
            .map(|issuer| issuer.to_string())
            // Whoever compares the issuer of an answer compares text (RFC 9207, section 2.4).
            .filter(|issuer| *issuer == metadata.issuer)
            .ok_or_else(|| Error::ForeignIssuer {
                origin: origin.clone(),
                issuer: metadata.issuer.clone(),
            })?;
        let own = |address: &str| {
            own_endpoint(&issuer, address).ok_or_else(|| Error::ForeignEndpoint {
                origin: origin.clone(),
                endpoint: address.to_owned(),
            })
        };
        let path = |url: Url| url.as_str()[issuer.len()..].to_owned();
        let authorization = own(&metadata.authorization_endpoint)?;
        let token = own(&metadata.token_endpoint).map(path)?;
        let device = metadata.device_authorization_endpoint.as_deref();
        let device = device.map(|address| own(address).map(path)).transpose()?;
        let offers = |list: &[String], wanted: &str| list.iter().any(|offered| offered == wanted);
        if !offers(&metadata.code_challenge_methods_supported, "S256")
            || !offers(&metadata.response_types_supported, "code")
        {
            let cause = "it offers no authorization code with PKCE (S256)".into();
            return Err(Error::UnexpectedAnswer { origin: origin.clone(), cause });
        }
        let names_issuer = metadata.authorization_response_iss_parameter_supported;
        Ok(Self { client, issuer, authorization, token, device, names_issuer })
    }

    /// The server by the name that it has for itself, which is one of those that mean this server.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether there are device codes.
    pub fn has_device_login(&self) -> bool {
        self.device.is_some()
    }

    /// The page that shows a code for pasting, for [`Self::authorize`].
    pub fn code_page(&self) -> String {
        format!("{}{}", self.issuer, routes::OAUTH_CODE)
    }

    /// Trades what stands in `request` for tokens.
    async fn tokens(&self, request: &TokenRequest) -> Result<BrowserTokens, Error> {
        let answer: TokenResponse = self.client.post_form(&self.token, request).await?;
        if !answer.token_type.eq_ignore_ascii_case("bearer") {
            let origin = self.client.origin().clone();
            return Err(Error::UnexpectedAnswer {
                origin,
                cause: "a token of another type".into(),
            });
        }
        Ok(BrowserTokens {
            access_token: answer.access_token.into(),
            refresh_token: answer.refresh_token.into(),
            session: answer.session,
        })
    }
}

/// An endpoint, if it is below the issuer's address.
fn own_endpoint(issuer: &str, address: &str) -> Option<Url> {
    // As the URL's parser writes it, so that neither dots nor credentials hide another place.
    let url = Url::parse(address).ok()?;
    let path = url.as_str().strip_prefix(issuer)?;
    (path.starts_with('/') && url.fragment().is_none()).then_some(url)
}

fn request(grant_type: &str) -> TokenRequest {
    TokenRequest {
        grant_type: grant_type.to_owned(),
        client_id: Some(kms_api::oauth::CLI_CLIENT.to_owned()),
        code: None,
        redirect_uri: None,
        code_verifier: None,
        device_code: None,
        refresh_token: None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn metadata(issuer: &str) -> ServerMetadata {
        ServerMetadata {
            issuer: issuer.to_owned(),
            authorization_endpoint: format!("{issuer}/oauth/authorize"),
            token_endpoint: format!("{issuer}/oauth/token"),
            device_authorization_endpoint: Some(format!("{issuer}/oauth/device")),
            response_types_supported: vec!["code".into()],
            response_modes_supported: Vec::new(),
            grant_types_supported: Vec::new(),
            code_challenge_methods_supported: vec!["S256".into()],
            token_endpoint_auth_methods_supported: Vec::new(),
            authorization_response_iss_parameter_supported: true,
        }
    }

    pub(crate) fn at(origin: &str, metadata: &ServerMetadata) -> Result<OAuth, Error> {
        let client = Client::builder().origin(origin.parse()?).build()?;
        OAuth::new(client, metadata)
    }

    pub(crate) fn oauth() -> OAuth {
        at("http://localhost:8080", &metadata("http://localhost:8080")).unwrap()
    }

    #[test]
    fn the_issuer_is_the_server_that_was_asked() {
        for (origin, issuer) in [
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://127.0.0.1:8080/api", "http://localhost:8080"),
            ("http://localhost:8080/kms", "http://localhost:8080/kms"),
        ] {
            let oauth = at(origin, &metadata(issuer)).unwrap();
            assert_eq!(oauth.token, "/oauth/token");
            assert_eq!(oauth.authorization.as_str(), format!("{issuer}/oauth/authorize"));
        }
        for issuer in [
            "http://localhost:8081",
            "https://localhost:8080",
            "http://localhost:8080/",
            "http://localhost:8080/api",
            "http://localhost:8080/kms",
            "http://evil.example",
            "http://localhost:8080@evil.example",
            "",
        ] {
            let refused = at("http://localhost:8080", &metadata(issuer));
            assert!(matches!(refused, Err(Error::ForeignIssuer { .. })), "{issuer}");
        }
    }

    #[test]
    fn every_endpoint_is_the_servers_own() {
        for endpoint in [
            "http://evil.example/oauth/token",
            "http://localhost:8080.evil.example/oauth/token",
            "http://localhost:80801/oauth/token",
            "http://localhost:8080@evil.example/oauth/token",
            "https://localhost:8080/oauth/token",
            "http://localhost:8080/oauth/token#x",
            "/oauth/token",
            "javascript:alert(1)",
        ] {
            let fields: [fn(&mut ServerMetadata, String); 3] = [
                |metadata, endpoint| metadata.authorization_endpoint = endpoint,
                |metadata, endpoint| metadata.token_endpoint = endpoint,
                |metadata, endpoint| metadata.device_authorization_endpoint = Some(endpoint),
            ];
            for set in fields {
                let mut metadata = metadata("http://localhost:8080");
                set(&mut metadata, endpoint.to_owned());
                let refused = at("http://localhost:8080", &metadata);
                assert!(matches!(refused, Err(Error::ForeignEndpoint { .. })), "{endpoint}");
            }
        }
    }

    #[test]
    fn endpoints_stay_below_the_path_of_the_issuer() {
        let mut metadata = metadata("http://localhost:8080/kms");
        metadata.token_endpoint = "http://localhost:8080/kms/../other/token".into();
        assert!(at("http://localhost:8080/kms", &metadata).is_err());
    }

    #[test]
    fn a_server_without_pkce_is_not_logged_in_to() {
        for methods in [vec![], vec!["plain".to_owned()]] {
            let mut metadata = metadata("http://localhost:8080");
            metadata.code_challenge_methods_supported = methods;
            assert!(at("http://localhost:8080", &metadata).is_err());
        }
    }
}
