//! Browsers that somebody signed in with.
//!
//! Such a sign-in is a session like any other, listed and ended with the others. Its one token is
//! no access token: it acts in no organization, and no API route takes it.

use kms_api::Timestamp;
use kms_crypto::{TokenPurpose, UserPageClaims};
use kms_store::user_sessions::SessionRow;
use secrecy::SecretString;

use crate::{Core, Result, SignedIn};

/// Seconds that a browser stays signed in (NIST SP 800-63B, section 4.2.3: half a day).
pub(crate) const PAGE_SECONDS: i64 = 12 * 3_600;

/// A browser's sign-in.
pub struct Page {
    /// What goes into its cookie.
    pub token: SecretString,
    /// Seconds that it is good for.
    pub seconds: i64,
}

impl Core {
    /// Signs the token of a browser's session.
    pub(crate) fn page_token(&self, row: &SessionRow, factor: Option<&str>) -> Result<Page> {
        self.confirmed_page_token(row, factor, row.login_at)
    }

    /// The same, for somebody who last showed who they are at `proven_at`, in microseconds.
    pub(super) fn confirmed_page_token(
        &self,
        row: &SessionRow,
        factor: Option<&str>,
        proven_at: i64,
    ) -> Result<Page> {
        let now = self.now().seconds();
        let end = Timestamp(row.expires_at).seconds();
        let claims = UserPageClaims {
            auth_token_type: TokenPurpose::UserPage,
            auth_method: row.auth_method.clone(),
            user_id: row.user_id.uuid(),
            token_version_id: row.id.uuid(),
            access_version: row.access_version,
            mfa_method: factor.map(str::to_owned),
            confirmed_at: (proven_at > row.login_at).then(|| Timestamp(proven_at).seconds()),
            iat: now,
            exp: end.min(now.saturating_add(PAGE_SECONDS)),
        };
        let token = self.keys.tokens.sign(&claims)?.into();
        Ok(Page { token, seconds: claims.exp - now })
    }

    /// Signs somebody out of the browser that they ask with.
    pub async fn page_logout(&self, signed_in: &SignedIn) -> Result<()> {
        let SignedIn { user, origin, .. } = signed_in;
        self.end_session(user.id, user.session, origin).await
    }
}
