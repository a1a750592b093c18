//! Where a page that came in between leads on to: one of our own pages, never anywhere else.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer};

/// The pages that others may lead on to, each with its query.
const KNOWN: [&str; 8] = [
    "/account",
    "/device",
    "/login/cli",
    "/login/factor",
    "/login/sso/connect",
    "/oauth/authorize",
    "/signupinvite",
    "/verify",
];
/// Where people go who came for nothing else.
const HOME: &str = "/account";
/// Bytes at most; longer ones are none of ours.
const LONGEST: usize = 4_096;

/// A page of ours, as path and query. What is none becomes the account page, so that a crafted link
/// leads nowhere (attack L7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target(String);

impl Target {
    /// Reads a path and query.
    pub(crate) fn of(text: &str) -> Self {
        let path = text.split('?').next().unwrap_or_default();
        let is_known =
            KNOWN.iter().any(|known| path == *known || path.starts_with(&format!("{known}/")));
        let is_plain =
            text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\#\"<>".contains(&byte));
        let is_straight = !path.split('/').any(|part| part == ".." || part == ".");
        let is_ours = is_known && is_plain && is_straight && text.len() <= LONGEST;
        Self(if is_ours { text } else { HOME }.to_owned())
    }

    /// Path and query.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of a page that leads on to this one.
    pub(crate) fn after(&self, page: &str) -> String {
        let separator = if page.contains('?') { '&' } else { '?' };
        let target = utf8_percent_encode(&self.0, NON_ALPHANUMERIC);
        format!("{page}{separator}continue={target}")
    }
}

impl Default for Target {
    fn default() -> Self {
        Self(HOME.to_owned())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::of(&String::deserialize(from)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l7_pages_lead_on_to_our_own_pages_alone() {
        for ours in [
            "/account",
            "/account/passkeys",
            "/device?user_code=BCDF-GHJK",
            "/oauth/authorize?a=%2F%2Fb",
        ] {
            assert_eq!(Target::of(ours).as_str(), ours);
        }
        for other in [
            "",
            "//evil.example",
            "https://evil.example/account",
            "/\\evil.example",
            "/account\\..\\..//evil.example",
            "/account/../../evil",
            "/accounts",
            "/api/v1/auth/token",
            "/logout",
            "/account#//evil",
            "/account\r\nSet-Cookie: a=b",
            "/account \u{202e}",
            "javascript:alert(1)",
        ] {
            assert_eq!(Target::of(other).as_str(), HOME, "{other:?}");
        }
        assert_eq!(Target::of(&format!("/account?{}", "a".repeat(LONGEST))).as_str(), HOME);
    }
}
