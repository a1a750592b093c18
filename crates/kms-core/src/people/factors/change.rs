//! What somebody has to show before they change how they log in: that they are there now, and the
//! second factor, where one is asked for (attack H5).

use kms_api::UserId;
use kms_store::{
    callers,
    passkeys::HeldRow,
    users::{self, UserRow},
};
use secrecy::SecretString;

use super::{MAIL, owed::method};
use crate::{
    Core, Error, Result, SignedIn, access::user_mac, audit::Event, people::PASSKEY, people::Page,
};

/// Microseconds for which it counts that somebody showed who they are.
const RECENT: i64 = 10 * 60 * 1_000_000;

/// What is missing before somebody may change how they log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The password, once more: they signed in some time ago.
    Password,
    /// Another login, for the same reason: they have no password.
    Login,
    /// A second factor: `totp`, `email` or `webauthn`.
    Factor(&'static str),
}

impl Core {
    /// Refuses whoever signed in more than ten minutes ago, and gave no password since.
    pub fn require_recent(&self, signed_in: &SignedIn) -> Result<()> {
        if self.now().micros() - signed_in.proven_at <= RECENT {
            return Ok(());
        }
        Err(Error::forbidden("This needs a login of the last ten minutes; log in again"))
    }

    /// What is missing before somebody may change how they log in.
    pub async fn missing_to_change(&self, signed_in: &SignedIn) -> Result<Option<Missing>> {
        let user = self.account(signed_in).await?;
        if self.require_recent(signed_in).is_err() {
            let has_password = user.password_hash.is_some();
            return Ok(Some(if has_password { Missing::Password } else { Missing::Login }));
        }
        Ok(self.factor_to_change(signed_in, &user).await?.map(Missing::Factor))
    }

    /// Takes the password again of somebody who signed in with a browser some time ago.
    pub async fn confirm_page(
        &self,
        signed_in: &SignedIn,
        password: &SecretString,
    ) -> Result<Page> {
        // Whoever runs a provider must not find out the password of an account that is linked.
        self.require_own_login(signed_in).await?;
        let user = self.account(signed_in).await?;
        self.check_present_password(signed_in, &user, password, "confirm-login-failed").await?;
        let row = callers::user(&self.store, user.id, signed_in.user.session, None).await?;
        let row = row.ok_or_else(|| Error::not_found("User not found"))?;
        let session = self.live_session(&row)?;
        let factor = signed_in.factor.as_deref();
        let page = self.confirmed_page_token(session, factor, self.now().micros())?;
        self.log_now(self.signed_in_record(signed_in, &Event::new("confirm-login"))).await?;
        Ok(page)
    }

    /// Refuses to have an account changed by a password alone where a factor is asked for.
    pub(crate) async fn require_factor_to_change(
        &self,
        signed_in: &SignedIn,
        user: &UserRow,
    ) -> Result<()> {
        self.require_own_login(signed_in).await?;
        match self.factor_to_change(signed_in, user).await? {
            None => Ok(()),
            Some(_) => Err(needs_factor()),
        }
    }

    /// The second factor that somebody owes before they change how they log in, where they ask for
    /// one themselves or an organization of theirs does: the strongest that they have, or a passkey,
    /// whichever method was asked for elsewhere. Another passkey is another way to be both factors.
    async fn factor_to_change(
        &self,
        signed_in: &SignedIn,
        user: &UserRow,
    ) -> Result<Option<&'static str>> {
        self.require_own_login(signed_in).await?;
        let held = self.held(user.id).await?;
        let given = signed_in.factor.as_deref();
        // What is changed here counts wherever a factor is asked for, so nothing weaker will do.
        let strongest = method(None, held);
        if given == Some(PASSKEY) || given == Some(strongest) {
            return Ok(None);
        }
        if held.has_passkeys || user.is_mfa_enabled {
            return Ok(Some(strongest));
        }
        // Somebody without app and mail has nothing to give yet.
        if strongest == MAIL && !self.options.mailer.is_configured() {
            return Ok(None);
        }
        for (place, _) in self.places_of("user", user.id.uuid()).await? {
            self.require_genuine_organization(&place)?;
            if place.enforce_mfa || (place.auth_enforced && place.bypass_org_auth) {
                return Ok(Some(strongest));
            }
        }
        Ok(None)
    }

    /// What a person could give as second factor, besides mail.
    pub(in crate::people) async fn held(&self, user: UserId) -> Result<HeldRow> {
        let held = kms_store::passkeys::held(&self.store, user).await?;
        Ok(held.unwrap_or(HeldRow { has_app: false, has_passkeys: false }))
    }

    /// The account of somebody who may change how they log in.
    pub(in crate::people) async fn account_to_change(
        &self,
        signed_in: &SignedIn,
    ) -> Result<UserRow> {
        self.require_recent(signed_in)?;
        let user = self.account(signed_in).await?;
        self.require_factor_to_change(signed_in, &user).await?;
        Ok(user)
    }

    /// The account of somebody who is logged in, as its row stands.
    pub(in crate::people) async fn account(&self, signed_in: &SignedIn) -> Result<UserRow> {
        let row = users::find(&self.store, signed_in.user.id).await?;
        let row = row.ok_or_else(|| Error::not_found("User not found"))?;
        user_mac(&self.keys.rows, &row).verify(&row.mac)?;
        Ok(row)
    }
}

pub(super) fn needs_factor() -> Error {
    Error::forbidden("This needs a login with your second factor, or a code of it")
}
