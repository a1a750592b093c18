//! Where a provider is reached: named by whoever configured it, or by its discovery document.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{SsoError, documents::Documents};
use crate::outbound::{OutboundPolicy, Target};

/// A provider as an organization configured it.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Who it says that it is, to the letter.
    pub issuer: String,
    /// Who we are to it.
    pub client_id: String,
    /// The secret that it knows us by.
    pub client_secret: SecretString,
    /// Where it is reached, and how it signs.
    pub reach: Reach,
}

/// Where a provider is reached, and how it signs. An address that is named here counts; the others
/// are those of the discovery document, if they are at the issuer's site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The discovery document; without it all other addresses are named.
    pub discovery: Option<String>,
    /// Where browsers are sent.
    pub authorization: Option<String>,
    /// Where codes are traded for tokens.
    pub token: Option<String>,
    /// Where its keys are.
    pub keys: Option<String>,
    /// Where an address is asked for that the ID token does not hold.
    pub userinfo: Option<String>,
    /// How it signs.
    pub algorithm: Algorithm,
}

/// How a provider signs: one of these and no other (attack J1). None of them is symmetric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// `EdDSA` on Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// Its name in a token's header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of a name, to the letter.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// The addresses that count, each of a form that may be called.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    pub(super) authorization: Target,
    pub(super) token: Target,
    pub(super) keys: Target,
    pub(super) userinfo: Option<Target>,
    /// Whether the secret is to be sent in the body, which only some providers ask for.
    pub(super) secret_in_body: bool,
    /// Whether the provider names itself in its answer to the browser (RFC 9207).
    pub(super) names_itself: bool,
}

impl Endpoints {
    /// Finds them.
    pub(super) async fn of(
        provider: &Provider,
        documents: &Documents,
        policy: &OutboundPolicy,
        now: i64,
    ) -> Result<Self, SsoError> {
        let issuer = parse("issuer", &provider.issuer, policy)?;
        let document = match &provider.reach.discovery {
            Some(url) => Some(documents.get(&parse("discoveryURL", url, policy)?, now).await?),
            None => None,
        };
        let document = document.as_deref();
        if document.is_some_and(|document| document["issuer"] != provider.issuer.as_str()) {
            return Err(other_issuer());
        }
        let site = Site { issuer: issuer.url(), document, policy };
        let reach = &provider.reach;
        let required = |field, named: &Option<String>, key| {
            let found = site.find(field, named.as_deref(), key)?;
            found.ok_or_else(|| setting(field, "Must be given: the provider does not name it"))
        };
        Ok(Self {
            authorization: required(
                "authorizationEndpoint",
                &reach.authorization,
                "authorization_endpoint",
            )?,
            token: required("tokenEndpoint", &reach.token, "token_endpoint")?,
            keys: required("jwksUri", &reach.keys, "jwks_uri")?,
            userinfo: site.find(
                "userinfoEndpoint",
                reach.userinfo.as_deref(),
                "userinfo_endpoint",
            )?,
            secret_in_body: document.is_some_and(wants_secret_in_body),
            names_itself: document.is_some_and(|document| {
                document["authorization_response_iss_parameter_supported"] == true
            }),
        })
    }
}

/// Basic authentication is what a provider takes that says nothing (OpenID Connect Discovery 1.0,
/// section 3).
fn wants_secret_in_body(document: &Value) -> bool {
    let methods = document["token_endpoint_auth_methods_supported"].as_array();
    let offers = |name: &str| methods.is_some_and(|all| all.iter().any(|method| method == name));
    offers("client_secret_post") && !offers("client_secret_basic")
}

/// Where the addresses of a document must be.
struct Site<'a> {
    issuer: &'a Url,
    document: Option<&'a Value>,
    policy: &'a OutboundPolicy,
}

impl Site<'_> {
    /// An address as it was named, or else as the document has it.
    fn find(
        &self,
        field: &'static str,
        named: Option<&str>,
        key: &str,
    ) -> Result<Option<Target>, SsoError> {
        if let Some(named) = named {
            return parse(field, named, self.policy).map(Some);
        }
        let Some(found) = self.document.and_then(|document| document[key].as_str()) else {
            return Ok(None);
        };
        let target = parse(field, found, self.policy)?;
        if is_same_site(self.issuer, target.url()) {
            return Ok(Some(target));
        }
        Err(setting(
            field,
            "The discovery document names an address at another site than the issuer's; give it \
             here if it is right",
        ))
    }
}

/// Whether an address is at the issuer's host, or below it (attack J5).
fn is_same_site(issuer: &Url, other: &Url) -> bool {
    let (Some(url::Host::Domain(site)), Some(url::Host::Domain(host))) =
        (issuer.host(), other.host())
    else {
        return issuer.scheme() == other.scheme() && issuer.host() == other.host();
    };
    let is_below = host.strip_suffix(site).is_some_and(|front| front.ends_with('.'));
    issuer.scheme() == other.scheme() && (host == site || is_below)
}

fn parse(field: &'static str, text: &str, policy: &OutboundPolicy) -> Result<Target, SsoError> {
    Target::parse(text, policy).map_err(|error| setting(field, error.to_string()))
}

pub(super) fn setting(field: &'static str, reason: impl Into<String>) -> SsoError {
    SsoError::Settings { field, reason: reason.into() }
}

/// The document belongs to somebody else, as far as anybody can tell (attack J5).
pub(super) fn other_issuer() -> SsoError {
    setting("issuer", "The discovery document names another issuer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j5_a_site_is_the_host_of_the_issuer_and_what_is_below_it() {
        let issuer = Url::parse("https://id.example.com/tenant").unwrap();
        for (url, is_same) in [
            ("https://id.example.com/keys", true),
            ("https://keys.id.example.com/", true),
            ("https://ID.example.com:8443/", true),
            ("https://example.com/", false),
            ("https://evilid.example.com/", false),
            ("https://id.example.com.evil.test/", false),
            ("http://id.example.com/", false),
            ("https://192.0.2.1/", false),
        ] {
            assert_eq!(is_same_site(&issuer, &Url::parse(url).unwrap()), is_same, "{url}");
        }
        let issuer = Url::parse("http://127.0.0.1:4000").unwrap();
        assert!(is_same_site(&issuer, &Url::parse("http://127.0.0.1:4001/").unwrap()));
        assert!(!is_same_site(&issuer, &Url::parse("http://127.0.0.2:4000/").unwrap()));
    }

    #[test]
    fn j1_no_symmetric_algorithm_has_a_name() {
        for name in ["HS256", "HS384", "HS512", "none", "None", "", "rs256", "RS256 "] {
            assert_eq!(Algorithm::of(name), None, "{name}");
        }
    }
}
