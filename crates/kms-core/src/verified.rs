//! Tokens of machines whose signature was checked already.
//!
//! A machine shows the same token on every request; checking and reading it again is a good part
//! of what a request from memory costs. Remembered is what the signed text says, under a keyed
//! hash of the text, so that nothing can be learnt from how long a look-up takes. Whether the
//! token is still good for anything is never remembered here.

use std::{sync::Arc, time::Duration};

use kms_crypto::{TokenError, claims::IdentityAccessClaims};
use moka::sync::Cache;

use crate::Core;

/// Tokens remembered at most, about 1 KiB each.
const TOKENS: u64 = 4_096;
/// A token that nobody showed for this long is forgotten.
const IDLE: Duration = Duration::from_mins(10);

/// The memory.
pub(crate) struct Verified(Cache<[u8; 32], Arc<IdentityAccessClaims>>);

impl Default for Verified {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(TOKENS).time_to_idle(IDLE).build())
    }
}

impl Core {
    /// What a machine's token says, if it is genuine and has not expired at `now`, in seconds.
    pub(crate) fn identity_claims(
        &self,
        bearer: &str,
        now: i64,
    ) -> Result<Arc<IdentityAccessClaims>, TokenError> {
        let key = self.keys.lookup.hash("access-token", bearer).0;
        if let Some(claims) = self.verified.0.get(&key)
            && now < claims.exp
        {
            return Ok(claims);
        }
        let claims = Arc::new(self.keys.tokens.verify::<IdentityAccessClaims>(bearer, now)?);
        self.verified.0.insert(key, Arc::clone(&claims));
        Ok(claims)
    }
}
