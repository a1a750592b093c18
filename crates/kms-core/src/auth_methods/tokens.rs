//! Named tokens of token auth.

use kms_api::{
    IdentityId, Timestamp, TokenId,
    auth::{
        LoginResponse,
        token::MessageResponse,
        token_auth::{
            CreateToken, CreateTokenResponse, ListTokensQuery, TokenData, TokenResponse,
            TokensResponse, UpdateToken,
        },
    },
};
use kms_store::{
    Tx,
    auth_methods::AuthMethodRow,
    identities::IdentityRow,
    logins,
    tokens::{self, TokenRow},
};

use super::TOKEN;
use crate::{
    Caller, Core, Error, Result,
    access::Action,
    audit::Event,
    login::{Admitted, Scope},
    text,
};

/// The longest name, in characters.
const MAX_NAME: usize = 255;

impl Core {
    /// Makes a token for an identity; it is shown this once.
    pub async fn create_token(
        &self,
        caller: &Caller,
        id: IdentityId,
        body: &CreateToken,
    ) -> Result<CreateTokenResponse> {
        let identity = self.identity_to_manage(caller, id, Action::CreateToken).await?;
        let method = self.method_of(&self.store, &identity, TOKEN).await?;
        let subject = logins::by_identity(&self.store, id, TOKEN.slug).await?;
        let subject = subject.ok_or_else(|| crate::identities::unknown_identity(id))?;
        let scope = self.scope_of(&subject, body.organization_slug.as_deref()).await?;
        let name = name_of(body.name.as_deref())?;
        let mut tx = self.store.begin().await?;
        let (login, row) = self.insert_token(&mut tx, &identity, &method, &scope, name).await?;
        let event = event("create-token-identity-token-auth", &row);
        tx.audit(self.record(caller, &event));
        tx.commit().await?;
        Ok(CreateTokenResponse { login, token_data: to_wire(row) })
    }

    /// Makes a token inside a write.
    pub(crate) async fn insert_token(
        &self,
        tx: &mut Tx,
        identity: &IdentityRow,
        method: &AuthMethodRow,
        scope: &Scope,
        name: Option<String>,
    ) -> Result<(LoginResponse, TokenRow)> {
        let issued = self.issue(&Admitted::new(identity, method, scope))?;
        let now = self.now().micros();
        let row = TokenRow {
            id: issued.token,
            org_id: identity.org_id,
            identity_id: identity.id,
            name,
            ttl: issued.answer.expires_in,
            max_ttl: method.access_token_max_ttl,
            uses_limit: method.access_token_uses_limit,
            revoked: false,
            last_used_at: None,
            last_renewed_at: None,
            created_at: now,
            updated_at: now,
            remaining: None,
        };
        tokens::insert(tx, &row).await?;
        Ok((issued.answer, row))
    }

    /// One page of the tokens of an identity, newest first.
    pub async fn list_tokens(
        &self,
        caller: &Caller,
        id: IdentityId,
        query: &ListTokensQuery,
    ) -> Result<TokensResponse> {
        let identity = self.identity_for(caller, id, Action::GetToken).await?;
        self.method_of(&self.store, &identity, TOKEN).await?;
        let offset = text::number("offset", query.offset.as_deref(), 0, 0, 100)?;
        let limit = text::number("limit", query.limit.as_deref(), 20, 1, 100)?;
        let rows = tokens::list(&self.store, identity.org_id, id, limit, offset).await?;
        Ok(TokensResponse { tokens: rows.into_iter().map(to_wire).collect() })
    }

    /// One token of an identity, without the token.
    pub async fn get_token(
        &self,
        caller: &Caller,
        id: IdentityId,
        token: TokenId,
    ) -> Result<TokenResponse> {
        let identity = self.identity_for(caller, id, Action::GetToken).await?;
        let row = tokens::find(&self.store, identity.org_id, token).await?;
        let row = row.filter(|row| row.identity_id == id).ok_or_else(|| unknown(token))?;
        Ok(TokenResponse { token: to_wire(row) })
    }

    /// Renames a token.
    pub async fn rename_token(
        &self,
        caller: &Caller,
        token: TokenId,
        body: &UpdateToken,
    ) -> Result<TokenResponse> {
        let mut row = self.token_to_manage(caller, token, Action::Edit).await?;
        if body.name.is_some() {
            row.name = name_of(body.name.as_deref())?;
        }
        row.updated_at = self.now().micros();
        let mut tx = self.store.begin().await?;
        let (org, name) = (row.org_id, row.name.as_deref());
        if !tokens::rename(&mut tx, org, token, name, row.updated_at).await? {
            return Err(unknown(token));
        }
        tx.audit(self.record(caller, &event("update-token-identity-token-auth", &row)));
        tx.commit().await?;
        Ok(TokenResponse { token: to_wire(row) })
    }

    /// Revokes a token; it ends at once. Once more changes nothing.
    pub async fn revoke_named_token(
        &self,
        caller: &Caller,
        token: TokenId,
    ) -> Result<MessageResponse> {
        let row = self.token_to_manage(caller, token, Action::DeleteToken).await?;
        if !row.revoked {
            let mut tx = self.store.begin().await?;
            let until = self.latest_end(row.created_at / 1_000_000, row.max_ttl);
            let now = self.now().micros();
            tokens::revoke(&mut tx, row.org_id, row.identity_id, token, until, now).await?;
            self.touches_rights(&mut tx);
            tx.audit(self.record(caller, &event("revoke-token-identity-token-auth", &row)));
            tx.commit().await?;
        }
        Ok(MessageResponse { message: "Successfully revoked access token".into() })
    }

    async fn token_to_manage(
        &self,
        caller: &Caller,
        token: TokenId,
        action: Action,
    ) -> Result<TokenRow> {
        // Asked before anything is looked up, so that a no says nothing about the token.
        caller.rules.require_some(action, crate::access::Subject::Identity)?;
        let row = tokens::find(&self.store, caller.organization, token).await?;
        let row = row.ok_or_else(|| unknown(token))?;
        self.identity_to_manage(caller, row.identity_id, action).await?;
        Ok(row)
    }
}

fn unknown(id: TokenId) -> Error {
    Error::not_found(format!("Token with ID '{id}' not found"))
}

fn name_of(name: Option<&str>) -> Result<Option<String>> {
    let name = name.filter(|name| !name.trim().is_empty());
    name.map(|name| text::name("name", name, MAX_NAME)).transpose()
}

fn to_wire(row: TokenRow) -> TokenData {
    let uses = row.remaining.map_or(0, |remaining| row.uses_limit - remaining);
    TokenData {
        id: row.id,
        name: row.name,
        access_token_ttl: row.ttl,
        access_token_max_ttl: row.max_ttl,
        access_token_num_uses: uses,
        access_token_num_uses_limit: row.uses_limit,
        access_token_last_used_at: row.last_used_at.map(Timestamp),
        access_token_last_renewed_at: row.last_renewed_at.map(Timestamp),
        is_access_token_revoked: row.revoked,
        identity_ua_client_secret_id: None,
        identity_id: row.identity_id,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
    }
}

fn event(kind: &'static str, row: &TokenRow) -> Event {
    Event::new(kind).details([
        ("identityId", row.identity_id.to_string().into()),
        ("tokenId", row.id.to_string().into()),
    ])
}
