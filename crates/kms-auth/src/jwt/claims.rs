//! What a token whose signature held says.

use serde_json::{Map, Value};

use crate::AuthError;

/// Seconds that the clock of whoever signed may be ahead of ours. The end has no allowance.
const MAX_SKEW: i64 = 60;

/// What a token says; its signature held.
#[derive(Debug)]
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    pub(super) fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Claims whose signature nobody asks about.
    #[cfg(test)]
    pub(crate) fn of(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Refuses a token outside of its time, or one that is good for longer than `longest`
    /// seconds from `now` (attack J7).
    pub(crate) fn require_current(&self, now: i64, longest: i64) -> Result<(), AuthError> {
        let denied = |reason| Err(AuthError::denied(reason));
        let Some(expires_at) = self.time("exp")? else {
            return denied("Access denied: the token has no expiry");
        };
        if expires_at <= now {
            return denied("Access denied: the token has expired");
        }
        if expires_at > now.saturating_add(longest) {
            return denied("Access denied: the token is valid for too long");
        }
        let latest = now.saturating_add(MAX_SKEW);
        if self.time("nbf")?.is_some_and(|time| time > latest) {
            return denied("Access denied: the token is not valid yet");
        }
        if self.time("iat")?.is_some_and(|time| time > latest) {
            return denied("Access denied: the token was issued in the future");
        }
        Ok(())
    }

    /// Whole seconds of a point in time; the fraction that some issuers add does not count.
    fn time(&self, claim: &'static str) -> Result<Option<i64>, AuthError> {
        let Some(value) = self.0.get(claim) else { return Ok(None) };
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and the ends are refused")]
        let fraction = || value.as_f64().map(|time| time.floor() as i64);
        match value.as_i64().or_else(fraction) {
            Some(time) => Ok(Some(time)),
            None => Err(AuthError::denied(format!("Access denied: `{claim}` is not a time"))),
        }
    }

    /// A claim.
    pub(crate) fn get(&self, claim: &str) -> Option<&Value> {
        self.0.get(claim)
    }

    /// A claim that is a text.
    pub(crate) fn text(&self, claim: &str) -> Option<&str> {
        self.0.get(claim).and_then(Value::as_str)
    }

    /// The audiences: one text, or a list of them.
    pub(crate) fn audiences(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(audience)) => vec![audience],
            Some(Value::Array(audiences)) => audiences.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A claim by its dotted path. Names of claims may hold dots themselves (`kubernetes.io`): at
    /// each level the longest name that exists is taken.
    pub(crate) fn at(&self, path: &str) -> Option<&Value> {
        let mut level = &self.0;
        let mut rest = path;
        loop {
            let mut end = rest.len();
            let found = loop {
                if let Some(value) = level.get(&rest[..end]) {
                    break value;
                }
                end = rest[..end].rfind('.')?;
            };
            if end == rest.len() {
                return Some(found);
            }
            rest = &rest[end + 1..];
            level = found.as_object()?;
        }
    }
}
