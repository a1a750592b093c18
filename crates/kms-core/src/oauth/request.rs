//! What a browser is sent to us with, believed in an order that makes us no redirector: first whose
//! request it is and where its answer goes, and only then the rest, which may be answered there.

use kms_api::{OrganizationId, oauth::CLI_CLIENT, routes::OAUTH_CODE};
use kms_crypto::pkce;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::text;

/// Characters of `state` at most.
const LONGEST_STATE: usize = 512;
/// Bytes of an address at most.
const LONGEST_ADDRESS: usize = 256;
/// Characters of a machine's name that are shown.
pub const LONGEST_HOST: usize = 64;

/// A program's request to log somebody in, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRequest {
    issuer: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    state: String,
    /// The organization to act in, where the program knows it or the person chose it.
    pub organization: Option<OrganizationId>,
    /// What the program says that its machine is called, fit to be shown.
    pub host: Option<String>,
}

/// Why a request does not lead to a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// Whose request it is or where its answer goes is not to be believed: nobody is sent anywhere
    /// (RFC 6749, section 4.1.2.1).
    Shown(&'static str),
    /// The browser is sent to this address, where the program learns why.
    Told(String),
}

impl LoginRequest {
    /// Reads the parameters of a request to the server at `issuer`.
    pub fn read(pairs: &[(String, String)], issuer: &str) -> Result<Self, BadRequest> {
        let parameters = Parameters(pairs);
        let redirect_uri = parameters.trusted("redirect_uri")?;
        if parameters.trusted("client_id")? != CLI_CLIENT {
            return Err(BadRequest::Shown("The program that asks is not known to this server."));
        }
        if redirect_uri != format!("{issuer}{OAUTH_CODE}") && loopback(redirect_uri).is_none() {
            return Err(BadRequest::Shown(
                "The answer would not go to a program on your own machine. Nothing was sent.",
            ));
        }
        let state = parameters.one("state").ok().flatten().filter(|state| is_state(state));
        let told = |error: &str, about: &str| {
            let mut fields = vec![("error", error), ("error_description", about)];
            fields.extend(state.map(|state| ("state", state)));
            BadRequest::Told(address(redirect_uri, &fields, issuer))
        };
        let one = |name| parameters.one(name).map_err(|about| told("invalid_request", about));
        match one("response_type")? {
            Some("code") => {}
            Some(_) => return Err(told("unsupported_response_type", "response_type must be code")),
            None => return Err(told("invalid_request", "response_type is missing")),
        }
        let Some(state) = state else {
            return Err(told("invalid_request", "state is missing or not what it may be"));
        };
        let challenge = one("code_challenge")?.filter(|challenge| pkce::is_challenge(challenge));
        let Some(challenge) = challenge else {
            return Err(told("invalid_request", "code_challenge is missing or not 32 bytes"));
        };
        if one("code_challenge_method")? != Some("S256") {
            return Err(told("invalid_request", "code_challenge_method must be S256"));
        }
        let organization = one("organization_id")?.map(str::parse).transpose();
        let organization = organization
            .map_err(|_| told("invalid_request", "organization_id must be the id of one"))?;
        let host = one("host")?.map(|host| text::shown(host, LONGEST_HOST));
        Ok(Self {
            issuer: issuer.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            challenge: challenge.to_owned(),
            state: state.to_owned(),
            organization,
            host: host.filter(|host| !host.is_empty()),
        })
    }

    /// The program's own address, as `127.0.0.1:PORT`; none where the code is shown for pasting.
    pub fn listener(&self) -> Option<&str> {
        loopback(&self.redirect_uri)
    }

    /// Who the answer says that it comes from.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The parameters of the same request, with an organization or without.
    pub fn fields(&self, organization: Option<OrganizationId>) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("response_type", "code".to_owned()),
            ("client_id", CLI_CLIENT.to_owned()),
            ("redirect_uri", self.redirect_uri.clone()),
            ("code_challenge", self.challenge.clone()),
            ("code_challenge_method", "S256".to_owned()),
            ("state", self.state.clone()),
        ];
        fields.extend(organization.map(|id| ("organization_id", id.to_string())));
        fields.extend(self.host.clone().map(|host| ("host", host)));
        fields
    }

    /// The same as the query of a URL.
    pub fn query(&self, organization: Option<OrganizationId>) -> String {
        let fields = self.fields(organization);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        encode(&fields)
    }

    /// Where the browser is sent with an answer.
    pub(super) fn answered(&self, name: &str, value: &str) -> String {
        let fields = [(name, value), ("state", &self.state)];
        address(&self.redirect_uri, &fields, &self.issuer)
    }
}

/// The host and port of a literal loopback address with a port (RFC 8252, section 7.3); none for
/// everything else: names, other schemes, user names, queries, fragments, or a path with anything
/// in it that a browser would read differently.
fn loopback(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("http://").filter(|_| uri.len() <= LONGEST_ADDRESS)?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = authority.rsplit_once(':')?;
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit())
        && !port.starts_with('0')
        && port.parse::<u16>().is_ok();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_~".contains(&byte);
    let is_ours = ["127.0.0.1", "[::1]"].contains(&host) && is_port;
    (is_ours && path.bytes().all(is_plain)).then_some(authority)
}

/// Printable ASCII, and not too much of it (RFC 6749, appendix A.5).
fn is_state(text: &str) -> bool {
    text.len() <= LONGEST_STATE && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// An address with an answer to it; the issuer goes along (RFC 9207, section 2).
fn address(redirect_uri: &str, fields: &[(&str, &str)], issuer: &str) -> String {
    format!("{redirect_uri}?{}&{}", encode(fields), encode(&[("iss", issuer)]))
}

fn encode(fields: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| {
        format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
    };
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// The parameters of a request. An empty one counts as left out, one that is there twice as an
/// error, and those that nobody knows are passed over (RFC 6749, section 3.1).
struct Parameters<'p>(&'p [(String, String)]);

impl<'p> Parameters<'p> {
    fn one(&self, name: &str) -> Result<Option<&'p str>, &'static str> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err("a parameter is there twice"),
        }
    }

    /// What has to be right before anybody is sent anywhere.
    fn trusted(&self, name: &str) -> Result<&'p str, BadRequest> {
        let value = self.one(name).ok().flatten();
        value.ok_or(BadRequest::Shown(
            "This address is not complete. Start again with `kms login` in your terminal.",
        ))
    }
}

#[cfg(test)]
mod tests;
