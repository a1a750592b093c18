//! Refreshing: the cookie's token is good for the next access token and the next refresh token.
//!
//! Refresh tokens of a session come in generations. The first use of a token of the newest
//! generation begins the next one; until a token of that one is used, the same token may be used
//! again, since its answer may have been lost or two processes may have asked at once. Any older
//! token, and any token of the same age that was not the one used, is in two hands: the session
//! ends (attack H8).

use kms_api::auth::user::Refreshed;
use kms_crypto::UserRefreshClaims;
use kms_store::{
    callers::{self, UserCallerRow},
    organizations::{self, OrganizationRow},
    user_sessions::{self, SessionRow},
    users::UserRow,
};

use super::{Grant, Opened, factors::owed, session::Chosen};
use crate::{Core, Error, Origin, Result, audit::Event, organizations::session_seconds};

/// How often a refresh looks again when others refresh the same session at the same moment.
const ROUNDS: usize = 3;

/// What a refresh token is, by the session as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// Of the newest generation, which nobody has used yet.
    Newest,
    /// The one whose use began the newest generation.
    Predecessor,
    /// Set aside by the server when the session came to be good for more, or newer than the
    /// data, which were restored.
    SetAside,
    /// Used before, or never the one that counted.
    Reused,
}

impl Age {
    fn of(claims: &UserRefreshClaims, row: &SessionRow) -> Self {
        if !(row.refresh_floor..=row.refresh_version).contains(&claims.refresh_version) {
            return Self::SetAside;
        }
        match row.refresh_version - claims.refresh_version {
            0 => Self::Newest,
            1 if row.refresh_used == Some(claims.jti) => Self::Predecessor,
            _ => Self::Reused,
        }
    }
}

impl Core {
    /// Answers the next tokens of a session to whoever has its refresh token.
    pub async fn refresh(&self, token: Option<&str>, origin: &Origin) -> Result<Opened<Refreshed>> {
        let token = token.ok_or_else(|| Error::not_found("Failed to find refresh token"))?;
        let now = self.now().seconds();
        let claims = self.keys.tokens.verify::<UserRefreshClaims>(token, now);
        let claims = claims.map_err(|_| invalid())?;
        for _ in 0..ROUNDS {
            if let Some(opened) = self.refresh_once(&claims, origin).await? {
                return Ok(opened);
            }
        }
        Err(Error::RateLimited { retry_after: 1 })
    }

    /// One look at the session; none when it moved on between the look and the write.
    async fn refresh_once(
        &self,
        claims: &UserRefreshClaims,
        origin: &Origin,
    ) -> Result<Option<Opened<Refreshed>>> {
        let grant = Grant::of(claims);
        let organization = grant.chosen.map(Chosen::organization);
        let (user, session) = (claims.user_id.into(), claims.token_version_id.into());
        let row = callers::user(&self.store, user, session, organization).await?;
        let row = row.ok_or_else(invalid)?;
        let former = self.live_session(&row).map_err(ended)?.clone();
        let mut expires_at = former.expires_at;
        if let Some(chosen) = grant.chosen {
            self.require_member_of(&row, chosen).await?;
            let root = organizations::find(&self.store, chosen.root).await?.ok_or_else(invalid)?;
            self.require_genuine_organization(&root)?;
            self.require_way_in_still(&root, row.user.id, former.provider_id).await?;
            self.require_factor(&row.user, &root, &former, grant.factor.as_deref()).await?;
            // The organization may have shortened logins since this one chose it.
            let limit = root.user_token_expiration.as_deref().and_then(session_seconds);
            expires_at = expires_at.min(self.session_end(former.login_at, limit));
        }
        if expires_at <= self.now().micros() {
            return Err(invalid());
        }
        match Age::of(claims, &former) {
            Age::SetAside => return Err(invalid()),
            Age::Reused => return Err(self.end_reused(&row, &former, origin).await?),
            Age::Predecessor => return self.refreshed(&former, &grant).map(Some),
            Age::Newest => {}
        }
        let mut next = SessionRow {
            refresh_version: former.refresh_version + 1,
            refresh_used: Some(claims.jti),
            last_used_at: self.now().micros(),
            expires_at,
            ..former.clone()
        };
        let mut tx = self.store.begin().await?;
        if !self.update_session(&mut tx, &mut next, &former).await? {
            return Ok(None);
        }
        tx.commit().await?;
        self.refreshed(&next, &grant).map(Some)
    }

    /// Refuses to go on where a second factor is asked for since the login (attack H5).
    pub(super) async fn require_factor(
        &self,
        user: &UserRow,
        root: &OrganizationRow,
        session: &SessionRow,
        given: Option<&str>,
    ) -> Result<()> {
        let held = self.held(user.id).await?;
        match owed(user, root, held, session.provider_id.is_some(), given) {
            None => Ok(()),
            Some(_) => Err(Error::SessionOver {
                name: "MfaRequired",
                message: "A second factor is asked for by now; log in again",
            }),
        }
    }

    fn refreshed(&self, row: &SessionRow, grant: &Grant) -> Result<Opened<Refreshed>> {
        let tokens = self.session_tokens(row, grant)?;
        let answer = Refreshed {
            token: tokens.access,
            organization_id: grant.chosen.map(|chosen| chosen.root),
            sub_organization_id: grant.chosen.and_then(|chosen| chosen.sub),
        };
        Ok(Opened { answer, refresh: tokens.refresh })
    }

    /// Ends a session whose refresh token is in two hands.
    async fn end_reused(
        &self,
        row: &UserCallerRow,
        session: &SessionRow,
        origin: &Origin,
    ) -> Result<Error> {
        let mut tx = self.store.begin().await?;
        user_sessions::delete(&mut tx, row.user.id, session.id).await?;
        self.touches_rights(&mut tx);
        let event = Event::new("refresh-token-reuse")
            .details([("sessionId", session.id.to_string().into())]);
        tx.audit(self.person_record(session.org_id, row.user.id, origin, &event));
        tx.commit().await?;
        tracing::warn!(session.id = %session.id, "a refresh token was used again");
        Ok(Error::SessionOver {
            name: "TokenReuse",
            message: "Refresh token reuse detected. Session has been revoked for security.",
        })
    }
}

/// What a refresh token that is not good answers, whatever is wrong with it.
fn invalid() -> Error {
    Error::SessionOver { name: "InvalidToken", message: "Invalid refresh token" }
}

/// The same for a session that is over; what failed on our side stays what it is.
fn ended(error: Error) -> Error {
    match error {
        Error::NotFound(_) | Error::SessionOver { .. } => invalid(),
        other => other,
    }
}
