//! Sessions of people: made by a login, listed and ended by their owner.

use kms_api::{OrganizationId, SessionId, Timestamp, UserId, auth::user::Done, users::Session};
use kms_crypto::{TokenPurpose, UserAccessClaims, UserRefreshClaims};
use kms_store::{
    Tx,
    audit::NewAuditRecord,
    user_sessions::{self, SessionRow},
    users::UserRow,
};
use secrecy::SecretString;
use uuid::Uuid;

use super::EMAIL;
use crate::{
    Core, Error, Origin, Result, SignedIn,
    access::session_mac,
    audit::{AuditActor, Event},
};

/// An answer, and the refresh token that goes into the cookie beside it.
pub struct Opened<T> {
    /// The answer.
    pub answer: T,
    /// The refresh token.
    pub refresh: SecretString,
}

/// Where a session acts: a root organization, or a sub-organization of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// The organization at the root.
    pub(crate) root: OrganizationId,
    /// The sub-organization, where one was chosen.
    pub(crate) sub: Option<OrganizationId>,
}

impl Chosen {
    /// The organization that is acted in.
    pub(crate) fn organization(self) -> OrganizationId {
        self.sub.unwrap_or(self.root)
    }
}

/// What the tokens of a session say besides whose they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grant {
    /// Where they act; none before that was chosen.
    pub(crate) chosen: Option<Chosen>,
    /// Which second factor was given.
    pub(crate) factor: Option<String>,
}

impl Grant {
    /// What a refresh token says.
    pub(super) fn of(claims: &UserRefreshClaims) -> Self {
        let chosen = claims.organization_id.map(|root| Chosen {
            root: root.into(),
            sub: claims.sub_organization_id.map(Into::into),
        });
        let factor = claims.mfa_method.clone().filter(|_| claims.is_mfa_verified == Some(true));
        Self { chosen, factor }
    }
}

/// How a session begins.
pub(crate) struct Start {
    /// How the person logged in, such as `email`.
    pub(crate) auth_method: &'static str,
    /// Where it acts; none before that was chosen.
    pub(crate) chosen: Option<Chosen>,
    /// Seconds that it lasts at most, where that is less than usual.
    pub(crate) longest: Option<i64>,
}

/// The tokens of a session.
pub(crate) struct Tokens {
    /// To be shown with every request.
    pub(crate) access: String,
    /// To get the next two with.
    pub(crate) refresh: SecretString,
}

impl Core {
    /// Starts the session of a login by password and answers its first tokens.
    pub(crate) async fn start_session(
        &self,
        tx: &mut Tx,
        user: &UserRow,
        grant: &Grant,
        origin: &Origin,
    ) -> Result<Tokens> {
        let start = Start { auth_method: EMAIL, chosen: grant.chosen, longest: None };
        let row = self.begin_session(tx, user, &start, origin).await?;
        self.session_tokens(&row, grant)
    }

    /// Adds the session of a login.
    pub(crate) async fn begin_session(
        &self,
        tx: &mut Tx,
        user: &UserRow,
        start: &Start,
        origin: &Origin,
    ) -> Result<SessionRow> {
        let mut row = self.new_session(user, start, origin);
        self.insert_session(tx, &mut row).await?;
        Ok(row)
    }

    /// The session of a login of the person's own, not stored yet.
    pub(crate) fn new_session(&self, user: &UserRow, start: &Start, origin: &Origin) -> SessionRow {
        let now = self.now().micros();
        SessionRow {
            id: self.new_id(),
            user_id: user.id,
            user_epoch: user.epoch,
            auth_method: start.auth_method.into(),
            access_version: 1,
            refresh_version: 1,
            refresh_used: None,
            refresh_floor: 1,
            org_id: start.chosen.map(Chosen::organization),
            ip: origin.ip.map(|ip| ip.to_string()),
            user_agent: origin.user_agent.as_deref().map(str::to_owned),
            login_at: now,
            created_at: now,
            last_used_at: now,
            expires_at: self.session_end(now, start.longest),
            provider_id: None,
            mac: Vec::new(),
        }
    }

    /// Adds a session, authenticated.
    pub(crate) async fn insert_session(&self, tx: &mut Tx, row: &mut SessionRow) -> Result<()> {
        row.mac = session_mac(&self.keys.rows, row).finish().to_vec();
        Ok(user_sessions::insert(tx, row).await?)
    }

    /// Writes a session that was read as `former`; false when somebody else moved it on since.
    pub(super) async fn update_session(
        &self,
        tx: &mut Tx,
        row: &mut SessionRow,
        former: &SessionRow,
    ) -> Result<bool> {
        row.mac = session_mac(&self.keys.rows, row).finish().to_vec();
        Ok(user_sessions::update(tx, row, former).await?)
    }

    /// When a login ends at the latest, in microseconds like `login_at`; `limit` is what the
    /// organization allows, in seconds.
    pub(super) fn session_end(&self, login_at: i64, limit: Option<i64>) -> i64 {
        let longest = TokenPurpose::UserRefresh.max_lifetime();
        let seconds = self.options.user_session_ttl.min(limit.unwrap_or(longest));
        let seconds = seconds.clamp(1, longest);
        login_at.saturating_add(seconds.saturating_mul(1_000_000))
    }

    /// Signs tokens of a session's newest generation. The only place that does.
    pub(crate) fn session_tokens(&self, row: &SessionRow, grant: &Grant) -> Result<Tokens> {
        let now = self.now().seconds();
        let end = Timestamp(row.expires_at).seconds();
        let organization_id = grant.chosen.map(|chosen| chosen.root.uuid());
        let sub_organization_id = grant.chosen.and_then(|chosen| chosen.sub).map(Into::into);
        let is_mfa_verified = grant.factor.as_ref().map(|_| true);
        let access = UserAccessClaims {
            auth_token_type: TokenPurpose::UserAccess,
            auth_method: row.auth_method.clone(),
            user_id: row.user_id.uuid(),
            token_version_id: row.id.uuid(),
            access_version: row.access_version,
            organization_id,
            sub_organization_id,
            is_mfa_verified,
            mfa_method: grant.factor.clone(),
            iat: now,
            exp: now.saturating_add(self.options.user_access_ttl.max(1)).min(end),
        };
        let refresh = UserRefreshClaims {
            jti: self.new_id(),
            auth_token_type: TokenPurpose::UserRefresh,
            auth_method: row.auth_method.clone(),
            user_id: row.user_id.uuid(),
            token_version_id: row.id.uuid(),
            refresh_version: row.refresh_version,
            organization_id,
            sub_organization_id,
            is_mfa_verified,
            mfa_method: grant.factor.clone(),
            iat: now,
            exp: end,
        };
        let access = self.keys.tokens.sign(&access)?;
        Ok(Tokens { access, refresh: self.keys.tokens.sign(&refresh)?.into() })
    }

    /// The logins of a person that have not ended, oldest first.
    pub async fn list_sessions(&self, signed_in: &SignedIn) -> Result<Vec<Session>> {
        let now = self.now().micros();
        let rows = user_sessions::of_user(&self.store, signed_in.user.id, now).await?;
        // A new password ended those of the epochs before; and what a provider vouches for tells
        // nothing of how its person logs in elsewhere.
        let epoch = self.account(signed_in).await?.epoch;
        let is_listed = |row: &SessionRow| {
            row.user_epoch == epoch
                && (signed_in.provider.is_none() || row.provider_id == signed_in.provider)
        };
        Ok(rows.into_iter().filter(is_listed).map(to_wire).collect())
    }

    /// Ends one login of a person, of those that are listed.
    pub async fn revoke_session(&self, signed_in: &SignedIn, id: SessionId) -> Result<Done> {
        let is_listed = self.list_sessions(signed_in).await?.iter().any(|row| row.id == id);
        let mut tx = self.store.begin().await?;
        if !is_listed || !user_sessions::delete(&mut tx, signed_in.user.id, id).await? {
            return Err(Error::not_found(format!("Session with ID '{id}' not found")));
        }
        let event = Event::new("revoke-session").details([("sessionId", id.to_string().into())]);
        self.end(tx, signed_in, &event).await?;
        Ok(Done { message: "Successfully revoked session.".into() })
    }

    /// Ends all logins of a person that are listed, this one too.
    pub async fn revoke_sessions(&self, signed_in: &SignedIn) -> Result<Done> {
        let user = signed_in.user.id;
        let mut tx = self.store.begin().await?;
        let ended = match signed_in.provider {
            None => user_sessions::delete_of_user(&mut tx, user).await?,
            Some(provider) => user_sessions::delete_of_user_by(&mut tx, user, provider).await?,
        };
        let event = Event::new("revoke-sessions").details([("sessions", ended.into())]);
        self.end(tx, signed_in, &event).await?;
        Ok(Done { message: "Successfully revoked all sessions.".into() })
    }

    /// Ends all logins of a person that are listed, but this one.
    pub async fn revoke_other_sessions(&self, signed_in: &SignedIn) -> Result<()> {
        let SignedIn { user, .. } = signed_in;
        let listed = self.list_sessions(signed_in).await?;
        let mut tx = self.store.begin().await?;
        let ended = if signed_in.provider.is_none() {
            user_sessions::delete_others(&mut tx, user.id, user.session).await?
        } else {
            let mut ended = 0;
            for other in listed.into_iter().filter(|other| other.id != user.session) {
                ended += u64::from(user_sessions::delete(&mut tx, user.id, other.id).await?);
            }
            ended
        };
        let event = Event::new("revoke-sessions").details([("sessions", ended.into())]);
        self.end(tx, signed_in, &event).await
    }

    /// Ends the session that a refresh token or, without one, an access token belongs to. Never
    /// tells whether there was one.
    pub async fn logout(
        &self,
        refresh: Option<&str>,
        access: Option<&str>,
        origin: &Origin,
    ) -> Result<Done> {
        if let Some((user, session)) = self.session_of(refresh, access) {
            self.end_session(user, session, origin).await?;
        }
        Ok(Done { message: "Successfully logged out".into() })
    }

    fn session_of(
        &self,
        refresh: Option<&str>,
        access: Option<&str>,
    ) -> Option<(UserId, SessionId)> {
        let now = self.now().seconds();
        if let Some(token) = refresh {
            let claims = self.keys.tokens.verify::<UserRefreshClaims>(token, now).ok()?;
            return Some((claims.user_id.into(), claims.token_version_id.into()));
        }
        let claims = self.keys.tokens.verify::<UserAccessClaims>(access?, now).ok()?;
        Some((claims.user_id.into(), claims.token_version_id.into()))
    }

    /// Ends a session. Its row stays until its last access token has expired, so that this one
    /// is told that it is stale.
    pub(super) async fn end_session(
        &self,
        user: UserId,
        id: SessionId,
        origin: &Origin,
    ) -> Result<()> {
        let now = self.now().micros();
        let mut tx = self.store.begin().await?;
        let Some(former) = user_sessions::find(&mut tx, user, id).await? else { return Ok(()) };
        session_mac(&self.keys.rows, &former).verify(&former.mac)?;
        if former.expires_at <= now {
            return Ok(());
        }
        let mut row = SessionRow {
            access_version: former.access_version + 1,
            expires_at: now,
            ..former.clone()
        };
        set_refresh_tokens_aside(&mut row);
        if !self.update_session(&mut tx, &mut row, &former).await? {
            // Moved on at this very moment: what is there now ends all the same.
            user_sessions::delete(&mut tx, user, id).await?;
        }
        self.touches_rights(&mut tx);
        tx.audit(self.person_record(former.org_id, user, origin, &Event::new("user-logout")));
        Ok(tx.commit().await?)
    }

    async fn end(&self, mut tx: Tx, signed_in: &SignedIn, event: &Event) -> Result<()> {
        self.touches_rights(&mut tx);
        tx.audit(self.signed_in_record(signed_in, event));
        Ok(tx.commit().await?)
    }

    /// The record of something that a person did, in the organization that they act in, or in
    /// none.
    pub(crate) fn signed_in_record(&self, signed_in: &SignedIn, event: &Event) -> NewAuditRecord {
        let actor = AuditActor {
            kind: "user",
            id: Some(signed_in.user.id.uuid()),
            metadata: signed_in.actor_metadata.clone(),
        };
        let organization = signed_in.organization.unwrap_or_else(nowhere);
        self.record_of(organization, &actor, &signed_in.origin, event)
    }

    /// The record of something that happened to a person's session or account.
    pub(crate) fn person_record(
        &self,
        organization: Option<OrganizationId>,
        user: UserId,
        origin: &Origin,
        event: &Event,
    ) -> NewAuditRecord {
        let metadata = serde_json::json!({ "userId": user }).to_string().into();
        let actor = AuditActor { kind: "user", id: Some(user.uuid()), metadata };
        self.record_of(organization.unwrap_or_else(nowhere), &actor, origin, event)
    }
}

/// Begins a generation of refresh tokens that no use of one began: those of before are worth
/// nothing, and nobody who still has one is taken for a thief.
pub(super) fn set_refresh_tokens_aside(row: &mut SessionRow) {
    row.refresh_version += 1;
    row.refresh_floor = row.refresh_version;
    row.refresh_used = None;
}

/// The organization of records about people who act in none.
pub(crate) fn nowhere() -> OrganizationId {
    Uuid::nil().into()
}

fn to_wire(row: SessionRow) -> Session {
    Session {
        id: row.id,
        ip: row.ip,
        user_agent: row.user_agent,
        last_used: Some(Timestamp(row.last_used_at)),
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.last_used_at),
    }
}
