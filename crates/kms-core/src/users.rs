//! People's accounts and sessions, as far as an instance's first administrator needs them.

use kms_api::{OrganizationId, SessionId, UserId};
use kms_crypto::{TokenPurpose, UserAccessClaims};
use kms_store::{
    Tx,
    users::{self, SessionRow, UserRow},
};

use crate::{Core, Origin, Result, access::user_mac};

/// Seconds that a person's access token lives (wire contract, user tokens: ten days).
const ACCESS_TOKEN_SECONDS: i64 = 10 * 86_400;
/// How a person with a password logs in.
const EMAIL: &str = "email";

/// A person's account to make.
pub(crate) struct NewUser {
    /// The e-mail address, canonical.
    pub(crate) email: String,
    /// The first name.
    pub(crate) first_name: Option<String>,
    /// The last name.
    pub(crate) last_name: Option<String>,
    /// The password as a PHC string.
    pub(crate) password_hash: String,
    /// Whether the user administers the instance.
    pub(crate) super_admin: bool,
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
            password_hash: Some(new.password_hash),
            super_admin: new.super_admin,
            created_at: now,
            updated_at: now,
            mac: Vec::new(),
        };
        row.mac = user_mac(&self.keys.rows, &row).finish().to_vec();
        users::insert(tx, &row).await?;
        Ok(row)
    }

    /// Starts a session and answers its first access token.
    pub(crate) async fn start_session(
        &self,
        tx: &mut Tx,
        user: UserId,
        organization: OrganizationId,
        origin: &Origin,
    ) -> Result<String> {
        let now = self.now();
        let session = SessionRow {
            id: self.new_id::<SessionId>(),
            user_id: user,
            access_version: 1,
            refresh_version: 1,
            ip: origin.ip.map(|ip| ip.to_string()),
            user_agent: origin.user_agent.as_deref().map(str::to_owned),
            created_at: now.micros(),
            last_used_at: now.micros(),
        };
        users::insert_session(tx, &session).await?;
        let claims = UserAccessClaims {
            auth_token_type: TokenPurpose::UserAccess,
            auth_method: EMAIL.into(),
            user_id: user.uuid(),
            token_version_id: session.id.uuid(),
            access_version: session.access_version,
            organization_id: Some(organization.uuid()),
            sub_organization_id: None,
            is_mfa_verified: None,
            mfa_method: None,
            iat: now.seconds(),
            exp: now.seconds() + ACCESS_TOKEN_SECONDS,
        };
        Ok(self.keys.tokens.sign(&claims)?)
    }
}
