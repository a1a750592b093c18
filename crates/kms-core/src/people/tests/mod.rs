//! People against the server, as owners and as attackers.

mod changing;
mod device;
mod factors;
mod guessing;
mod passkeys;
mod refreshing;
mod selecting;

use std::sync::Arc;

use kms_api::{
    OrganizationId, UserId,
    auth::user::{PasswordLogin, SelectOrganization, SelectedOrganization},
};
use kms_crypto::claims::UserAccessClaims;
use kms_store::{organizations, users};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Opened, Selection};
use crate::{
    Error, Origin, Result, SignedIn,
    testing::{
        World,
        machines::{HOME, from},
    },
    users::NewUser,
};

pub(crate) const EMAIL: &str = "ada@example.test";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The tokens of a login.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

pub(crate) fn login_of<T>(opened: Opened<T>, access: impl FnOnce(T) -> String) -> Login {
    Login { refresh: opened.refresh.expose_secret().into(), access: access(opened.answer) }
}

/// Why something was refused; panics with what it is where it was not.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T>) -> Error {
    match result {
        Err(error) => error,
        Ok(_) => panic!("it was let through"),
    }
}

impl World {
    /// A person who may log in, a member of our organization.
    pub(crate) async fn ada(&self) -> UserId {
        let password = SecretString::from(PASSWORD);
        let entropy = &self.core.options.entropy;
        let hash = self.core.passwords.hash(&password, entropy).await.unwrap();
        let new = NewUser {
            email: EMAIL.into(),
            first_name: None,
            last_name: None,
            password_hash: Some(hash),
            super_admin: false,
            is_accepted: true,
            is_email_verified: true,
        };
        let mut tx = self.store.begin().await.unwrap();
        let id = self.core.insert_user(&mut tx, new).await.unwrap().id;
        let (org, principal) = (self.ours.organization, ("user", id.uuid()));
        self.core.insert_organization_member(&mut tx, org, principal, "member").await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub(crate) async fn try_login(
        &self,
        email: &str,
        password: &str,
        refresh: Option<&str>,
        origin: &Origin,
    ) -> Result<Login> {
        let body = PasswordLogin { email: email.into(), password: password.into() };
        let opened = self.core.password_login(&body, refresh, origin).await?;
        Ok(login_of(opened, |answer| answer.access_token))
    }

    /// Logs Ada in, nowhere yet.
    pub(crate) async fn log_in(&self) -> Login {
        self.try_login(EMAIL, PASSWORD, None, &from(HOME)).await.unwrap()
    }

    pub(crate) async fn signed_in(&self, access: &str) -> Result<SignedIn> {
        self.core.authenticate_user(access, from(HOME)).await
    }

    pub(crate) async fn select(
        &self,
        login: &Login,
        organization: OrganizationId,
        cookie: Option<&str>,
    ) -> Result<Selection> {
        let signed_in = self.signed_in(&login.access).await?;
        let body = SelectOrganization { organization_id: organization, user_agent: None };
        self.core.select_organization(&signed_in, &body, cookie).await
    }

    /// Chooses an organization that asks for nothing more.
    pub(crate) async fn enter(&self, login: &Login, organization: OrganizationId) -> Login {
        match self.select(login, organization, None).await.unwrap() {
            Selection::Opened(opened) => login_of(opened, |answer| answer.token),
            Selection::Owes(_) => panic!("a second factor is asked for"),
        }
    }

    /// Chooses our organization, which asks for a second factor.
    pub(crate) async fn owe(&self, login: &Login) -> SelectedOrganization {
        match self.select(login, self.ours.organization, None).await.unwrap() {
            Selection::Opened(_) => panic!("no second factor is asked for"),
            Selection::Owes(answer) => answer,
        }
    }

    pub(crate) async fn refresh(&self, login: &Login) -> Result<Login> {
        let opened = self.core.refresh(Some(&login.refresh), &from(HOME)).await?;
        Ok(login_of(opened, |answer| answer.token))
    }

    pub(crate) fn user_claims(&self, access: &str) -> UserAccessClaims {
        self.core.keys.tokens.verify(access, self.core.now().seconds()).unwrap()
    }

    /// Changes an account as the server does.
    pub(crate) async fn change_user(&self, id: UserId, change: impl FnOnce(&mut users::UserRow)) {
        let mut tx = self.store.begin().await.unwrap();
        let mut row = users::find(&mut tx, id).await.unwrap().unwrap();
        let epoch = row.epoch;
        change(&mut row);
        assert!(self.core.update_user(&mut tx, &mut row, epoch).await.unwrap());
        self.core.touches_rights(&mut tx);
        tx.commit().await.unwrap();
    }

    /// Changes what our organization asks for.
    pub(crate) async fn change_ours(
        &self,
        change: impl FnOnce(&mut organizations::OrganizationRow),
    ) {
        let mut tx = self.store.begin().await.unwrap();
        let id = self.ours.organization;
        let mut row = organizations::find(&mut tx, id).await.unwrap().unwrap();
        change(&mut row);
        self.core.update_row(&mut tx, &mut row).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The kinds of all records, oldest first.
    pub(crate) async fn events(&self) -> Vec<String> {
        use kms_store::Source as _;
        let sql = "SELECT event_type FROM audit_logs ORDER BY created_at, org_id, seq";
        let rows = (&self.store).fetch_all::<(String,)>(sql, ()).await.unwrap();
        rows.into_iter().map(|row| row.0).collect()
    }
}

pub(crate) async fn shared() -> Arc<World> {
    Arc::new(World::new().await)
}
