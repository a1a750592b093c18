//! A person's own account.

use kms_api::{
    Timestamp,
    users::{User, UserResponse},
};
use kms_store::users::{self, UserRow};

use super::{EMAIL, OIDC};
use crate::{Core, Error, Result, SignedIn};

impl Core {
    /// The person's own account.
    pub async fn own_account(&self, signed_in: &SignedIn) -> Result<UserResponse> {
        let row = users::find(&self.store, signed_in.user.id).await?;
        let row = row.ok_or_else(|| Error::not_found("User not found"))?;
        Ok(UserResponse { user: to_wire(row) })
    }
}

/// An account as its owner sees it.
pub(crate) fn to_wire(row: UserRow) -> User {
    // An account without a password was completed by what a provider said.
    let has_password = row.password_hash.is_some() || !row.is_accepted;
    User {
        id: row.id,
        username: row.username,
        email: row.email,
        first_name: row.first_name,
        last_name: row.last_name,
        is_mfa_enabled: row.is_mfa_enabled,
        selected_mfa_method: row.selected_mfa_method,
        auth_methods: vec![if has_password { EMAIL } else { OIDC }.into()],
        super_admin: row.super_admin,
        is_email_verified: row.is_email_verified,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
    }
}
