//! People's accounts, written.

use kms_store::{
    Tx,
    users::{self, UserRow},
};

use crate::{Core, Result, access::user_mac};

/// A person's account to make.
pub(crate) struct NewUser {
    /// The e-mail address, canonical.
    pub(crate) email: String,
    /// The first name.
    pub(crate) first_name: Option<String>,
    /// The last name.
    pub(crate) last_name: Option<String>,
    /// The password as a PHC string; none for somebody who has none.
    pub(crate) password_hash: Option<String>,
    /// Whether the user administers the instance.
    pub(crate) super_admin: bool,
    /// Whether the account is complete; an invited person's is not.
    pub(crate) is_accepted: bool,
    /// Whether the address was shown to be the person's.
    pub(crate) is_email_verified: bool,
}

impl Core {
    /// Adds a person's account, authenticated.
    pub(crate) async fn insert_user(&self, tx: &mut Tx, new: NewUser) -> Result<UserRow> {
        let now = self.now().micros();
        let mut row = UserRow {
            id: self.new_id(),
            username: new.email.clone(),
            email: new.email,
            first_name: new.first_name,
            last_name: new.last_name,
            password_hash: new.password_hash,
            super_admin: new.super_admin,
            is_accepted: new.is_accepted,
            is_email_verified: new.is_email_verified,
            epoch: 0,
            is_mfa_enabled: false,
            selected_mfa_method: None,
            created_at: now,
            updated_at: now,
            mac: Vec::new(),
        };
        row.mac = user_mac(&self.keys.rows, &row).finish().to_vec();
        users::insert(tx, &row).await?;
        Ok(row)
    }

    /// Writes an account that was read in an epoch, authenticated; false when it is gone or has
    /// moved on to another.
    pub(crate) async fn update_user(
        &self,
        tx: &mut Tx,
        row: &mut UserRow,
        epoch: i64,
    ) -> Result<bool> {
        // What somebody else than the server wrote is not made genuine by a change beside it.
        let Some(stored) = users::find(&mut *tx, row.id).await? else { return Ok(false) };
        user_mac(&self.keys.rows, &stored).verify(&stored.mac)?;
        row.updated_at = self.now().micros();
        row.mac = user_mac(&self.keys.rows, row).finish().to_vec();
        Ok(users::update(tx, row, epoch).await?)
    }
}
