//! Setting an instance up: once, by whoever holds the set-up token or sits at the server's own
//! machine (attack H12).

use kms_api::{
    OrganizationId,
    admin::{
        AdminSignUp, AdminSignUpResponse, Bootstrap, BootstrapCredentials, BootstrapIdentity,
        BootstrapOrganization, BootstrapResponse, BootstrapUser,
    },
    auth::TokenSettings,
};
use kms_store::{Tx, instance, organizations::OrganizationRow, users::UserRow};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    Core, Error, Opened, Origin, Result,
    accounts::check_new_password,
    audit::{AuditActor, Event},
    identities::NewIdentity,
    login::Scope,
    organizations::organization_name,
    passwords::canonical_email,
    people::{Chosen, Grant},
    text,
    users::NewUser,
};

/// What the set-up token is hashed as.
const SETUP_TOKEN: &str = "setup-token";
/// The longest first or last name, in characters.
const MAX_NAME: usize = 64;

/// Who asks for an instance to be set up.
#[derive(Clone, Debug, Default)]
pub struct Installer {
    /// The set-up token that came beside the body; one in the body counts before it.
    pub setup_token: Option<SecretString>,
    /// Whether the request was made on the server's own machine, by nobody on behalf of others.
    pub local: bool,
    /// From where.
    pub origin: Origin,
}

impl Core {
    /// Makes a set-up token while the instance is not set up; only its hash is kept, so the
    /// newest is the one that counts.
    pub async fn setup_token(&self) -> Result<Option<SecretString>> {
        let token = SecretString::from(self.random_text::<32>());
        let hash = self.keys.lookup.hash(SETUP_TOKEN, token.expose_secret());
        let mut tx = self.store.begin().await?;
        let needed = instance::set_setup_token(&mut tx, hash.as_bytes()).await?;
        tx.commit().await?;
        Ok(needed.then_some(token))
    }

    /// Makes the first administrator, the first organization, and an identity that administers
    /// both the instance and the organization.
    pub async fn bootstrap(
        &self,
        body: &Bootstrap,
        installer: &Installer,
    ) -> Result<BootstrapResponse> {
        let token = body.setup_token.as_ref().or(installer.setup_token.as_ref());
        self.may_set_up(token, installer.local).await?;
        let email = canonical_email("email", &body.email)?;
        let name = organization_name("organization", &body.organization)?;
        check_new_password("password", &body.password, &[&email, &name])?;
        let password_hash = self.passwords.hash(&body.password, &self.options.entropy).await?;
        let mut tx = self.begin_set_up().await?;
        let user = NewUser {
            email,
            first_name: Some("Admin".into()),
            last_name: Some("User".into()),
            password_hash: Some(password_hash),
            super_admin: true,
            is_accepted: true,
            is_email_verified: false,
        };
        let user = self.insert_user(&mut tx, user).await?;
        let organization = self.insert_organization(&mut tx, &name).await?;
        let owner = ("user", user.id.uuid());
        self.insert_organization_member(&mut tx, organization.id, owner, "admin").await?;
        let identity = self.insert_instance_identity(&mut tx, &organization).await?;
        self.finish_set_up(tx, organization.id, installer, "bootstrap-instance").await?;
        Ok(BootstrapResponse {
            message: "Successfully bootstrapped instance".into(),
            identity,
            organization: BootstrapOrganization {
                id: organization.id,
                name: organization.name,
                slug: organization.slug,
            },
            user: user_to_wire(user),
        })
    }

    /// Makes the first administrator and the first organization, and logs the administrator in.
    pub async fn admin_sign_up(
        &self,
        body: &AdminSignUp,
        installer: &Installer,
    ) -> Result<Opened<AdminSignUpResponse>> {
        let token = body.setup_token.as_ref().or(installer.setup_token.as_ref());
        self.may_set_up(token, false).await?;
        let email = canonical_email("email", &body.email)?;
        let first_name = Some(text::name("firstName", &body.first_name, MAX_NAME)?);
        let last_name = body.last_name.as_deref().filter(|name| !name.trim().is_empty());
        let last_name = last_name.map(|name| text::name("lastName", name, MAX_NAME)).transpose()?;
        check_new_password("password", &body.password, &[&email])?;
        let password_hash = self.passwords.hash(&body.password, &self.options.entropy).await?;
        let mut tx = self.begin_set_up().await?;
        let user = NewUser {
            email,
            first_name,
            last_name,
            password_hash: Some(password_hash),
            super_admin: true,
            is_accepted: true,
            is_email_verified: false,
        };
        let user = self.insert_user(&mut tx, user).await?;
        let organization = self.insert_organization(&mut tx, "Admin Org").await?;
        let owner = ("user", user.id.uuid());
        self.insert_organization_member(&mut tx, organization.id, owner, "admin").await?;
        let chosen = Some(Chosen { root: organization.id, sub: None });
        let grant = Grant { chosen, factor: None };
        let tokens = self.start_session(&mut tx, &user, &grant, &installer.origin).await?;
        self.finish_set_up(tx, organization.id, installer, "admin-signup").await?;
        let answer = AdminSignUpResponse {
            message: "Successfully set up admin account".into(),
            user: user_to_wire(user),
            organization: crate::organizations::to_wire(organization),
            new: tokens.access.clone(),
            token: tokens.access,
        };
        Ok(Opened { answer, refresh: tokens.refresh })
    }

    /// Text of `N` random bytes in hexadecimal digits.
    pub(crate) fn random_text<const N: usize>(&self) -> String {
        hex::encode(kms_crypto::random_bytes::<N>(self.entropy()))
    }

    /// Begins the write that sets the instance up; it succeeds for exactly one caller ever.
    pub(crate) async fn begin_set_up(&self) -> Result<Tx> {
        let mut tx = self.store.begin().await?;
        if instance::initialize(&mut tx).await? { Ok(tx) } else { Err(already_set_up()) }
    }

    pub(crate) async fn finish_set_up(
        &self,
        mut tx: Tx,
        organization: OrganizationId,
        installer: &Installer,
        kind: &'static str,
    ) -> Result<()> {
        self.touches_rights(&mut tx);
        let actor = AuditActor::platform();
        tx.audit(self.record_of(organization, &actor, &installer.origin, &Event::new(kind)));
        Ok(tx.commit().await?)
    }

    /// Asked before anything costly is done, so that strangers cannot make the server work.
    async fn may_set_up(&self, token: Option<&SecretString>, local: bool) -> Result<()> {
        let instance = instance::find(&self.store).await?;
        let instance = instance.filter(|instance| !instance.initialized);
        let instance = instance.ok_or_else(already_set_up)?;
        let is_token = |token: &SecretString| {
            let hash = self.keys.lookup.hash(SETUP_TOKEN, token.expose_secret());
            instance.setup_token_hash.as_deref().is_some_and(|stored| hash.ct_eq(stored))
        };
        if local || token.is_some_and(is_token) {
            return Ok(());
        }
        tracing::warn!("somebody tried to set the instance up without its set-up token");
        Err(Error::forbidden(
            "Setting up this instance needs the set-up token that the server printed at its start",
        ))
    }

    /// Adds an identity that administers the instance and an organization, with a token that
    /// lives as long as the server allows.
    async fn insert_instance_identity(
        &self,
        tx: &mut Tx,
        organization: &OrganizationRow,
    ) -> Result<BootstrapIdentity> {
        let identity = NewIdentity {
            organization: organization.id,
            name: "Instance Admin Identity".into(),
            role: "admin".into(),
            has_delete_protection: false,
            metadata: None,
            is_instance_admin: true,
        };
        let identity = self.insert_identity(tx, identity).await?;
        let as_long_as_allowed = TokenSettings {
            access_token_ttl: Some(0),
            access_token_max_ttl: Some(0),
            ..TokenSettings::default()
        };
        let method = self.insert_token_auth(tx, &identity, &as_long_as_allowed).await?;
        let scope = Scope::of(organization);
        let name = Some("Instance Admin Token".to_owned());
        let (login, _) = self.insert_token(tx, &identity, &method, &scope, name).await?;
        Ok(BootstrapIdentity {
            id: identity.id,
            name: identity.name,
            credentials: BootstrapCredentials { token: login.access_token },
        })
    }
}

pub(crate) fn already_set_up() -> Error {
    Error::bad_request("Instance has already been set up")
}

fn user_to_wire(user: UserRow) -> BootstrapUser {
    BootstrapUser {
        id: user.id,
        username: user.username,
        email: user.email,
        first_name: user.first_name,
        last_name: user.last_name,
        super_admin: user.super_admin,
    }
}

#[cfg(test)]
mod tests;
