//! Whose account it is that a provider speaks of (attack H6).
//!
//! A subject is looked up by provider, issuer and subject. An address finds an account only where
//! nobody has completed that account yet, or to ask its owner for proof: whoever administers an
//! organization can make its provider say any address at all.

use kms_api::UserId;
use kms_auth::sso::Identity;
use kms_store::{
    StoreError, Tx,
    identity_providers::{self, LinkRow, ProviderRow},
    organizations::{self, OrganizationRow},
    user_sessions::SessionRow,
    users::{self, UserRow},
};

use super::domains_of;
use crate::{
    Core, Error, Origin, Page, Result,
    access::{ACCEPTED, link_mac, organization_membership_mac, user_mac},
    audit::Event,
    organizations::Joining,
    people::{OIDC, PAGE_SECONDS, Start},
    text,
    users::NewUser,
};

const USER: &str = "user";
const INVITED: &str = "invited";
/// The longest first or last name that is taken over, in characters.
const MAX_NAME: usize = 64;

/// What a provider said, to whom, and about whom.
pub(super) struct Said<'a> {
    pub(super) root: &'a OrganizationRow,
    pub(super) provider: &'a ProviderRow,
    pub(super) identity: &'a Identity,
    /// The address in its one form, of a domain that the provider may vouch for.
    pub(super) address: String,
    pub(super) origin: &'a Origin,
}

/// Whose account that is.
pub(super) enum Whose {
    /// Theirs; their browser is signed in.
    Theirs(Page),
    /// Somebody's who has yet to show that they are the same.
    Unproven(UserId),
    /// Nobody's whom the organization expects.
    Nobodys,
    /// Somebody's whom the organization keeps out.
    Suspended,
}

/// How somebody belongs to the organization.
#[derive(PartialEq, Eq)]
enum Standing {
    Member,
    Suspended,
    Stranger,
}

impl Core {
    /// Finds the account, completes or makes it where that is right, and signs the browser in.
    pub(super) async fn whose(&self, said: &Said<'_>) -> Result<Whose> {
        let Said { provider, identity, .. } = said;
        let mut tx = self.store.begin().await?;
        let (issuer, subject) = (&provider.issuer, &identity.subject);
        let link = identity_providers::link(&mut tx, provider.id, issuer, subject).await?;
        let is_linked = link.is_some();
        let mut user = if let Some(link) = link {
            self.linked(&mut tx, &link).await?
        } else {
            let known = users::by_username(&mut tx, &said.address).await?;
            // Asked first, so that nobody learns of an account which is not expected here.
            if !self.expects(&mut tx, said, known.as_ref()).await? {
                return Ok(Whose::Nobodys);
            }
            if let Some(user) = known.as_ref().filter(|user| user.is_accepted) {
                return Ok(Whose::Unproven(user.id));
            }
            match known {
                Some(user) => self.complete_by_provider(&mut tx, said, user).await?,
                None => self.insert_user(&mut tx, new_user(said)).await.map_err(at_once)?,
            }
        };
        match self
            .join_by_provider(&mut tx, said.root, said.provider, &mut user, said.origin)
            .await?
        {
            Standing::Suspended => return Ok(Whose::Suspended),
            Standing::Stranger => return Ok(Whose::Nobodys),
            Standing::Member => {}
        }
        if !is_linked {
            self.insert_link(&mut tx, said.provider, subject, &user).await?;
        }
        let page = self.open_page(tx, said.provider, &user, said.origin).await?;
        Ok(Whose::Theirs(page))
    }

    /// The account of a link.
    async fn linked(&self, tx: &mut Tx, link: &LinkRow) -> Result<UserRow> {
        link_mac(&self.keys.rows, link).verify(&link.mac)?;
        let user = users::find(&mut *tx, link.user_id).await?;
        let user = user.ok_or_else(|| Error::not_found("User not found"))?;
        user_mac(&self.keys.rows, &user).verify(&user.mac)?;
        Ok(user)
    }

    /// Whether the organization expects somebody: by invitation, or because it lets its provider
    /// say who belongs to it.
    async fn expects(&self, tx: &mut Tx, said: &Said<'_>, user: Option<&UserRow>) -> Result<bool> {
        if !domains_of(said.provider)?.is_empty() {
            return Ok(true);
        }
        let Some(user) = user else { return Ok(false) };
        let id = user.id.uuid();
        Ok(organizations::membership(&mut *tx, said.root.id, id, USER).await?.is_some())
    }

    /// Completes an account that nobody had yet. No password and no proof of the address comes of
    /// it: the provider's word is good in its own organization alone.
    async fn complete_by_provider(
        &self,
        tx: &mut Tx,
        said: &Said<'_>,
        mut user: UserRow,
    ) -> Result<UserRow> {
        let epoch = user.epoch;
        let NewUser { first_name, last_name, .. } = new_user(said);
        user.first_name = first_name;
        user.last_name = last_name;
        user.is_accepted = true;
        // Whatever was mailed for completing it is good no more.
        user.epoch += 1;
        if self.update_user(tx, &mut user, epoch).await? {
            return Ok(user);
        }
        Err(same_moment())
    }

    /// Makes somebody a member who takes part, where they are invited or where the provider may
    /// say who belongs to the organization.
    async fn join_by_provider(
        &self,
        tx: &mut Tx,
        root: &OrganizationRow,
        provider: &ProviderRow,
        user: &mut UserRow,
        origin: &Origin,
    ) -> Result<Standing> {
        let id = user.id.uuid();
        let row = match organizations::membership(&mut *tx, root.id, id, USER).await? {
            Some(mut row) => {
                organization_membership_mac(&self.keys.rows, &row).verify(&row.mac)?;
                if !row.is_active {
                    return Ok(Standing::Suspended);
                }
                if row.status == ACCEPTED {
                    return Ok(Standing::Member);
                }
                if row.status != INVITED {
                    return Ok(Standing::Stranger);
                }
                row.status = ACCEPTED.into();
                self.write_membership(tx, &mut row).await?;
                row
            }
            None if domains_of(provider)?.is_empty() => return Ok(Standing::Stranger),
            None => {
                let (principal, role) = ((USER, id), root.default_role.as_str());
                let joining = Joining { organization: root.id, principal, role, status: ACCEPTED };
                self.insert_membership(tx, &joining).await?
            }
        };
        self.touches_rights(tx);
        let event = Event::new("sso-join").details([
            ("providerId", provider.id.to_string().into()),
            ("membershipId", row.id.to_string().into()),
            ("role", row.role.into()),
        ]);
        tx.audit(self.person_record(Some(root.id), user.id, origin, &event));
        Ok(Standing::Member)
    }

    async fn insert_link(
        &self,
        tx: &mut Tx,
        provider: &ProviderRow,
        subject: &str,
        user: &UserRow,
    ) -> Result<()> {
        let mut row = LinkRow {
            provider_id: provider.id,
            issuer: provider.issuer.clone(),
            subject: subject.to_owned(),
            user_id: user.id,
            created_at: self.now().micros(),
            mac: Vec::new(),
        };
        row.mac = link_mac(&self.keys.rows, &row).finish().to_vec();
        match identity_providers::insert_link(tx, &row).await {
            Err(StoreError::Duplicate) => Err(same_moment()),
            other => Ok(other?),
        }
    }

    /// Connects what a provider said with the account of somebody who showed that it is theirs.
    pub(super) async fn connect_account(
        &self,
        mut tx: Tx,
        root: &OrganizationRow,
        provider: &ProviderRow,
        subject: &str,
        user: &mut UserRow,
        origin: &Origin,
    ) -> Result<Page> {
        if self.join_by_provider(&mut tx, root, provider, user, origin).await? != Standing::Member {
            return Err(super::failed("You are not a member of this organization"));
        }
        self.insert_link(&mut tx, provider, subject, user).await?;
        let event =
            Event::new("sso-connect").details([("providerId", provider.id.to_string().into())]);
        tx.audit(self.person_record(Some(root.id), user.id, origin, &event));
        self.open_page(tx, provider, user, origin).await
    }

    /// Ends the write with a browser's sign-in that rests on the provider's word.
    async fn open_page(
        &self,
        mut tx: Tx,
        provider: &ProviderRow,
        user: &UserRow,
        origin: &Origin,
    ) -> Result<Page> {
        let start = Start { auth_method: OIDC, chosen: None, longest: Some(PAGE_SECONDS) };
        let mut session =
            SessionRow { provider_id: Some(provider.id), ..self.new_session(user, &start, origin) };
        self.insert_session(&mut tx, &mut session).await?;
        let event = Event::new("user-login")
            .details([("authMethod", OIDC.into()), ("providerId", provider.id.to_string().into())]);
        tx.audit(self.person_record(Some(provider.org_id), user.id, origin, &event));
        tx.commit().await?;
        self.page_token(&session, None)
    }
}

/// Two browsers of one person may come back at one moment.
fn at_once(error: Error) -> Error {
    match error {
        Error::Internal(source) if matches!(source.downcast_ref(), Some(StoreError::Duplicate)) => {
            same_moment()
        }
        other => other,
    }
}

fn same_moment() -> Error {
    Error::Unavailable("Somebody else just did the same; try again")
}

fn new_user(said: &Said<'_>) -> NewUser {
    let name = |name: &Option<String>| {
        name.as_deref().and_then(|name| text::name("name", name, MAX_NAME).ok())
    };
    NewUser {
        email: said.address.clone(),
        first_name: name(&said.identity.first_name),
        last_name: name(&said.identity.last_name),
        password_hash: None,
        super_admin: false,
        is_accepted: true,
        is_email_verified: false,
    }
}
