//! Who somebody turned out to be.

use serde_json::{Map, Value};

/// Who proved to be asking.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Principal {
    /// The token's claim `identityAuth`, which permission rules can refer to.
    pub identity_auth: Map<String, Value>,
    /// What the audit record says about the proof.
    pub facts: Vec<(&'static str, String)>,
    /// What must not be accepted again, for proofs that can be captured whole.
    pub replay: Option<Replay>,
}

/// A proof that is good for a while and could be sent again by whoever saw it (attack C4).
///
/// All replicas must share what they remember: keep [`Self::id`] until [`Self::expires_at`] with
/// the peer that sent it, and accept it again only from that peer and within
/// [`Self::RETRY_SECONDS`], which is what a client that lost an answer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Names the proof; 64 hexadecimal characters.
    pub id: String,
    /// When nobody believes the proof any more, in Unix seconds.
    pub expires_at: i64,
}

impl Replay {
    /// Seconds in which the peer that sent a proof may send it once more.
    pub const RETRY_SECONDS: i64 = 10;
}

impl Principal {
    /// Somebody whose claim `identityAuth` has one entry, named by the method.
    pub(crate) fn of(method: &str, claims: Value) -> Self {
        let identity_auth = Map::from_iter([(method.to_owned(), claims)]);
        Self { identity_auth, ..Self::default() }
    }

    /// Adds a fact for the audit record.
    pub(crate) fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((name, value.into()));
        self
    }
}
