//! Renewing and revoking the access tokens of identities. The token itself is the proof.

use kms_api::auth::{
    LoginResponse,
    token::{MessageResponse, TokenBody},
};
use kms_crypto::claims::IdentityAccessClaims;
use kms_store::tokens;
use serde_json::json;

use crate::{
    Core, Error, Origin, Result,
    audit::{AuditActor, Event},
    auth_methods::TOKEN,
    login::Terms,
};

/// How refusals of a renewal begin.
const RENEW: &str = "Cannot renew";
/// How refusals of a revocation begin.
const REVOKE: &str = "Cannot revoke";

impl Core {
    /// Gives a token more time: the same token with a later end, never later than its terms allow
    /// (attack J13). What it was issued under does not change.
    pub async fn renew_token(&self, body: &TokenBody, origin: &Origin) -> Result<LoginResponse> {
        let now = self.now().seconds();
        let mut claims: IdentityAccessClaims =
            self.keys.tokens.verify(body.access_token.trim(), now)?;
        let standing = self.standing(&claims).await?.map_err(|lapse| lapse.refusal(RENEW))?;
        standing.trusted.check(origin.ip)?;
        let lifetime = Terms::of(&claims).lifetime(now, self.oldest_token());
        if lifetime <= 0 {
            let text = format!("{RENEW}: identity access token has reached its max TTL");
            return Err(Error::unauthorized(text));
        }
        claims.iat = now;
        claims.exp = now.saturating_add(lifetime);
        let answer = self.signed(&claims)?;
        let mut tx = self.store.begin().await?;
        let (organization, token) = (claims.org_id.into(), claims.jti.into());
        if let Some(limit) = claims.num_uses_limit.filter(|limit| *limit > 0) {
            let until = claims.exp.saturating_mul(1_000_000);
            if !tokens::keep_uses(&mut tx, organization, token, limit, until).await? {
                return Err(Error::unauthorized(format!("{RENEW}: token usage limit reached")));
            }
        }
        if claims.auth_method == TOKEN.slug {
            tokens::mark_renewed(&mut tx, token, self.now().micros()).await?;
        }
        tx.audit(self.token_record("renew-identity-access-token", &claims, origin));
        tx.commit().await?;
        Ok(answer)
    }

    /// Ends a token, with all that it was renewed to.
    pub async fn revoke_token(&self, body: &TokenBody, origin: &Origin) -> Result<MessageResponse> {
        let now = self.now();
        let claims: IdentityAccessClaims =
            self.keys.tokens.verify(body.access_token.trim(), now.seconds())?;
        self.standing(&claims).await?.map_err(|lapse| lapse.refusal(REVOKE))?;
        let Terms { max_ttl, period, created, .. } = Terms::of(&claims);
        let until = self.latest_end(created, if period > 0 { 0 } else { max_ttl });
        let mut tx = self.store.begin().await?;
        let (organization, identity) = (claims.org_id.into(), claims.identity_id.into());
        tokens::revoke(&mut tx, organization, identity, claims.jti.into(), until, now.micros())
            .await?;
        self.touches_rights(&mut tx);
        tx.audit(self.token_record("revoke-identity-access-token", &claims, origin));
        tx.commit().await?;
        Ok(MessageResponse { message: "Successfully revoked access token".into() })
    }

    fn token_record(
        &self,
        kind: &'static str,
        claims: &IdentityAccessClaims,
        origin: &Origin,
    ) -> kms_store::audit::NewAuditRecord {
        let metadata = json!({
            "identityId": claims.identity_id,
            "name": claims.identity_name,
            "authMethod": claims.auth_method,
        });
        let actor = AuditActor {
            kind: "identity",
            id: Some(claims.identity_id),
            metadata: metadata.to_string().into(),
        };
        let event =
            Event::new(kind).details([("identityAccessTokenId", claims.jti.to_string().into())]);
        self.record_of(claims.org_id.into(), &actor, origin, &event)
    }
}
