//! Connecting an account that was there before with what a provider said of its owner: only by
//! whoever is signed in to that account in the same browser by a login of their own (attack H6).

use kms_store::{
    organizations::OrganizationRow,
    users::{self, UserRow},
};
use secrecy::SecretString;

use super::{
    failed,
    flow::{Kept, Waiting, not_begun},
};
use crate::{Core, Page, Result, SignedIn, access::user_mac};

/// An account that waits for its owner.
pub struct Connecting {
    /// Its address.
    pub email: String,
    /// The organization whose provider spoke of it.
    pub organization: String,
    /// Whether the browser is signed in to it by a login of the owner's own.
    pub is_own: bool,
    /// Whether that login is fresh and gave what the owner asks for.
    pub is_proven: bool,
}

impl Core {
    /// What a browser may connect, and what is missing for it.
    pub async fn connecting(
        &self,
        kept: Option<&SecretString>,
        signed_in: Option<&SignedIn>,
    ) -> Result<Connecting> {
        let (root, _, user) = self.waiting(kept).await?;
        let own = signed_in.filter(|signed_in| is_own(signed_in, &user));
        let is_proven = match own {
            Some(signed_in) => self.missing_to_change(signed_in).await?.is_none(),
            None => false,
        };
        let (email, organization) = (user.email, root.name);
        Ok(Connecting { email, organization, is_own: own.is_some(), is_proven })
    }

    /// Connects the account, and signs the browser in by the provider from here on. Answers where
    /// it was going, too.
    pub async fn connect(
        &self,
        kept: Option<&SecretString>,
        signed_in: &SignedIn,
    ) -> Result<(Page, String)> {
        let (root, waiting, mut user) = self.waiting(kept).await?;
        // A fresh login with the factor that the owner asks for, as for all that changes how
        // somebody logs in.
        if !is_own(signed_in, &user) || self.missing_to_change(signed_in).await?.is_some() {
            return Err(failed("Log in to the account by yourself first"));
        }
        let provider = self.provider_of(&root).await?;
        let provider = provider.filter(|row| row.is_active && row.issuer == waiting.issuer);
        let provider = provider.ok_or_else(not_begun)?;
        let origin = &signed_in.origin;
        let tx = self.store.begin().await?;
        let subject = &waiting.subject;
        let page = self.connect_account(tx, &root, &provider, subject, &mut user, origin).await?;
        self.page_logout(signed_in).await?;
        Ok((page, waiting.target))
    }

    async fn waiting(
        &self,
        kept: Option<&SecretString>,
    ) -> Result<(OrganizationRow, Waiting, UserRow)> {
        let (root, Kept::Waiting(waiting)) = self.kept(kept).await? else {
            return Err(not_begun());
        };
        self.require_fresh(waiting.at)?;
        let user = users::find(&self.store, waiting.user).await?.ok_or_else(not_begun)?;
        user_mac(&self.keys.rows, &user).verify(&user.mac)?;
        Ok((root, waiting, user))
    }
}

/// Whether somebody is signed in to an account by a login of their own.
fn is_own(signed_in: &SignedIn, user: &UserRow) -> bool {
    signed_in.provider.is_none() && signed_in.user.id == user.id
}
