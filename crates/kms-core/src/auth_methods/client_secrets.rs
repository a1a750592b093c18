//! Client secrets of universal auth.

use kms_api::{
    ClientSecretId, IdentityId, Timestamp,
    auth::universal::{
        ClientSecretData, ClientSecretResponse, ClientSecretsResponse, CreateClientSecret,
        CreateClientSecretResponse,
    },
};
use kms_store::{
    StoreError, Tx,
    auth_methods::AuthMethodRow,
    client_secrets::{self, ClientSecretRow},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{MAX_TTL, UNIVERSAL};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, client_secret_mac},
    audit::Event,
    login::CLIENT_SECRET,
    text,
};

/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 1_024;
/// How much of a client secret stays known, to tell it from others.
const PREFIX: usize = 4;

impl Core {
    /// Makes a client secret; it is shown this once.
    pub async fn create_client_secret(
        &self,
        caller: &Caller,
        id: IdentityId,
        body: &CreateClientSecret,
    ) -> Result<CreateClientSecretResponse> {
        let identity = self.identity_to_manage(caller, id, Action::CreateToken).await?;
        let mut tx = self.store.begin().await?;
        let method = self.method_of(&mut tx, &identity, UNIVERSAL).await?;
        let (secret, row) = self.insert_client_secret(&mut tx, &method, body).await?;
        let kind = "create-identity-universal-auth-client-secret";
        tx.audit(self.record(caller, &event(kind, id, &row)));
        tx.commit().await?;
        let client_secret_data = self.client_secret_to_wire(row);
        Ok(CreateClientSecretResponse { client_secret: secret, client_secret_data })
    }

    /// Makes a client secret inside a write.
    pub(crate) async fn insert_client_secret(
        &self,
        tx: &mut Tx,
        method: &AuthMethodRow,
        body: &CreateClientSecret,
    ) -> Result<(SecretString, ClientSecretRow)> {
        text::note("description", &body.description, MAX_DESCRIPTION)?;
        let secret = SecretString::from(self.random_text::<32>());
        let text = secret.expose_secret();
        let now = self.now().micros();
        let mut row = ClientSecretRow {
            id: self.new_id(),
            org_id: method.org_id,
            auth_method_id: method.id,
            description: body.description.clone(),
            prefix: text.chars().take(PREFIX).collect(),
            secret_hash: self.keys.lookup.hash(CLIENT_SECRET, text).as_bytes().to_vec(),
            uses: 0,
            uses_limit: text::within("numUsesLimit", body.num_uses_limit, 0, i64::MAX)?,
            ttl: text::within("ttl", body.ttl, 0, MAX_TTL)?,
            revoked: false,
            created_at: now,
            updated_at: now,
            last_used_at: None,
            mac: Vec::new(),
        };
        row.mac = client_secret_mac(&self.keys.rows, &row).finish().to_vec();
        match client_secrets::insert(tx, &row).await {
            Err(StoreError::Orphan) => {
                Err(Error::bad_request("The identity does not have universal auth"))
            }
            other => Ok(other.map(|()| (secret, row))?),
        }
    }

    /// The client secrets of an identity, without the secrets.
    pub async fn list_client_secrets(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<ClientSecretsResponse> {
        let identity = self.identity_for(caller, id, Action::GetToken).await?;
        let method = self.method_of(&self.store, &identity, UNIVERSAL).await?;
        let rows = client_secrets::list(&self.store, identity.org_id, method.id).await?;
        let client_secret_data =
            rows.into_iter().map(|row| self.client_secret_to_wire(row)).collect();
        Ok(ClientSecretsResponse { client_secret_data })
    }

    /// One client secret of an identity, without the secret.
    pub async fn get_client_secret(
        &self,
        caller: &Caller,
        id: IdentityId,
        secret: ClientSecretId,
    ) -> Result<ClientSecretResponse> {
        let identity = self.identity_for(caller, id, Action::GetToken).await?;
        let method = self.method_of(&self.store, &identity, UNIVERSAL).await?;
        let row = client_secrets::find(&self.store, identity.org_id, method.id, secret).await?;
        let client_secret_data = self.client_secret_to_wire(row.ok_or_else(|| unknown(secret))?);
        Ok(ClientSecretResponse { client_secret_data })
    }

    /// Revokes a client secret and all tokens that came from it. Once more changes nothing.
    pub async fn revoke_client_secret(
        &self,
        caller: &Caller,
        id: IdentityId,
        secret: ClientSecretId,
    ) -> Result<ClientSecretResponse> {
        let identity = self.identity_to_manage(caller, id, Action::DeleteToken).await?;
        let mut tx = self.store.begin().await?;
        let method = self.method_of(&mut tx, &identity, UNIVERSAL).await?;
        let row = client_secrets::find(&mut tx, identity.org_id, method.id, secret).await?;
        let mut row = row.ok_or_else(|| unknown(secret))?;
        if !row.revoked {
            client_secret_mac(&self.keys.rows, &row).verify(&row.mac)?;
            row.revoked = true;
            row.updated_at = self.now().micros();
            row.mac = client_secret_mac(&self.keys.rows, &row).finish().to_vec();
            client_secrets::revoke(&mut tx, &row).await?;
            self.touches_rights(&mut tx);
            let kind = "revoke-identity-universal-auth-client-secret";
            tx.audit(self.record(caller, &event(kind, id, &row)));
            tx.commit().await?;
        }
        Ok(ClientSecretResponse { client_secret_data: self.client_secret_to_wire(row) })
    }

    /// With the uses that are not written yet.
    fn client_secret_to_wire(&self, row: ClientSecretRow) -> ClientSecretData {
        ClientSecretData {
            id: row.id,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            description: row.description,
            client_secret_prefix: row.prefix,
            client_secret_num_uses: row.uses + self.ledger.uses_of(row.id),
            client_secret_num_uses_limit: row.uses_limit,
            client_secret_ttl: row.ttl,
            identity_ua_id: row.auth_method_id,
            is_client_secret_revoked: row.revoked,
        }
    }
}

fn unknown(id: ClientSecretId) -> Error {
    Error::not_found(format!("Client secret with ID '{id}' not found"))
}

fn event(kind: &'static str, identity: IdentityId, row: &ClientSecretRow) -> Event {
    Event::new(kind).details([
        ("identityId", identity.to_string().into()),
        ("clientSecretId", row.id.to_string().into()),
    ])
}
