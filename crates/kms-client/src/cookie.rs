//! The one cookie of the contract: the refresh token of a person's session.
//!
//! Nothing else that a server sets is kept, and nothing is kept here: a refresh token goes to the
//! caller with the answer, and to the client's own origin when the caller gives it back.

use kms_api::auth::user::REFRESH_COOKIE;
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use secrecy::{ExposeSecret, SecretString};

use crate::Error;

/// No browser keeps a longer cookie.
const MAX_BYTES: usize = 4096;

/// An answer and the refresh token that came with it.
#[derive(Clone, Debug)]
pub struct WithRefresh<T> {
    /// The answer.
    pub answer: T,
    /// The refresh token, when the server set one. It replaces the one before.
    pub refresh_token: Option<SecretString>,
}

/// The refresh token that an answer sets. The last one counts; an empty one ends the session and
/// is none.
pub(crate) fn refresh_token(headers: &HeaderMap) -> Option<SecretString> {
    let last = headers.get_all(SET_COOKIE).iter().rev().find_map(|header| {
        let (name, rest) = header.to_str().ok()?.split_once('=')?;
        (name.trim() == REFRESH_COOKIE).then(|| rest.split(';').next().unwrap_or_default().trim())
    });
    last.filter(|value| is_token(value)).map(SecretString::from)
}

/// The header that gives a refresh token back.
pub(crate) fn header(refresh_token: &SecretString) -> Result<HeaderValue, Error> {
    let token = refresh_token.expose_secret();
    if !is_token(token) {
        return Err(Error::MalformedToken);
    }
    let mut value = HeaderValue::from_str(&format!("{REFRESH_COOKIE}={token}"))
        .map_err(|_| Error::MalformedToken)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What may stand in a cookie (RFC 6265, `cookie-octet`).
fn is_token(text: &str) -> bool {
    let octet = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
    !text.is_empty() && text.len() <= MAX_BYTES && text.bytes().all(octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(cookies: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        refresh_token(&headers).map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn only_the_refresh_token_is_kept() {
        let set = "jid=a.b-c_d; HttpOnly; Path=/; SameSite=Strict";
        assert_eq!(kept(&["aod=x", set, "AWSALB=y; Path=/"]).as_deref(), Some("a.b-c_d"));
        assert_eq!(kept(&["jid=old", "jid=new;Secure"]).as_deref(), Some("new"));
        assert_eq!(kept(&["jidx=a", "x=jid=a", "jid"]), None);
        assert_eq!(kept(&[]), None);
    }

    #[test]
    fn a_cleared_or_unusable_cookie_is_none() {
        let long = format!("jid={}", "x".repeat(MAX_BYTES + 1));
        for cookie in ["jid=; Max-Age=0", "jid=a b", "jid=\"a\"", "jid=a,b", &long] {
            assert_eq!(kept(&[cookie]), None, "{cookie}");
        }
        assert_eq!(kept(&["jid=a", "jid=; Path=/"]), None);
    }

    #[test]
    fn d6_what_no_cookie_can_carry_is_refused_without_repeating_it() {
        for token in ["", "canary; other=x", "canary\r\nX: y", "canary\u{e9}"] {
            let error = header(&token.into()).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("canary"));
        }
        let value = header(&"a.b".into()).unwrap();
        assert_eq!(value.to_str().unwrap(), "jid=a.b");
        assert!(value.is_sensitive());
    }
}
