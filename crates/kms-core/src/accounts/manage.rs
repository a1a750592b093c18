//! What administrators of the instance do about accounts.

use kms_api::{
    UserId,
    admin::{ListUsersQuery, ManagedUserResponse, ManagedUsersResponse},
};
use kms_store::{
    Tx, organization_memberships, organizations,
    users::{self, UserRow},
};

use super::settings::require_instance_admin;
use crate::{Caller, Core, Error, Result, audit::Event, people::user_to_wire, text};

/// Accounts on one page, at most and when nothing is said (wire contract, instance).
const MAX_PAGE: i64 = 100;
const PAGE: i64 = 20;

impl Core {
    /// One page of all accounts, by name.
    pub async fn list_users(
        &self,
        caller: &Caller,
        query: &ListUsersQuery,
    ) -> Result<ManagedUsersResponse> {
        require_instance_admin(caller)?;
        let offset = text::number("offset", query.offset.as_deref(), 0, 0, i64::MAX)?;
        let limit = text::number("limit", query.limit.as_deref(), PAGE, 1, MAX_PAGE)?;
        let filter = users::UserFilter {
            part: query.search_term.clone().filter(|term| !term.is_empty()),
            only_admins: query.admins_only.is_some_and(|only| only.0),
            offset,
            limit,
        };
        let rows = users::page(&self.store, &filter).await?;
        let total = users::count(&self.store, &filter).await?;
        Ok(ManagedUsersResponse { users: rows.into_iter().map(user_to_wire).collect(), total })
    }

    /// Deletes an account with its sessions and memberships.
    pub async fn delete_user(&self, caller: &Caller, id: UserId) -> Result<ManagedUserResponse> {
        require_instance_admin(caller)?;
        if caller.actor.user().is_some_and(|user| user.id == id) {
            return Err(Error::bad_request("Nobody deletes the account they act with"));
        }
        let mut tx = self.store.begin().await?;
        let user = users::find(&mut tx, id).await?.ok_or_else(|| no_user(id))?;
        for row in organizations::memberships_of(&mut tx, id.uuid(), "user").await? {
            organizations::lock(&mut tx, row.org_id).await?;
            organization_memberships::delete(&mut tx, &row).await?;
            self.require_an_administrator(&mut tx, row.org_id).await?;
        }
        users::delete(&mut tx, id).await?;
        self.finish_user(tx, caller, user, "delete-user").await
    }

    /// Makes somebody an administrator of the instance, or takes that from them.
    pub async fn set_instance_admin(
        &self,
        caller: &Caller,
        id: UserId,
        is_admin: bool,
    ) -> Result<ManagedUserResponse> {
        require_instance_admin(caller)?;
        if !is_admin && caller.actor.user().is_some_and(|user| user.id == id) {
            return Err(Error::bad_request("Nobody takes this right from themselves"));
        }
        let mut tx = self.store.begin().await?;
        let user = users::find(&mut tx, id).await?;
        let mut user = user.filter(|user| user.is_accepted).ok_or_else(|| no_user(id))?;
        user.super_admin = is_admin;
        let kind = if is_admin { "grant-instance-admin" } else { "revoke-instance-admin" };
        self.write_super_admin(&mut tx, &mut user).await?;
        self.finish_user(tx, caller, user, kind).await
    }

    async fn write_super_admin(&self, tx: &mut Tx, user: &mut UserRow) -> Result<()> {
        let epoch = user.epoch;
        if !self.update_user(tx, user, epoch).await?
            || !users::set_super_admin(tx, user.id, user.super_admin).await?
        {
            return Err(no_user(user.id));
        }
        Ok(())
    }

    async fn finish_user(
        &self,
        mut tx: Tx,
        caller: &Caller,
        user: UserRow,
        kind: &'static str,
    ) -> Result<ManagedUserResponse> {
        self.touches_rights(&mut tx);
        let event = Event::new(kind).details([
            ("userId", user.id.to_string().into()),
            ("email", user.email.clone().into()),
        ]);
        tx.audit(self.record(caller, &event));
        tx.commit().await?;
        Ok(ManagedUserResponse { user: user_to_wire(user) })
    }
}

fn no_user(id: UserId) -> Error {
    Error::not_found(format!("User with ID '{id}' not found"))
}
