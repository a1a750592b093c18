//! The authorization code: an address for the browser, and what comes back.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kms_api::oauth::{AuthorizationRequest, CLI_CLIENT, TokenRequest};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};

use super::{BrowserTokens, LoginWish, OAuth, request};
use crate::Error;

/// No server of ours makes a longer code.
const LONGEST_CODE: usize = 1024;

/// One request for authorization: good for one answer, which no other request takes.
///
/// It holds what proves that the answer's code is its own (RFC 7636), so it stays in memory until
/// the tokens are there.
pub struct Authorization {
    oauth: OAuth,
    redirect_uri: String,
    state: SecretString,
    verifier: SecretString,
    address: Url,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").field("issuer", &self.oauth.issuer).finish_non_exhaustive()
    }
}

/// What the browser brought back.
#[derive(Debug)]
pub enum Answer {
    /// The login was confirmed.
    Code(SecretString),
    /// It was not: [`Error::OAuth`].
    Refused(Error),
}

impl OAuth {
    /// Starts a request whose answer goes to `redirect_uri`: a loopback address of this machine, or
    /// [`Self::code_page`].
    pub fn authorize(&self, redirect_uri: &str, wish: &LoginWish) -> Authorization {
        let (state, verifier) = (random(), random());
        let query = AuthorizationRequest {
            response_type: "code".into(),
            client_id: CLI_CLIENT.into(),
            redirect_uri: redirect_uri.to_owned(),
            code_challenge: challenge(&verifier),
            code_challenge_method: "S256".into(),
            state: state.clone(),
            organization_id: wish.organization,
            host: wish.host.clone(),
        };
        let mut address = self.authorization.clone();
        let own = address.query().map_or_else(String::new, |own| format!("{own}&"));
        address.set_query(Some(&(own + &encoded(&query))));
        Authorization {
            oauth: self.clone(),
            redirect_uri: redirect_uri.to_owned(),
            state: state.into(),
            verifier: verifier.into(),
            address,
        }
    }
}

impl Authorization {
    /// Where the browser is sent.
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// Reads the query that the browser came back with. `None` is no answer to this request: it has
    /// another state or none, another issuer, or is not put together as one. Whoever waits goes on
    /// waiting then (attacks L1 and L4).
    pub fn answer(&self, query: &str) -> Option<Answer> {
        let mut found = Parameters::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "code" => &mut found.code,
                "state" => &mut found.state,
                "iss" => &mut found.iss,
                "error" => &mut found.error,
                "error_description" => &mut found.description,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        let is_mine = found.state.is_some_and(|state| same(&state, self.state.expose_secret()));
        let by_issuer = match &found.iss {
            Some(iss) => *iss == self.oauth.issuer,
            None => !self.oauth.names_issuer,
        };
        if !is_mine || !by_issuer {
            return None;
        }
        match (found.code, found.error) {
            (Some(code), None) if is_code(&code) => Some(Answer::Code(code.into())),
            (None, Some(code)) => {
                let origin = self.oauth.client.origin().clone();
                let description = found.description;
                Some(Answer::Refused(Error::OAuth { origin, code, description }))
            }
            _ => None,
        }
    }

    /// Reads the whole address that the browser came back with, as a person copies it.
    pub fn answer_in_address(&self, text: &str) -> Option<Answer> {
        let url = Url::parse(text.trim()).ok()?;
        let (place, _) = url.as_str().split_once('?')?;
        if place != self.redirect_uri {
            return None;
        }
        self.answer(url.query()?)
    }

    /// Trades the code for tokens. It is good once, and only with what this request has kept to
    /// itself (attack L2).
    pub async fn redeem(&self, code: &SecretString) -> Result<BrowserTokens, Error> {
        let request = TokenRequest {
            code: Some(code.clone()),
            redirect_uri: Some(self.redirect_uri.clone()),
            code_verifier: Some(self.verifier.clone()),
            ..request("authorization_code")
        };
        self.oauth.tokens(&request).await
    }
}

fn encoded(query: &AuthorizationRequest) -> String {
    serde_urlencoded::to_string(query).expect("its fields are words and ids")
}

/// Whether a text could be a code: one word of visible characters, not too long.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_CODE && text.bytes().all(|b| b.is_ascii_graphic())
}

#[derive(Default)]
struct Parameters {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

/// 32 random bytes as 43 characters, as long as RFC 7636 asks for at least (section 4.1).
fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Compared by their digests: how long it takes says nothing about either.
fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a) == Sha256::digest(b)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::oauth, *};

    const PLACE: &str = "http://127.0.0.1:1234/path";
    const ISSUER: &str = "http://localhost:8080";

    fn started() -> (Authorization, String) {
        let authorization = oauth().authorize(PLACE, &LoginWish::default());
        let state = authorization.state.expose_secret().to_owned();
        (authorization, state)
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        // Appendix B.
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        let verifier = random();
        assert_eq!(verifier.len(), 43);
        assert_ne!(verifier, random());
    }

    #[test]
    fn the_address_has_everything_but_the_verifier() {
        let organization = "0192d0a4-8f9c-7c6e-9f0a-000000000001".parse().unwrap();
        let wish = LoginWish { organization: Some(organization), host: Some("a & b".into()) };
        let authorization = oauth().authorize(PLACE, &wish);
        let pairs: std::collections::BTreeMap<_, _> =
            authorization.address.query_pairs().into_owned().collect();
        assert_eq!(pairs["response_type"], "code");
        assert_eq!(pairs["client_id"], "kms-cli");
        assert_eq!(pairs["redirect_uri"], PLACE);
        assert_eq!(pairs["code_challenge_method"], "S256");
        assert_eq!(pairs["code_challenge"], challenge(authorization.verifier.expose_secret()));
        assert_eq!(pairs["state"], authorization.state.expose_secret());
        assert_eq!(pairs["organization_id"], organization.to_string());
        assert_eq!(pairs["host"], "a & b");
        assert!(!authorization.address().contains(authorization.verifier.expose_secret()));
        assert!(!format!("{authorization:?}").contains(authorization.state.expose_secret()));
    }

    #[test]
    fn only_the_answer_to_this_request_is_one() {
        let (authorization, state) = started();
        let code = format!("code=abc&state={state}&iss={ISSUER}");
        assert!(matches!(authorization.answer(&code), Some(Answer::Code(code))
            if code.expose_secret() == "abc"));
        let refused = format!("error=access_denied&state={state}&iss={ISSUER}");
        assert!(
            matches!(authorization.answer(&refused), Some(Answer::Refused(Error::OAuth { code, .. }))
            if code == "access_denied")
        );
        let (_, other) = started();
        for query in [
            String::new(),
            format!("code=abc&iss={ISSUER}"),
            format!("code=abc&state={other}&iss={ISSUER}"),
            format!("code=abc&state=&iss={ISSUER}"),
            format!("code=abc&state={state}"),
            format!("code=abc&state={state}&iss=http://evil.example"),
            format!("code=abc&state={state}&iss={ISSUER}/"),
            format!("error=access_denied&state={other}&iss={ISSUER}"),
            format!("error=access_denied&iss={ISSUER}"),
            format!("state={state}&iss={ISSUER}"),
            format!("code=&state={state}&iss={ISSUER}"),
            format!("code=a%20b&state={state}&iss={ISSUER}"),
            format!("code=a&code=b&state={state}&iss={ISSUER}"),
            format!("code=abc&state={other}&state={state}&iss={ISSUER}"),
            format!("code=abc&error=access_denied&state={state}&iss={ISSUER}"),
            format!("code={}&state={state}&iss={ISSUER}", "x".repeat(LONGEST_CODE + 1)),
        ] {
            assert!(authorization.answer(&query).is_none(), "{query}");
        }
    }

    #[test]
    fn an_address_that_was_copied_is_read_if_it_is_the_one() {
        let (authorization, state) = started();
        let query = format!("code=abc&state={state}&iss={ISSUER}");
        assert!(authorization.answer_in_address(&format!(" {PLACE}?{query}\n")).is_some());
        for place in [
            "http://127.0.0.1:1234/other",
            "http://127.0.0.1:1235/path",
            "http://localhost:1234/path",
            "https://127.0.0.1:1234/path",
            "http://127.0.0.1:1234@evil.example/path",
        ] {
            let address = format!("{place}?{query}");
            assert!(authorization.answer_in_address(&address).is_none(), "{place}");
        }
        assert!(authorization.answer_in_address("abc").is_none());
    }
}
