//! The passkeys that a person has: added, named, removed.

use kms_api::{PasskeyId, Timestamp};
use kms_store::passkeys::{self, PasskeyRow};
use webauthn_rs::prelude::{PasskeyRegistration, RegisterPublicKeyCredential};

use super::{
    Passkey, PasskeyAnswer, PasskeyRequest, challenge::Purpose, internal, kept_by_the_device,
    options, require_relying_party,
};
use crate::{
    Core, Error, Result, SignedIn, access::passkey_mac, audit::Event, people::PASSKEY, text,
};

/// How many passkeys a person may have.
const MOST: usize = 20;
/// The longest name of a passkey, in characters.
const LONGEST_NAME: usize = 64;

impl Core {
    /// The passkeys of a person, oldest first.
    pub async fn passkeys(&self, signed_in: &SignedIn) -> Result<Vec<Passkey>> {
        let rows = passkeys::of_user(&self.store, signed_in.user.id).await?;
        Ok(rows.into_iter().map(to_owner).collect())
    }

    /// What a browser asks a device for to make a passkey.
    pub async fn new_passkey_request(
        &self,
        signed_in: &SignedIn,
        site: &str,
    ) -> Result<PasskeyRequest> {
        Self::require_no_provider(signed_in)?;
        let party = require_relying_party(site)?;
        let user = self.account_to_change(signed_in).await?;
        let held = passkeys::of_user(&self.store, user.id).await?;
        require_room(held.len())?;
        let known = held.into_iter().map(|row| row.credential_id).collect();
        let name = user.first_name.as_deref().unwrap_or(&user.email);
        let (request, state) = party
            .start_passkey_registration(user.id.uuid(), &user.email, name, Some(known))
            .map_err(internal)?;
        let session = signed_in.user.session.uuid();
        let state = self.seal_challenge(Purpose::Add, session, &state)?;
        Ok(PasskeyRequest { options: options(&request, &kept_by_the_device())?, state })
    }

    /// Adds the passkey that a device made.
    pub async fn add_passkey(
        &self,
        signed_in: &SignedIn,
        answer: &PasskeyAnswer<'_>,
        name: &str,
        site: &str,
    ) -> Result<()> {
        Self::require_no_provider(signed_in)?;
        let party = require_relying_party(site)?;
        let user = self.account_to_change(signed_in).await?;
        let name = text::name("name", name, LONGEST_NAME)?;
        let session = signed_in.user.session.uuid();
        let challenge =
            self.open_challenge::<PasskeyRegistration>(Purpose::Add, session, answer.state);
        let challenge = challenge.ok_or_else(not_made)?;
        let response: RegisterPublicKeyCredential =
            serde_json::from_str(answer.response).map_err(|_| not_made())?;
        let made = party.finish_passkey_registration(&response, &challenge.state);
        let made = made.map_err(|_| not_made())?;
        let mut row = PasskeyRow {
            id: self.new_id(),
            user_id: user.id,
            credential_id: made.cred_id().clone(),
            credential: serde_json::to_string(&made).map_err(internal)?,
            name,
            created_at: self.now().micros(),
            last_used_at: None,
            mac: Vec::new(),
        };
        row.mac = passkey_mac(&self.keys.rows, &row).finish().to_vec();
        let mut tx = self.store.begin().await?;
        require_room(passkeys::of_user(&mut tx, user.id).await?.len())?;
        // A passkey is one person's: whoever claims another's is refused.
        if !self.meet_challenge(&mut tx, &challenge).await?
            || !passkeys::insert(&mut tx, &row).await?
        {
            return Err(not_made());
        }
        tx.audit(self.signed_in_record(signed_in, &passkey_event("passkey-add", row.id)));
        Ok(tx.commit().await?)
    }

    /// Changes the name of a passkey.
    pub async fn rename_passkey(
        &self,
        signed_in: &SignedIn,
        id: PasskeyId,
        name: &str,
    ) -> Result<()> {
        let user = self.account_to_change(signed_in).await?;
        let name = text::name("name", name, LONGEST_NAME)?;
        let mut tx = self.store.begin().await?;
        if !passkeys::rename(&mut tx, user.id, id, &name).await? {
            return Err(no_passkey());
        }
        tx.audit(self.signed_in_record(signed_in, &passkey_event("passkey-rename", id)));
        Ok(tx.commit().await?)
    }

    /// Removes a passkey. Who asked for passkeys themselves does so no longer without any.
    pub async fn remove_passkey(&self, signed_in: &SignedIn, id: PasskeyId) -> Result<()> {
        let mut user = self.account_to_change(signed_in).await?;
        let mut tx = self.store.begin().await?;
        if !passkeys::delete(&mut tx, user.id, id).await? {
            return Err(no_passkey());
        }
        let was_last = passkeys::of_user(&mut tx, user.id).await?.is_empty();
        if was_last && user.selected_mfa_method.as_deref() == Some(PASSKEY) {
            (user.is_mfa_enabled, user.selected_mfa_method) = (false, None);
            self.write_account(&mut tx, &mut user).await?;
        }
        tx.audit(self.signed_in_record(signed_in, &passkey_event("passkey-remove", id)));
        Ok(tx.commit().await?)
    }
}

fn require_room(held: usize) -> Result<()> {
    if held < MOST {
        return Ok(());
    }
    Err(Error::bad_request(format!("There are {MOST} passkeys already; remove one first")))
}

fn passkey_event(kind: &'static str, id: PasskeyId) -> Event {
    Event::new(kind).details([("passkeyId", id.to_string().into())])
}

fn to_owner(row: PasskeyRow) -> Passkey {
    Passkey {
        id: row.id,
        name: row.name,
        created_at: Timestamp(row.created_at),
        last_used_at: row.last_used_at.map(Timestamp),
    }
}

fn not_made() -> Error {
    Error::bad_request("The passkey was not accepted, or it took too long; try again")
}

fn no_passkey() -> Error {
    Error::not_found("There is no such passkey")
}
