//! Token auth of an identity: tokens that somebody makes for it.

use kms_api::{
    IdentityId, Timestamp,
    auth::token_auth::{IdentityTokenAuth, Settings, TokenAuthResponse},
};
use kms_store::{Tx, auth_methods::AuthMethodRow, identities::IdentityRow};

use super::{CHANGES, NewMethod, TOKEN, TokenRules, changed_meanwhile, method_event};
use crate::{Caller, Core, Result, access::Action};

impl Core {
    /// Attaches token auth to an identity.
    pub async fn attach_token_auth(
        &self,
        caller: &Caller,
        id: IdentityId,
        body: &Settings,
    ) -> Result<TokenAuthResponse> {
        let identity = self.identity_to_manage(caller, id, Action::Create).await?;
        let mut tx = self.store.begin().await?;
        let row = self.insert_token_auth(&mut tx, &identity, body).await?;
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &method_event("add-identity-token-auth", &row)));
        tx.commit().await?;
        answer(&row)
    }

    /// Attaches token auth inside a write.
    pub(crate) async fn insert_token_auth(
        &self,
        tx: &mut Tx,
        identity: &IdentityRow,
        settings: &Settings,
    ) -> Result<AuthMethodRow> {
        let rules = TokenRules::attached(settings)?;
        let new = NewMethod {
            name: TOKEN,
            client_id: None,
            rules: &rules,
            config: "{}".into(),
            sealed: None,
        };
        self.insert_method(tx, identity, new).await
    }

    /// Changes token auth of an identity; trusted IPs act on tokens that exist.
    pub async fn update_token_auth(
        &self,
        caller: &Caller,
        id: IdentityId,
        body: &Settings,
    ) -> Result<TokenAuthResponse> {
        let identity = self.identity_to_manage(caller, id, Action::Edit).await?;
        for _ in 0..CHANGES {
            let mut tx = self.store.begin().await?;
            let row = self.method_of(&mut tx, &identity, TOKEN).await?;
            let rules = TokenRules::changed(&row, body)?;
            let config = row.config.clone();
            let changed = self.change_method(&mut tx, row, &rules, config).await?;
            let Some(row) = changed else { continue };
            self.touches_rights(&mut tx);
            tx.audit(self.record(caller, &method_event("update-identity-token-auth", &row)));
            tx.commit().await?;
            return answer(&row);
        }
        Err(changed_meanwhile(TOKEN))
    }

    /// Token auth of an identity.
    pub async fn get_token_auth(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<TokenAuthResponse> {
        let identity = self.identity_for(caller, id, Action::Read).await?;
        answer(&self.method_of(&self.store, &identity, TOKEN).await?)
    }

    /// Detaches token auth with its tokens, which end at once.
    pub async fn detach_token_auth(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<TokenAuthResponse> {
        answer(&self.detach_method(caller, id, TOKEN, "revoke-identity-token-auth").await?)
    }
}

fn answer(row: &AuthMethodRow) -> Result<TokenAuthResponse> {
    let rules = TokenRules::of(row)?;
    Ok(TokenAuthResponse {
        identity_token_auth: IdentityTokenAuth {
            id: row.id,
            access_token_ttl: rules.ttl,
            access_token_max_ttl: rules.max_ttl,
            access_token_num_uses_limit: rules.uses_limit,
            access_token_trusted_ips: rules.trusted.wire(),
            identity_id: row.identity_id,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        },
    })
}
