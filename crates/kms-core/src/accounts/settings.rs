//! What the instance allows to strangers.

use kms_api::admin::{InstanceConfig, InstanceConfigResponse, UpdateInstanceConfig};
use kms_crypto::{RowKey, RowMac};
use kms_store::instance::{self, SettingsRow};
use uuid::Uuid;

use crate::{Caller, Core, Error, Result, audit::Event};

/// Domains in the list, at most.
const MAX_DOMAINS: usize = 100;
/// The longest domain, in bytes.
const MAX_DOMAIN: usize = 253;

impl Core {
    /// What anyone may know about the instance.
    pub async fn instance_config(&self) -> Result<InstanceConfigResponse> {
        let instance = instance::find(&self.store).await?;
        let initialized = instance.is_some_and(|instance| instance.initialized);
        let config = self.config_of(initialized, self.settings().await?);
        Ok(InstanceConfigResponse { config })
    }

    /// Changes what the instance allows to strangers.
    pub async fn update_instance_config(
        &self,
        caller: &Caller,
        body: &UpdateInstanceConfig,
    ) -> Result<InstanceConfigResponse> {
        require_instance_admin(caller)?;
        let mut settings = self.settings().await?;
        settings.allow_sign_up = body.allow_sign_up.unwrap_or(settings.allow_sign_up);
        if let Some(domains) = &body.allowed_sign_up_domain {
            settings.allowed_sign_up_domain = domains.as_deref().map(domain_list).transpose()?;
        }
        settings.updated_at = self.now().micros();
        settings.mac = mac(&self.keys.rows, &settings).finish().to_vec();
        let mut tx = self.store.begin().await?;
        instance::put_settings(&mut tx, &settings).await?;
        let event = Event::new("update-instance-config").details([
            ("allowSignUp", settings.allow_sign_up.into()),
            ("allowedSignUpDomain", settings.allowed_sign_up_domain.clone().into()),
        ]);
        tx.audit(self.record(caller, &event));
        tx.commit().await?;
        Ok(InstanceConfigResponse { config: self.config_of(true, settings) })
    }

    /// Refuses where a stranger with this address may not sign up; by its domain alone.
    pub(super) async fn require_sign_up(&self, address: &str) -> Result<()> {
        let settings = self.settings().await?;
        if !settings.allow_sign_up {
            return Err(Error::forbidden("Signup's are disabled"));
        }
        let Some(domains) = settings.allowed_sign_up_domain else { return Ok(()) };
        let domain = address.rsplit('@').next().unwrap_or_default();
        if domains.split(',').any(|allowed| allowed == domain) {
            return Ok(());
        }
        Err(Error::forbidden(format!("Signup with an address at {domain} is not allowed")))
    }

    /// Whether people get in by invitation alone.
    pub async fn is_invite_only(&self) -> Result<bool> {
        Ok(!self.settings().await?.allow_sign_up)
    }

    /// Whether anything can be mailed.
    pub fn sends_mail(&self) -> bool {
        self.options.mailer.is_configured()
    }

    async fn settings(&self) -> Result<SettingsRow> {
        let Some(row) = instance::settings(&self.store).await? else {
            return Ok(SettingsRow {
                // Whoever opens an instance to strangers says so.
                allow_sign_up: false,
                allowed_sign_up_domain: None,
                updated_at: 0,
                mac: Vec::new(),
            });
        };
        mac(&self.keys.rows, &row).verify(&row.mac)?;
        Ok(row)
    }

    fn config_of(&self, initialized: bool, settings: SettingsRow) -> InstanceConfig {
        InstanceConfig {
            id: Uuid::nil(),
            initialized,
            allow_sign_up: settings.allow_sign_up,
            allowed_sign_up_domain: settings.allowed_sign_up_domain,
            instance_id: self.instance_id(),
            trust_saml_emails: false,
            trust_ldap_emails: false,
            trust_oidc_emails: false,
            default_auth_org_id: None,
            default_auth_org_slug: None,
            enabled_login_methods: None,
            is_migration_mode_on: false,
            is_secret_scanning_disabled: true,
            fips_enabled: false,
        }
    }
}

/// Refuses whoever does not administer the instance.
pub(super) fn require_instance_admin(caller: &Caller) -> Result<()> {
    if caller.instance_admin {
        return Ok(());
    }
    Err(Error::forbidden("Only administrators of the instance may do this"))
}

/// A comma list of domains in the form that addresses have; an empty one allows nobody.
fn domain_list(text: &str) -> Result<String> {
    let domains: Vec<String> = text.split(',').map(|part| part.trim().to_lowercase()).collect();
    let allowed = |character: char| character.is_alphanumeric() || "-.".contains(character);
    let is_domain = |domain: &String| {
        domain.len() <= MAX_DOMAIN
            && domain.chars().all(allowed)
            && domain.split('.').all(|label| !label.is_empty())
    };
    if domains.len() > MAX_DOMAINS || !domains.iter().all(is_domain) {
        return Err(Error::field("allowedSignUpDomain", "must be domains separated by commas"));
    }
    Ok(domains.join(","))
}

fn mac(key: &RowKey, row: &SettingsRow) -> RowMac {
    key.mac("instance_settings")
        .flag(row.allow_sign_up)
        .opt_text(row.allowed_sign_up_domain.as_deref())
        .int(row.updated_at)
}
