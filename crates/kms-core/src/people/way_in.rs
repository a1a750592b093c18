//! Which way somebody must have come in to act in an organization: beside `factors/owed.rs` the
//! one policy behind every route, page and refresh (attack H5).

use kms_api::{OrganizationId, ProviderId, UserId};
use kms_store::{
    identity_providers::{self, ProviderRow},
    organizations::{self, OrganizationRow},
    users,
};

use crate::{
    Core, Error, Result, SignedIn,
    access::{is_acting_member, provider_mac, user_mac},
};

/// The name of the error, for programs.
const REQUIRED: &str = "SsoRequired";
const ADMIN: &str = "admin";

/// How a session came in, as far as an organization asks about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Came {
    /// The identity provider that it rests on; none for a login of the person's own.
    pub(crate) by: Option<ProviderId>,
    /// Whether the person administers the organization.
    pub(crate) is_admin: bool,
}

/// Why a session may not act below a root organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// People act there by its identity provider alone.
    NeedsProvider,
    /// The session rests on the word of another organization's provider, or of one that is not
    /// used any more.
    NotIts,
}

impl Closed {
    const fn text(self) -> &'static str {
        match self {
            Self::NeedsProvider => {
                "This organization signs in with single sign-on: run `kms login`"
            }
            Self::NotIts => {
                "This login came through another organization's single sign-on: run `kms login` \
                 and log in by yourself"
            }
        }
    }
}

/// Whether a session may act below a root organization with this identity provider, if it has one.
///
/// What an organization's provider says counts in that organization and nowhere else: whoever
/// administers one must not become its members elsewhere (attack H6).
pub(in crate::people) fn closed(
    root: &OrganizationRow,
    provider: Option<&ProviderRow>,
    came: Came,
) -> Option<Closed> {
    let is_its = |id: ProviderId| {
        provider.is_some_and(|row| row.id == id && row.org_id == root.id && row.is_active)
    };
    match came.by {
        Some(id) => (!is_its(id)).then_some(Closed::NotIts),
        None if !root.auth_enforced => None,
        // Such a login owes a second factor as well; see `owed`.
        None if root.bypass_org_auth && came.is_admin => None,
        None => Some(Closed::NeedsProvider),
    }
}

impl Core {
    /// Refuses a session that did not come in as a root organization asks.
    pub(crate) async fn require_way_in(
        &self,
        root: &OrganizationRow,
        user: UserId,
        by: Option<ProviderId>,
    ) -> Result<()> {
        let Some(closed) = self.closed_to(root, user, by).await? else { return Ok(()) };
        Err(Error::SingleSignOn { organization: root.slug.clone(), message: closed.text() })
    }

    /// The same for a session that acts there already.
    pub(crate) async fn require_way_in_still(
        &self,
        root: &OrganizationRow,
        user: UserId,
        by: Option<ProviderId>,
    ) -> Result<()> {
        let Some(closed) = self.closed_to(root, user, by).await? else { return Ok(()) };
        Err(Error::SessionOver { name: REQUIRED, message: closed.text() })
    }

    async fn closed_to(
        &self,
        root: &OrganizationRow,
        user: UserId,
        by: Option<ProviderId>,
    ) -> Result<Option<Closed>> {
        let provider = match by {
            Some(_) => identity_providers::of_organization(&self.store, root.id).await?,
            None => None,
        };
        if let Some(provider) = &provider {
            provider_mac(&self.keys.rows, provider).verify(&provider.mac)?;
        }
        let asks = by.is_none() && root.auth_enforced && root.bypass_org_auth;
        let is_admin = asks && self.administers(root.id, user).await?;
        Ok(closed(root, provider.as_ref(), Came { by, is_admin }))
    }

    async fn administers(&self, organization: OrganizationId, user: UserId) -> Result<bool> {
        let id = user.uuid();
        let found = organizations::membership(&self.store, organization, id, "user").await?;
        let Some(row) = found.filter(|row| row.role == ADMIN) else { return Ok(false) };
        is_acting_member(&self.keys.rows, organization, &row)
    }

    /// The root organization whose provider a session rests on; none for a login of the person's
    /// own.
    pub(crate) async fn bounds_of(&self, signed_in: &SignedIn) -> Result<Option<OrganizationId>> {
        let Some(id) = signed_in.provider else { return Ok(None) };
        let provider = identity_providers::find(&self.store, id).await?;
        let provider = provider.ok_or_else(ended)?;
        provider_mac(&self.keys.rows, &provider).verify(&provider.mac)?;
        if provider.is_active { Ok(Some(provider.org_id)) } else { Err(ended()) }
    }

    /// Refuses what is somebody's own alone, whatever their account is: another way to log in to it,
    /// and organizations of theirs.
    pub(crate) fn require_no_provider(signed_in: &SignedIn) -> Result<()> {
        if signed_in.provider.is_none() {
            return Ok(());
        }
        Err(Error::forbidden(
            "This needs a login of your own, not one by single sign-on. If you have no password, \
             reset it",
        ))
    }

    /// Refuses to have anything of an account changed that counts beyond the organization whose
    /// provider the session rests on (attack H6): whoever runs a provider must not become its
    /// people elsewhere. An account that lives by this provider alone has nothing beyond.
    pub(crate) async fn require_own_login(&self, signed_in: &SignedIn) -> Result<()> {
        let Some(root) = self.bounds_of(signed_in).await? else { return Ok(()) };
        let id = signed_in.user.id;
        let user = users::find(&self.store, id).await?;
        let user = user.ok_or_else(|| Error::not_found("User not found"))?;
        user_mac(&self.keys.rows, &user).verify(&user.mac)?;
        let places = organizations::of_principal(&self.store, id.uuid(), "user").await?;
        let is_within = places.iter().all(|row| row.root_id.unwrap_or(row.id) == root);
        if user.password_hash.is_none() && !user.super_admin && is_within {
            return Ok(());
        }
        Err(Error::forbidden(
            "This changes your account everywhere: log in with your own password for it, not \
             with single sign-on. If you have none, reset it",
        ))
    }
}

fn ended() -> Error {
    Error::SessionOver {
        name: REQUIRED,
        message: "The single sign-on that this login came through is not used any more",
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::testing::World;

    /// The one policy, over everything that it depends on.
    #[tokio::test]
    async fn h5_which_way_leads_in_is_decided_in_one_place() {
        let world = World::new().await;
        let root = organizations::find(&world.store, world.ours.organization).await;
        let root = root.unwrap().unwrap();
        let provider = |id: u128, org_id, is_active| ProviderRow {
            id: Uuid::from_u128(id).into(),
            org_id,
            issuer: String::new(),
            client_id: String::new(),
            sealed: Vec::new(),
            config: String::new(),
            email_domains: String::new(),
            is_active,
            created_at: 0,
            updated_at: 0,
            mac: Vec::new(),
        };
        let ask = |enforced: bool, bypass: bool, by: Option<u128>, is_admin: bool, is_active| {
            let root = OrganizationRow {
                auth_enforced: enforced,
                bypass_org_auth: bypass,
                ..root.clone()
            };
            let its = provider(1, root.id, is_active);
            let by = by.map(|id| Uuid::from_u128(id).into());
            closed(&root, Some(&its), Came { by, is_admin })
        };
        for bypass in [false, true] {
            for is_admin in [false, true] {
                for enforced in [false, true] {
                    assert_eq!(ask(enforced, bypass, Some(1), is_admin, true), None);
                    for (id, is_active) in [(1, false), (2, true), (2, false)] {
                        let other = ask(enforced, bypass, Some(id), is_admin, is_active);
                        assert_eq!(other, Some(Closed::NotIts));
                    }
                }
                assert_eq!(ask(false, bypass, None, is_admin, true), None);
                let own = ask(true, bypass, None, is_admin, true);
                assert_eq!(own.is_none(), bypass && is_admin);
            }
        }
        let came = Came { by: Some(Uuid::from_u128(1).into()), is_admin: true };
        assert_eq!(closed(&root, None, came), Some(Closed::NotIts), "there is none any more");
        let foreign = provider(1, world.theirs.organization, true);
        assert_eq!(closed(&root, Some(&foreign), came), Some(Closed::NotIts));
    }
}
