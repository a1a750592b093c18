//! Authenticator apps: setting one up, taking its codes, giving it up; and what a person asks of
//! their own logins.

use kms_api::{
    UserId,
    auth::user::Done,
    users::{
        RecoveryCodes, TotpCode, TotpConfirmed, TotpRegistration, TotpState, UpdateMfa,
        UserResponse,
    },
};
use kms_crypto::TotpSeed;
use kms_store::{
    Tx,
    second_factors::{self, TotpRow},
    users::UserRow,
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{APP, MAIL, change::needs_factor};
use crate::{
    Core, Error, Result, SecondFactor, SignedIn,
    audit::Event,
    people::{PASSKEY, account::to_wire},
};

impl Core {
    /// Whether a person has an authenticator app that is known to have the seed.
    pub(in crate::people) async fn has_app(&self, user: UserId) -> Result<bool> {
        Ok(second_factors::totp(&self.store, user).await?.is_some_and(|row| row.is_confirmed))
    }

    /// Takes a code of a person's app, once; `confirmed` asks for an app that was set up.
    pub(super) async fn take_app_code(
        &self,
        tx: &mut Tx,
        user: UserId,
        code: &SecretString,
        confirmed: bool,
    ) -> Result<bool> {
        let row = second_factors::totp(&mut *tx, user).await?;
        let Some(row) = row.filter(|row| row.is_confirmed == confirmed) else { return Ok(false) };
        let seed = TotpSeed::open(&self.keys.seeds, user.uuid(), &row.sealed)?;
        match seed.step_of(code, self.now().seconds()) {
            Some(step) => Ok(second_factors::take_step(tx, &row, step).await?),
            None => Ok(false),
        }
    }

    /// Whether the person has an authenticator app. Recovery codes are shown when they are made
    /// and never again.
    pub async fn totp_state(&self, signed_in: &SignedIn) -> Result<TotpState> {
        let is_verified = self.has_app(signed_in.user.id).await?;
        Ok(TotpState { is_verified, recovery_codes: Vec::new() })
    }

    /// Makes a seed for an authenticator app; it counts once a code of it was given.
    pub async fn register_totp(&self, signed_in: &SignedIn) -> Result<TotpRegistration> {
        let user = self.account(signed_in).await?;
        self.require_factor_to_change(signed_in, &user).await?;
        let seed = TotpSeed::generate(self.entropy());
        let row = TotpRow {
            user_id: user.id,
            sealed: seed.seal(&self.keys.seeds, user.id.uuid(), self.entropy())?,
            is_confirmed: false,
            last_step: 0,
            created_at: self.now().micros(),
        };
        let link = seed.link(&user.email)?;
        let mut tx = self.store.begin().await?;
        if !second_factors::put_totp(&mut tx, &row).await? {
            return Err(Error::bad_request("An authenticator app is set up already"));
        }
        tx.audit(self.signed_in_record(signed_in, &Event::new("totp-register")));
        tx.commit().await?;
        Ok(TotpRegistration { otp_url: link.expose_secret().into(), recovery_codes: Vec::new() })
    }

    /// Takes the first code of an app, which shows that it has the seed, and answers recovery
    /// codes.
    pub async fn confirm_totp(
        &self,
        signed_in: &SignedIn,
        body: &TotpCode,
    ) -> Result<TotpConfirmed> {
        let account = self.account(signed_in).await?;
        self.require_factor_to_change(signed_in, &account).await?;
        self.take_own_code(signed_in, &body.totp, false).await?;
        let user = signed_in.user.id;
        let codes = self.draw_recovery_codes(user).await?;
        let mut tx = self.store.begin().await?;
        let recovery_codes = self.put_recovery_codes(&mut tx, user, codes).await?;
        tx.audit(self.signed_in_record(signed_in, &Event::new("totp-verify")));
        tx.commit().await?;
        Ok(TotpConfirmed { success: true, recovery_codes })
    }

    /// Gives up the authenticator app with its recovery codes. Who asked for its codes themselves
    /// does so no longer.
    pub async fn delete_totp(
        &self,
        signed_in: &SignedIn,
        code: Option<&SecretString>,
    ) -> Result<Done> {
        self.require_app(signed_in, code).await?;
        let mut user = self.account(signed_in).await?;
        let mut tx = self.store.begin().await?;
        second_factors::delete_totp(&mut tx, user.id).await?;
        second_factors::delete_recovery_codes(&mut tx, user.id).await?;
        if user.selected_mfa_method.as_deref() == Some(APP) {
            (user.is_mfa_enabled, user.selected_mfa_method) = (false, None);
            self.write_account(&mut tx, &mut user).await?;
        }
        tx.audit(self.signed_in_record(signed_in, &Event::new("totp-delete")));
        tx.commit().await?;
        Ok(Done { message: "Successfully removed the authenticator app".into() })
    }

    /// Replaces the recovery codes.
    pub async fn renew_recovery_codes(
        &self,
        signed_in: &SignedIn,
        code: Option<&SecretString>,
    ) -> Result<RecoveryCodes> {
        self.require_app(signed_in, code).await?;
        let user = signed_in.user.id;
        let codes = self.draw_recovery_codes(user).await?;
        let mut tx = self.store.begin().await?;
        let recovery_codes = self.put_recovery_codes(&mut tx, user, codes).await?;
        tx.audit(self.signed_in_record(signed_in, &Event::new("recovery-codes-renew")));
        tx.commit().await?;
        Ok(RecoveryCodes { recovery_codes })
    }

    /// Changes whether a second factor is asked of the person everywhere, and which.
    pub async fn update_mfa(&self, signed_in: &SignedIn, body: &UpdateMfa) -> Result<UserResponse> {
        let mut user = self.account(signed_in).await?;
        self.require_factor_to_change(signed_in, &user).await?;
        if let Some(method) = &body.selected_mfa_method {
            self.require_usable(signed_in, method).await?;
            user.selected_mfa_method = Some(method.clone());
        }
        user.is_mfa_enabled = body.is_mfa_enabled.unwrap_or(user.is_mfa_enabled);
        if user.is_mfa_enabled && body.selected_mfa_method.is_none() {
            let method = user.selected_mfa_method.clone().unwrap_or_else(|| MAIL.into());
            self.require_usable(signed_in, &method).await?;
            user.selected_mfa_method = Some(method);
        }
        let mut tx = self.store.begin().await?;
        self.write_account(&mut tx, &mut user).await?;
        let event = Event::new("update-user-mfa").details([
            ("isMfaEnabled", user.is_mfa_enabled.into()),
            ("selectedMfaMethod", user.selected_mfa_method.clone().into()),
        ]);
        tx.audit(self.signed_in_record(signed_in, &event));
        tx.commit().await?;
        Ok(UserResponse { user: to_wire(user) })
    }

    /// Refuses a method that would lock its person out.
    async fn require_usable(&self, signed_in: &SignedIn, method: &str) -> Result<()> {
        let refuse = |text| Err(Error::field("selectedMfaMethod", text));
        match method {
            APP if self.has_app(signed_in.user.id).await? => Ok(()),
            APP => refuse("needs an authenticator app that is set up"),
            MAIL if self.options.mailer.is_configured() => Ok(()),
            MAIL => refuse("needs mail, which is not configured on this server"),
            PASSKEY if self.held(signed_in.user.id).await?.has_passkeys => Ok(()),
            PASSKEY => refuse("needs a passkey, which is added in a browser"),
            _ => refuse("must be `email`, `totp` or `webauthn`"),
        }
    }

    /// Asks for the app itself before it is given up: by the login, or by a code.
    async fn require_app(&self, signed_in: &SignedIn, code: Option<&SecretString>) -> Result<()> {
        if !self.has_app(signed_in.user.id).await? {
            return Err(Error::not_found("No authenticator app is set up"));
        }
        match code {
            Some(code) => self.take_own_code(signed_in, code, true).await,
            None if signed_in.factor.as_deref() == Some(APP) => Ok(()),
            None => Err(needs_factor()),
        }
    }

    /// Takes a code from somebody who is logged in; counted like those of logins.
    async fn take_own_code(
        &self,
        signed_in: &SignedIn,
        code: &SecretString,
        confirmed: bool,
    ) -> Result<()> {
        let user = signed_in.user.id;
        let mut tx = self.store.begin().await?;
        self.count_code(&mut tx, user).await?;
        let holds = self.take_app_code(&mut tx, user, code, confirmed).await?;
        if holds {
            self.forget_codes(&mut tx, user).await?;
        } else {
            tx.audit(self.signed_in_record(signed_in, &Event::new("mfa-failed")));
        }
        tx.commit().await?;
        if holds { Ok(()) } else { Err(Error::SecondFactor(SecondFactor::Wrong)) }
    }

    pub(in crate::people) async fn write_account(
        &self,
        tx: &mut Tx,
        user: &mut UserRow,
    ) -> Result<()> {
        let epoch = user.epoch;
        if self.update_user(tx, user, epoch).await? {
            return Ok(());
        }
        Err(Error::bad_request("The account was changed at the same moment; try again"))
    }
}
