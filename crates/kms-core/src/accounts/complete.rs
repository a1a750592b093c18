//! Completing an account: name and password, after the address was shown to be somebody's.

use kms_api::{
    OrganizationId,
    accounts::{AccountCompleted, CompleteInvitation, CompleteSignUp},
};
use kms_crypto::SignUpUse;
use kms_store::{
    Tx,
    organizations::{self, OrganizationMembershipRow},
    user_sessions::SessionRow,
    users::{self, UserRow},
};
use secrecy::SecretString;

use super::{Proven, check_new_password, no_longer};
use crate::{
    Core, Error, Opened, Origin, Page, Result,
    access::{ACCEPTED, organization_membership_mac},
    audit::Event,
    organizations::organization_name,
    passwords::canonical_email,
    people::{Chosen, EMAIL, Grant, PAGE_SECONDS, Start, user_to_wire},
    text,
};

/// The longest first or last name, in characters.
const MAX_NAME: usize = 64;
/// The state of a membership that its member has yet to accept.
pub(super) const INVITED: &str = "invited";

/// What somebody says about themselves.
struct Person<'a> {
    email: &'a str,
    first_name: &'a str,
    last_name: Option<&'a str>,
    password: &'a SecretString,
}

/// An account that became its owner's, in a write that is not ended.
struct Joined {
    tx: Tx,
    user: UserRow,
    organization: OrganizationId,
}

impl Core {
    /// Completes the account of somebody who signed up, with an organization of their own.
    pub async fn complete_sign_up(
        &self,
        proven: &Proven,
        body: &CompleteSignUp,
        origin: &Origin,
    ) -> Result<Opened<AccountCompleted>> {
        let joined = self.sign_up(proven, body).await?;
        let chosen = Some(Chosen { root: joined.organization, sub: None });
        self.welcome(joined, Grant { chosen, factor: None }, origin).await
    }

    /// The same for somebody whose browser is signed in by it.
    pub async fn complete_sign_up_page(
        &self,
        proven: &Proven,
        body: &CompleteSignUp,
        origin: &Origin,
    ) -> Result<Page> {
        let joined = self.sign_up(proven, body).await?;
        self.welcome_page(joined, origin).await
    }

    async fn sign_up(&self, proven: &Proven, body: &CompleteSignUp) -> Result<Joined> {
        if body.use_default_org == Some(true) {
            return Err(Error::bad_request("This instance has no default organization"));
        }
        let name = body.organization_name.as_deref().unwrap_or_default();
        let name = organization_name("organizationName", name)?;
        let person = Person {
            email: &body.email,
            first_name: &body.first_name,
            last_name: body.last_name.as_deref(),
            password: &body.password,
        };
        let (mut tx, user) = self.accept(proven, SignUpUse::SignUp, &person, &name).await?;
        self.require_sign_up(&user.username).await?;
        let organization = self.insert_organization(&mut tx, &name).await?;
        let owner = ("user", user.id.uuid());
        self.insert_organization_member(&mut tx, organization.id, owner, "admin").await?;
        Ok(Joined { tx, user, organization: organization.id })
    }

    /// Completes the account of somebody who was invited, who is a member from here on.
    pub async fn complete_invitation(
        &self,
        proven: &Proven,
        body: &CompleteInvitation,
        origin: &Origin,
    ) -> Result<Opened<AccountCompleted>> {
        let joined = self.join(proven, body).await?;
        // Which organization is acted in is chosen afterwards, where a second factor is asked for.
        self.welcome(joined, Grant::default(), origin).await
    }

    /// The same for somebody whose browser is signed in by it.
    pub async fn complete_invitation_page(
        &self,
        proven: &Proven,
        body: &CompleteInvitation,
        origin: &Origin,
    ) -> Result<Page> {
        let joined = self.join(proven, body).await?;
        self.welcome_page(joined, origin).await
    }

    async fn join(&self, proven: &Proven, body: &CompleteInvitation) -> Result<Joined> {
        let organization = proven.organization.ok_or_else(no_longer)?;
        let row = organizations::find(&self.store, organization).await?;
        let name = row.ok_or_else(no_longer)?.name;
        let person = Person {
            email: &body.email,
            first_name: &body.first_name,
            last_name: body.last_name.as_deref(),
            password: &body.password,
        };
        let (mut tx, user) = self.accept(proven, SignUpUse::Invitation, &person, &name).await?;
        self.accept_membership(&mut tx, organization, &user).await?;
        Ok(Joined { tx, user, organization })
    }

    /// Makes an invited member one who takes part.
    pub(super) async fn accept_membership(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        user: &UserRow,
    ) -> Result<OrganizationMembershipRow> {
        let who = user.id.uuid();
        let row = organizations::membership(&mut *tx, organization, who, "user").await?;
        let mut row = row.filter(|row| row.status == INVITED && row.is_active);
        let row = row.as_mut().ok_or_else(no_longer)?;
        organization_membership_mac(&self.keys.rows, row).verify(&row.mac)?;
        row.status = ACCEPTED.into();
        self.write_membership(tx, row).await?;
        self.touches_rights(tx);
        Ok(row.clone())
    }

    /// Begins the write that makes an account its owner's. It succeeds once: the account moves on
    /// to another epoch, and with it every token that was for completing it.
    async fn accept(
        &self,
        proven: &Proven,
        what: SignUpUse,
        person: &Person<'_>,
        organization: &str,
    ) -> Result<(Tx, UserRow)> {
        let address = canonical_email("email", person.email)?;
        let first_name = text::name("firstName", person.first_name, MAX_NAME)?;
        let last_name = person.last_name.filter(|name| !name.trim().is_empty());
        let last_name = last_name.map(|name| text::name("lastName", name, MAX_NAME)).transpose()?;
        check_new_password("password", person.password, &[&address, organization])?;
        let row = users::find(&self.store, proven.user).await?;
        let is_it = |row: &UserRow| {
            !row.is_accepted && row.username == address && row.epoch == proven.epoch
        };
        let mut user = row.filter(is_it).filter(|_| proven.what == what).ok_or_else(no_longer)?;
        let hash = self.passwords.hash(person.password, &self.options.entropy).await?;
        user.first_name = Some(first_name);
        user.last_name = last_name;
        user.password_hash = Some(hash);
        user.is_accepted = true;
        user.epoch += 1;
        let mut tx = self.store.begin().await?;
        if !self.update_user(&mut tx, &mut user, proven.epoch).await? {
            return Err(no_longer());
        }
        Ok((tx, user))
    }

    /// Ends that write and logs the owner in.
    async fn welcome(
        &self,
        joined: Joined,
        grant: Grant,
        origin: &Origin,
    ) -> Result<Opened<AccountCompleted>> {
        let organization = joined.organization;
        let start = Start { auth_method: EMAIL, chosen: grant.chosen, longest: None };
        let (user, session) = self.log_in_joined(joined, &start, origin).await?;
        let tokens = self.session_tokens(&session, &grant)?;
        let answer = AccountCompleted {
            message: "Successfully set up account".into(),
            user: user_to_wire(user),
            token: tokens.access,
            organization_id: Some(organization),
        };
        Ok(Opened { answer, refresh: tokens.refresh })
    }

    /// Ends that write and signs the owner's browser in.
    async fn welcome_page(&self, joined: Joined, origin: &Origin) -> Result<Page> {
        let start = Start { auth_method: EMAIL, chosen: None, longest: Some(PAGE_SECONDS) };
        let (_, session) = self.log_in_joined(joined, &start, origin).await?;
        self.page_token(&session, None)
    }

    async fn log_in_joined(
        &self,
        joined: Joined,
        start: &Start,
        origin: &Origin,
    ) -> Result<(UserRow, SessionRow)> {
        let Joined { mut tx, user, organization } = joined;
        let session = self.begin_session(&mut tx, &user, start, origin).await?;
        self.touches_rights(&mut tx);
        let event =
            Event::new("complete-account").details([("email", user.username.clone().into())]);
        tx.audit(self.person_record(Some(organization), user.id, origin, &event));
        tx.commit().await?;
        Ok((user, session))
    }
}
