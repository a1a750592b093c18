//! Signing in with a passkey, and giving one as second factor.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kms_api::UserId;
use kms_store::{
    Tx, callers,
    passkeys::{self, PasskeyRow},
    user_sessions::SessionRow,
    user_sources,
    users::{self, UserRow},
};
use serde_json::json;
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey as Credential, PublicKeyCredential, WebauthnError,
};

use super::{
    PasskeyAnswer, PasskeyRequest,
    challenge::{Challenge, Purpose},
    internal, options, relying_party, require_relying_party,
};
use crate::{
    Core, Error, Origin, Result, SignedIn,
    access::{passkey_mac, user_mac},
    audit::Event,
    login::source_of,
    people::{
        PASSKEY, Page,
        page::PAGE_SECONDS,
        session::{Start, set_refresh_tokens_aside},
    },
};

/// A passkey that answered as it should.
struct Met {
    challenge: Challenge<DiscoverableAuthentication>,
    /// The passkey as it is after this use.
    row: PasskeyRow,
    /// Its authentication before.
    former: Vec<u8>,
}

/// One that did not.
struct Unmet {
    /// Whose it is, where that is known.
    user: Option<UserId>,
    /// For the audit log alone: whoever tries is told nothing of it.
    reason: &'static str,
}

impl Unmet {
    fn of(row: &PasskeyRow, reason: &'static str) -> Self {
        Self { user: Some(row.user_id), reason }
    }
}

impl Core {
    /// What a browser asks for to sign anybody in; none where passkeys do not work.
    pub fn passkey_login_request(&self, site: &str) -> Result<Option<PasskeyRequest>> {
        let Some(party) = relying_party(site) else { return Ok(None) };
        let (request, state) = party.start_discoverable_authentication().map_err(internal)?;
        let state = self.seal_challenge(Purpose::Login, Uuid::nil(), &state)?;
        Ok(Some(PasskeyRequest { options: options(&request, &[])?, state }))
    }

    /// What a browser asks for as second factor; none where its person has no passkey, or passkeys
    /// do not work.
    pub async fn passkey_factor_request(
        &self,
        signed_in: &SignedIn,
        site: &str,
    ) -> Result<Option<PasskeyRequest>> {
        let Some(party) = relying_party(site) else { return Ok(None) };
        let held = passkeys::of_user(&self.store, signed_in.user.id).await?;
        if held.is_empty() {
            return Ok(None);
        }
        let (request, state) = party.start_discoverable_authentication().map_err(internal)?;
        let named = held.into_iter().map(
            |row| json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(row.credential_id) }),
        );
        let options = options(&request, &[("/allowCredentials", named.collect())])?;
        let session = signed_in.user.session.uuid();
        let state = self.seal_challenge(Purpose::Factor, session, &state)?;
        Ok(Some(PasskeyRequest { options, state }))
    }

    /// Signs a person in with a browser, by a passkey: both factors.
    pub async fn passkey_login(
        &self,
        answer: &PasskeyAnswer<'_>,
        site: &str,
        origin: &Origin,
    ) -> Result<Page> {
        let met = match self.check(Purpose::Login, Uuid::nil(), None, answer, site).await? {
            Ok(met) => met,
            Err(unmet) => return Err(self.refuse_login(&unmet, origin).await?),
        };
        let user = users::find(&self.store, met.row.user_id).await?;
        let Some(user) = user.filter(|user| user.is_accepted) else {
            let unmet = Unmet::of(&met.row, "account");
            return Err(self.refuse_login(&unmet, origin).await?);
        };
        user_mac(&self.keys.rows, &user).verify(&user.mac)?;
        let mut tx = self.store.begin().await?;
        if !self.keep_use(&mut tx, &met).await? {
            drop(tx);
            let unmet = Unmet::of(&met.row, "passkey-replayed");
            return Err(self.refuse_login(&unmet, origin).await?);
        }
        let now = self.now().micros();
        user_sources::seen(&mut tx, user.id, &source_of(origin.ip), now).await?;
        let start = Start { auth_method: PASSKEY, chosen: None, longest: Some(PAGE_SECONDS) };
        let session = self.begin_session(&mut tx, &user, &start, origin).await?;
        let event = Event::new("user-login").details([
            ("authMethod", PASSKEY.into()),
            ("passkeyId", met.row.id.to_string().into()),
        ]);
        tx.audit(self.person_record(None, user.id, origin, &event));
        tx.commit().await?;
        self.page_token(&session, Some(PASSKEY))
    }

    /// Takes a passkey as second factor of somebody who signed in with a browser. It shows as well
    /// that they are there now.
    pub async fn passkey_factor(
        &self,
        signed_in: &SignedIn,
        answer: &PasskeyAnswer<'_>,
        site: &str,
    ) -> Result<Page> {
        let (user, session) = (signed_in.user.id, signed_in.user.session);
        let checked = self.check(Purpose::Factor, session.uuid(), Some(user), answer, site).await?;
        let met = match checked {
            Ok(met) => met,
            Err(unmet) => return Err(self.refuse_factor(signed_in, unmet.reason).await?),
        };
        let mut tx = self.store.begin().await?;
        let row = callers::user(&mut tx, user, session, None).await?;
        let row = row.ok_or_else(|| Error::not_found("User not found"))?;
        let former = self.live_session(&row)?.clone();
        if !self.keep_use(&mut tx, &met).await? {
            drop(tx);
            return Err(self.refuse_factor(signed_in, "passkey-replayed").await?);
        }
        // Tokens of before the second factor are set aside.
        let now = self.now().micros();
        let mut next = SessionRow { last_used_at: now, ..former.clone() };
        set_refresh_tokens_aside(&mut next);
        if !self.update_session(&mut tx, &mut next, &former).await? {
            return Err(Error::RateLimited { retry_after: 1 });
        }
        let event = Event::new("mfa-verified")
            .details([("mfaMethod", PASSKEY.into()), ("passkeyId", met.row.id.to_string().into())]);
        tx.audit(self.signed_in_record(signed_in, &event));
        tx.commit().await?;
        self.confirmed_page_token(&next, Some(PASSKEY), now)
    }

    /// Looks at what a device answered. Nothing is written.
    async fn check(
        &self,
        purpose: Purpose,
        session: Uuid,
        owner: Option<UserId>,
        answer: &PasskeyAnswer<'_>,
        site: &str,
    ) -> Result<Result<Met, Unmet>> {
        let party = require_relying_party(site)?;
        let nobody = |reason| Ok(Err(Unmet { user: owner, reason }));
        let challenge = self.open_challenge(purpose, session, answer.state);
        let Some(challenge): Option<Challenge<DiscoverableAuthentication>> = challenge else {
            return nobody("passkey-challenge");
        };
        let Ok(response) = serde_json::from_str::<PublicKeyCredential>(answer.response) else {
            return nobody("passkey-answer");
        };
        let found = passkeys::by_credential(&self.store, &response.raw_id).await?;
        let Some(mut row) = found else { return nobody("passkey-unknown") };
        passkey_mac(&self.keys.rows, &row).verify(&row.mac)?;
        let is_named = match response.get_user_unique_id() {
            Some(named) => named == row.user_id.uuid().as_bytes(),
            // Devices may leave it out where they were told which passkeys to use.
            None => owner.is_some(),
        };
        if !is_named || owner.is_some_and(|owner| owner != row.user_id) {
            return Ok(Err(Unmet { user: owner, reason: "passkey-of-another" }));
        }
        let mut credential: Credential = serde_json::from_str(&row.credential).map_err(internal)?;
        let state = challenge.state.clone();
        let used = match party.finish_discoverable_authentication_v2(&response, state, &credential)
        {
            Ok(used) if used.user_verified() => used,
            // Two devices hold the same key: one of them is a copy.
            Err(WebauthnError::CredentialPossibleCompromise) => {
                tracing::warn!(passkey.id = %row.id, "the counter of a passkey went back");
                return Ok(Err(Unmet::of(&row, "passkey-copied")));
            }
            Ok(_) | Err(_) => return Ok(Err(Unmet::of(&row, "passkey-wrong"))),
        };
        credential.update_credential(&used);
        row.credential = serde_json::to_string(&credential).map_err(internal)?;
        row.last_used_at = Some(self.now().micros());
        let former = std::mem::take(&mut row.mac);
        row.mac = passkey_mac(&self.keys.rows, &row).finish().to_vec();
        Ok(Ok(Met { challenge, row, former }))
    }

    /// Writes a use down; false when the same challenge was met before, or the passkey was used or
    /// removed at the same moment.
    async fn keep_use(&self, tx: &mut Tx, met: &Met) -> Result<bool> {
        Ok(self.meet_challenge(tx, &met.challenge).await?
            && passkeys::used(tx, &met.row, &met.former).await?)
    }

    async fn refuse_login(&self, unmet: &Unmet, origin: &Origin) -> Result<Error> {
        let user: Option<UserRow> = match unmet.user {
            Some(user) => users::find(&self.store, user).await?,
            None => None,
        };
        self.log_now(self.refused_login(user.as_ref(), unmet.reason, origin)).await?;
        Ok(not_accepted())
    }

    async fn refuse_factor(&self, signed_in: &SignedIn, reason: &'static str) -> Result<Error> {
        let event = Event::new("mfa-failed")
            .details([("mfaMethod", PASSKEY.into()), ("reason", reason.into())]);
        self.log_now(self.signed_in_record(signed_in, &event)).await?;
        Ok(not_accepted())
    }
}

/// The one answer to whatever is wrong with an answer.
fn not_accepted() -> Error {
    Error::bad_request("This passkey was not accepted, or it took too long; try again")
}
