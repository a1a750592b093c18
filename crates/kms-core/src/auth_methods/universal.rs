//! Universal auth of an identity: a client id, and rules for client secrets.

use kms_api::{
    IdentityId, Timestamp,
    auth::{
        trusted_ip::TrustedIp,
        universal::{IdentityUniversalAuth, Settings, UniversalAuthResponse},
    },
};
use kms_store::{Tx, auth_methods::AuthMethodRow, identities::IdentityRow};
use serde::{Deserialize, Serialize};

use super::{CHANGES, MAX_TTL, NewMethod, TokenRules, UNIVERSAL, changed_meanwhile, method_event};
use crate::{Caller, Core, Error, Result, access::Action, text, trusted_ips::TrustedIps};

/// What only universal auth has, as it is stored (wire contract, universal auth).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UniversalConfig {
    /// From where client secrets may be used.
    client_secret_trusted_ips: Vec<TrustedIp>,
    /// Seconds of a periodic token; 0 when tokens are not periodic.
    pub(crate) access_token_period: i64,
    /// Whether wrong client secrets lock a source out.
    pub(crate) lockout_enabled: bool,
    /// Wrong tries until the lockout.
    pub(crate) lockout_threshold: i64,
    /// Seconds that a lockout lasts.
    pub(crate) lockout_duration_seconds: i64,
    /// Seconds without a wrong try after which counting starts anew.
    pub(crate) lockout_counter_reset_seconds: i64,
}

impl Default for UniversalConfig {
    fn default() -> Self {
        Self {
            client_secret_trusted_ips: TrustedIps::default().wire(),
            access_token_period: 0,
            lockout_enabled: true,
            lockout_threshold: 3,
            lockout_duration_seconds: 300,
            lockout_counter_reset_seconds: 30,
        }
    }
}

impl UniversalConfig {
    /// The settings of an attached universal auth.
    pub(crate) fn of(row: &AuthMethodRow) -> Result<Self> {
        serde_json::from_str(&row.config).map_err(|error| Error::Internal(Box::new(error)))
    }

    /// What is stored.
    pub(crate) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::Internal(Box::new(error)))
    }

    /// From where client secrets may be used, parsed.
    pub(crate) fn trusted(&self) -> Result<TrustedIps> {
        TrustedIps::from_wire(self.client_secret_trusted_ips.clone())
    }

    fn with(mut self, settings: &Settings) -> Result<Self> {
        if let Some(ips) = &settings.client_secret_trusted_ips {
            self.client_secret_trusted_ips =
                TrustedIps::parse("clientSecretTrustedIps", ips)?.wire();
        }
        if let Some(period) = settings.access_token_period {
            self.access_token_period = text::within("accessTokenPeriod", period, 0, MAX_TTL)?;
        }
        if let Some(enabled) = settings.lockout_enabled {
            self.lockout_enabled = enabled;
        }
        if let Some(threshold) = settings.lockout_threshold {
            self.lockout_threshold = text::within("lockoutThreshold", threshold, 1, 30)?;
        }
        if let Some(seconds) = settings.lockout_duration_seconds {
            self.lockout_duration_seconds =
                text::within("lockoutDurationSeconds", seconds, 30, 86_400)?;
        }
        if let Some(seconds) = settings.lockout_counter_reset_seconds {
            self.lockout_counter_reset_seconds =
                text::within("lockoutCounterResetSeconds", seconds, 5, 3_600)?;
        }
        Ok(self)
    }
}

impl Core {
    /// Attaches universal auth to an identity.
    pub async fn attach_universal_auth(
        &self,
        caller: &Caller,
        id: IdentityId,
        body: &Settings,
    ) -> Result<UniversalAuthResponse> {
        let identity = self.identity_to_manage(caller, id, Action::Create).await?;
        let mut tx = self.store.begin().await?;
        let row = self.insert_universal_auth(&mut tx, &identity, body).await?;
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &method_event("add-identity-universal-auth", &row)));
        tx.commit().await?;
        answer(&row)
    }

    /// Attaches universal auth inside a write.
    pub(crate) async fn insert_universal_auth(
        &self,
        tx: &mut Tx,
        identity: &IdentityRow,
        settings: &Settings,
    ) -> Result<AuthMethodRow> {
        let rules = TokenRules::attached(&settings.token)?;
        let config = UniversalConfig::default().with(settings)?;
        let new = NewMethod {
            name: UNIVERSAL,
            client_id: Some(kms_crypto::uuid_v4(self.entropy())),
            rules: &rules,
            config: config.to_json()?,
            sealed: None,
        };
        self.insert_method(tx, identity, new).await
    }

    /// Changes universal auth of an identity; acts on tokens and client secrets that exist.
    pub async fn update_universal_auth(
        &self,
        caller: &Caller,
        id: IdentityId,
        body: &Settings,
    ) -> Result<UniversalAuthResponse> {
        let identity = self.identity_to_manage(caller, id, Action::Edit).await?;
        for _ in 0..CHANGES {
            let mut tx = self.store.begin().await?;
            let row = self.method_of(&mut tx, &identity, UNIVERSAL).await?;
            let rules = TokenRules::changed(&row, &body.token)?;
            let config = UniversalConfig::of(&row)?.with(body)?.to_json()?;
            let changed = self.change_method(&mut tx, row, &rules, config).await?;
            let Some(row) = changed else { continue };
            self.touches_rights(&mut tx);
            tx.audit(self.record(caller, &method_event("update-identity-universal-auth", &row)));
            tx.commit().await?;
            return answer(&row);
        }
        Err(changed_meanwhile(UNIVERSAL))
    }

    /// Universal auth of an identity.
    pub async fn get_universal_auth(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<UniversalAuthResponse> {
        let identity = self.identity_for(caller, id, Action::Read).await?;
        answer(&self.method_of(&self.store, &identity, UNIVERSAL).await?)
    }

    /// Detaches universal auth with its client secrets; all its tokens end at once.
    pub async fn detach_universal_auth(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<UniversalAuthResponse> {
        let event = "revoke-identity-universal-auth";
        answer(&self.detach_method(caller, id, UNIVERSAL, event).await?)
    }
}

fn answer(row: &AuthMethodRow) -> Result<UniversalAuthResponse> {
    let config = UniversalConfig::of(row)?;
    let rules = TokenRules::of(row)?;
    Ok(UniversalAuthResponse {
        identity_universal_auth: IdentityUniversalAuth {
            id: row.id,
            client_id: row.client_id.unwrap_or_default().to_string(),
            identity_id: row.identity_id,
            client_secret_trusted_ips: config.client_secret_trusted_ips,
            access_token_trusted_ips: rules.trusted.wire(),
            access_token_ttl: rules.ttl,
            access_token_max_ttl: rules.max_ttl,
            access_token_num_uses_limit: rules.uses_limit,
            access_token_period: config.access_token_period,
            lockout_enabled: config.lockout_enabled,
            lockout_threshold: config.lockout_threshold,
            lockout_duration_seconds: config.lockout_duration_seconds,
            lockout_counter_reset_seconds: config.lockout_counter_reset_seconds,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        },
    })
}
