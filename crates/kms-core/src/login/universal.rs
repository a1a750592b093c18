//! Logging in with a client id and a client secret.
//!
//! An unknown client id, a wrong secret and a locked-out source cost the same and answer the same
//! (attacks C13, C15): one hash, one query, one counter, one audit record. Lockouts are per client
//! id and source address, so nobody can lock out anybody else.

use std::net::IpAddr;

use kms_api::{
    TokenId,
    auth::{LoginResponse, universal::Proof},
};
use kms_store::{
    audit::NewAuditRecord,
    client_secrets::{self, ClientSecretRow},
    lockouts::{self, Failure},
    logins::ClientRow,
};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::{Admitted, CLIENT_SECRET, after, is_refusal, wanted_slug};
use crate::{
    Core, Error, Origin, Result,
    access::client_secret_mac,
    audit::Event,
    auth_methods::{UNIVERSAL, UniversalConfig},
};

/// A guess that did not hold.
const WRONG: &str = "Invalid credentials";
/// A source that guessed too often.
const LOCKED: &str = "This identity auth method is temporarily locked, please try again later";

/// One try.
struct Attempt<'a> {
    /// As it was sent; nil for what is no client id at all.
    client_id: Uuid,
    /// Who counts as one for lockouts.
    source: String,
    organization_slug: Option<String>,
    origin: &'a Origin,
}

impl Core {
    /// Logs a machine in with a client id and a client secret.
    pub async fn universal_auth_login(
        &self,
        proof: &Proof,
        origin: &Origin,
    ) -> Result<LoginResponse> {
        let attempt = Attempt {
            client_id: Uuid::try_parse(proof.client_id.trim()).unwrap_or_default(),
            source: source_of(origin.ip),
            organization_slug: wanted_slug(proof.organization_slug.as_deref())?,
            origin,
        };
        let hash = self.keys.lookup.hash(CLIENT_SECRET, proof.client_secret.expose_secret());
        let (client_id, source) = (attempt.client_id, attempt.source.as_str());
        let row = self.client(client_id, source, &hash).await?;
        let row = row.as_deref();
        let config = match row {
            Some(row) => UniversalConfig::of(&row.subject.method)?,
            None => UniversalConfig::default(),
        };
        let secret = row.and_then(|row| row.secret.0.as_ref());
        let stored = secret.map_or(&[0; 32][..], |secret| &secret.secret_hash);
        let holds = hash.ct_eq(stored) && secret.is_some_and(|secret| !secret.revoked);
        let locked = row.and_then(|row| row.locked_until).unwrap_or_default();
        let locked = config.lockout_enabled && locked > self.now().micros();
        match (row, secret) {
            (Some(row), Some(secret)) if holds && !locked => {
                match self.admit(&attempt, row, secret, &config).await {
                    Err(error) if is_refusal(&error) => {
                        self.log_refusal(&attempt, Some(row), &error.to_string()).await?;
                        Err(error)
                    }
                    other => other,
                }
            }
            _ => Err(self.refuse_guess(&attempt, row, &config).await?),
        }
    }

    /// Everything after the client secret was found to be right.
    async fn admit(
        &self,
        attempt: &Attempt<'_>,
        row: &ClientRow,
        secret: &ClientSecretRow,
        config: &UniversalConfig,
    ) -> Result<LoginResponse> {
        self.require_genuine(&row.subject)?;
        client_secret_mac(&self.keys.rows, secret).verify(&secret.mac)?;
        config.trusted()?.check(attempt.origin.ip)?;
        let now = self.now();
        if secret.ttl > 0 && now.micros() >= after(secret.created_at, secret.ttl) {
            return Err(Error::unauthorized("Access denied due to expired client secret"));
        }
        let slug = attempt.organization_slug.as_deref();
        let scope = self.scope_of(&row.subject, slug).await?;
        let mut admitted = Admitted::new(&row.subject.identity, &row.subject.method, &scope);
        admitted.secret = Some(secret.id);
        admitted.period = config.access_token_period;
        let issued = self.issue(&admitted)?;

        let mut tx = self.store.begin().await?;
        if secret.uses_limit > 0
            && !client_secrets::take_use(&mut tx, secret.id, now.micros()).await?
        {
            let text = "Access denied due to client secret usage limit reached";
            return Err(Error::unauthorized(text));
        }
        if row.locked_until.is_some() {
            lockouts::forget(&mut tx, attempt.client_id, &attempt.source).await?;
        }
        let event = login_event(row, secret, issued.token);
        tx.audit(self.login_record(&row.subject, &scope, attempt.origin, &event));
        tx.commit().await?;
        if secret.uses_limit == 0 {
            self.ledger.note_use(secret.id, now.micros());
        }
        if let Some(membership) = &row.subject.membership.0 {
            self.ledger.note_login(membership.id, UNIVERSAL.slug, now.micros());
        }
        Ok(issued.answer)
    }

    /// Counts a wrong guess, or one from a source that is locked out, and says what to answer.
    async fn refuse_guess(
        &self,
        attempt: &Attempt<'_>,
        row: Option<&ClientRow>,
        config: &UniversalConfig,
    ) -> Result<Error> {
        let now = self.now().micros();
        let failure = Failure {
            client_id: attempt.client_id,
            source: &attempt.source,
            now,
            // Counted all the same where lockouts are off, so that it costs the same.
            threshold: if config.lockout_enabled { config.lockout_threshold } else { i64::MAX },
            locked_until: after(now, config.lockout_duration_seconds),
            forgotten_at: after(now, config.lockout_counter_reset_seconds),
        };
        let mut tx = self.store.begin().await?;
        let counted = lockouts::count(&mut tx, &failure).await?;
        self.counts_a_failed_login(&mut tx);
        let text = if counted || !config.lockout_enabled { WRONG } else { LOCKED };
        tx.audit(self.refused(attempt, row, text));
        tx.commit().await?;
        Ok(Error::unauthorized(text))
    }

    async fn log_refusal(
        &self,
        attempt: &Attempt<'_>,
        row: Option<&ClientRow>,
        reason: &str,
    ) -> Result<()> {
        self.log_now(self.refused(attempt, row, reason)).await
    }

    /// The record of a refusal, with the organization of the client that was named, or with none.
    fn refused(
        &self,
        attempt: &Attempt<'_>,
        row: Option<&ClientRow>,
        reason: &str,
    ) -> NewAuditRecord {
        let event = Event::new("login-identity-universal-auth-failed").details([
            ("clientId", attempt.client_id.to_string().into()),
            ("identityId", row.map(|row| row.subject.identity.id.to_string()).into()),
            ("reason", reason.into()),
        ]);
        self.refusal_record(row.map(|row| &row.subject), attempt.origin, &event)
    }
}

fn login_event(row: &ClientRow, secret: &ClientSecretRow, token: TokenId) -> Event {
    Event::new("login-identity-universal-auth").details([
        ("identityId", row.subject.identity.id.to_string().into()),
        ("identityUniversalAuthId", row.subject.method.id.to_string().into()),
        ("clientSecretId", secret.id.to_string().into()),
        ("identityAccessTokenId", token.to_string().into()),
    ])
}

/// Whose guesses count together: an IPv4 address, or the IPv6 network that one host is given.
pub(crate) fn source_of(ip: Option<IpAddr>) -> String {
    match ip.map(|ip| ip.to_canonical()) {
        None => "unknown".into(),
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c13_addresses_of_one_host_count_together() {
        let source = |ip: &str| source_of(Some(ip.parse().unwrap()));
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }
}
