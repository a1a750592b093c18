//! Setting up the identity provider of an organization.

use kms_api::{
    OrganizationId,
    routes::LOGIN_SSO_CALLBACK,
    single_sign_on::{BY_DISCOVERY, BY_HAND, MASKED, OidcConfig, OidcConfigQuery, WriteOidcConfig},
};
use kms_auth::sso::{Algorithm, Provider, Reach, SsoError};
use kms_crypto::Note;
use kms_store::{
    StoreError, Tx,
    identity_providers::{self, ProviderRow},
    organizations::{self, OrganizationRow},
    user_sessions,
};
use secrecy::{ExposeSecret, SecretString};

use super::{domains_of, reach_of};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Attributes, Subject, provider_mac},
    audit::Event,
    organizations::not_found,
    passwords::canonical_email,
};

/// How a discovery document's address ends (OpenID Connect Discovery 1.0, section 4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";
/// Bytes of a client id and of a client secret at most.
const LONGEST: usize = 1_024;
/// Domains at most.
const MAX_DOMAINS: usize = 50;

/// A provider in the making.
struct Draft {
    provider: Provider,
    domains: Vec<String>,
    is_active: bool,
}

impl Core {
    /// The identity provider of the caller's organization.
    pub async fn oidc_config(
        &self,
        caller: &Caller,
        query: &OidcConfigQuery,
        site: &str,
    ) -> Result<OidcConfig> {
        let root = self.root_to_configure(caller, query.organization_id, Action::Read).await?;
        let row = self.provider_of(&root).await?.ok_or_else(no_provider)?;
        to_wire(&root, &row, site)
    }

    /// Sets up an identity provider for the caller's organization.
    pub async fn create_oidc_config(
        &self,
        caller: &Caller,
        body: &WriteOidcConfig,
        site: &str,
    ) -> Result<OidcConfig> {
        let mut root = self.root_to_configure(caller, body.organization_id, Action::Create).await?;
        let mut draft = Draft::empty();
        draft.apply(body)?;
        draft.require_complete(body)?;
        self.check_provider(&mut draft).await?;
        let now = self.now().micros();
        let id = self.new_id();
        let mut row = ProviderRow {
            id,
            org_id: root.id,
            issuer: String::new(),
            client_id: String::new(),
            sealed: Vec::new(),
            config: String::new(),
            email_domains: String::new(),
            is_active: false,
            created_at: now,
            updated_at: now,
            mac: Vec::new(),
        };
        self.fill(&mut row, &root, &draft)?;
        let mut tx = self.store.begin().await?;
        match identity_providers::insert(&mut tx, &row, &draft.domains).await {
            Err(StoreError::Duplicate) => {
                return Err(Error::bad_request(
                    "This organization has an identity provider already; change that one",
                ));
            }
            other => other?,
        }
        self.write_enforcement(&mut tx, &mut root, body).await?;
        self.finish_config(tx, caller, &row, &root, "create-oidc-config").await?;
        to_wire(&root, &row, site)
    }

    /// Changes what is named of the identity provider of the caller's organization.
    pub async fn update_oidc_config(
        &self,
        caller: &Caller,
        body: &WriteOidcConfig,
        site: &str,
    ) -> Result<OidcConfig> {
        let mut root = self.root_to_configure(caller, body.organization_id, Action::Edit).await?;
        let mut row = self.provider_of(&root).await?.ok_or_else(no_provider)?;
        let former = self.opened(&root, &row)?;
        let mut draft = Draft {
            provider: former.clone(),
            domains: domains_of(&row)?,
            is_active: row.is_active,
        };
        draft.apply(body)?;
        self.check_provider(&mut draft).await?;
        self.fill(&mut row, &root, &draft)?;
        row.updated_at = self.now().micros();
        let mut tx = self.store.begin().await?;
        if !identity_providers::update(&mut tx, &row, &draft.domains).await? {
            return Err(no_provider());
        }
        let new = &draft.provider;
        let is_another = (&former.issuer, &former.client_id, &former.reach)
            != (&new.issuer, &new.client_id, &new.reach);
        if is_another {
            // What another provider vouched for is nothing that this one did.
            user_sessions::delete_of_provider(&mut tx, row.id).await?;
        }
        self.write_enforcement(&mut tx, &mut root, body).await?;
        self.finish_config(tx, caller, &row, &root, "update-oidc-config").await?;
        to_wire(&root, &row, site)
    }

    /// The organization that the caller acts in, a root, where they may set up how its people sign
    /// in.
    async fn root_to_configure(
        &self,
        caller: &Caller,
        id: Option<OrganizationId>,
        action: Action,
    ) -> Result<OrganizationRow> {
        let own = caller.organization;
        if let Some(other) = id.filter(|id| *id != own) {
            return Err(not_found(other));
        }
        caller.rules.require(action, Subject::Sso, &Attributes::default())?;
        let root = organizations::find(&self.store, own).await?.ok_or_else(|| not_found(own))?;
        self.require_genuine_organization(&root)?;
        if root.root_id.is_some() {
            return Err(Error::bad_request(
                "Single sign-on is set up in the root organization, and holds for those below it",
            ));
        }
        Ok(root)
    }

    /// Looks at a provider before it is kept; asks it where anybody is to sign in by it.
    async fn check_provider(&self, draft: &mut Draft) -> Result<()> {
        let (sso, provider) = (&self.sso, &mut draft.provider);
        if !draft.is_active {
            return sso.check_form(provider).map_err(refused);
        }
        let checked = sso.check(provider, self.now().seconds()).await;
        provider.issuer = checked.map_err(refused)?;
        Ok(())
    }

    /// Writes a draft into a row, sealed and authenticated.
    fn fill(&self, row: &mut ProviderRow, root: &OrganizationRow, draft: &Draft) -> Result<()> {
        let internal = |error| Error::Internal(Box::new(error));
        let provider = &draft.provider;
        let key = self.keys.of_organization(root)?;
        let secret = provider.client_secret.expose_secret().as_bytes();
        row.sealed = Note::ProviderSecret.seal(&key, row.id.uuid(), secret, self.entropy())?;
        row.issuer.clone_from(&provider.issuer);
        row.client_id.clone_from(&provider.client_id);
        row.config = serde_json::to_string(&provider.reach).map_err(internal)?;
        row.email_domains = serde_json::to_string(&draft.domains).map_err(internal)?;
        row.is_active = draft.is_active;
        row.mac = provider_mac(&self.keys.rows, row).finish().to_vec();
        Ok(())
    }

    /// Writes whether the organization asks for its provider, as far as that was named, and holds
    /// every change to what enforcement needs.
    async fn write_enforcement(
        &self,
        tx: &mut Tx,
        root: &mut OrganizationRow,
        body: &WriteOidcConfig,
    ) -> Result<()> {
        let former = (root.auth_enforced, root.bypass_org_auth);
        root.auth_enforced = body.auth_enforced.unwrap_or(root.auth_enforced);
        root.bypass_org_auth = body.bypass_org_auth_enabled.unwrap_or(root.bypass_org_auth);
        if root.auth_enforced {
            self.require_enforceable(tx, root.id).await?;
        }
        if former == (root.auth_enforced, root.bypass_org_auth) {
            return Ok(());
        }
        self.update_row(tx, root).await
    }

    /// Refuses to ask for a provider that would keep everybody out, or let anybody in.
    pub(crate) async fn require_enforceable(
        &self,
        tx: &mut Tx,
        root: OrganizationId,
    ) -> Result<()> {
        let refuse = |text| Err(Error::field("authEnforced", text));
        let row = identity_providers::of_organization(&mut *tx, root).await?;
        let Some(row) = row.filter(|row| row.is_active) else {
            return refuse("needs an identity provider that is active");
        };
        provider_mac(&self.keys.rows, &row).verify(&row.mac)?;
        if domains_of(&row)?.is_empty() {
            return refuse("needs `allowedEmailDomains`");
        }
        if identity_providers::count_linked_admins(&mut *tx, root).await? == 0 {
            return refuse("needs an administrator who has signed in with single sign-on before");
        }
        Ok(())
    }

    async fn finish_config(
        &self,
        mut tx: Tx,
        caller: &Caller,
        row: &ProviderRow,
        root: &OrganizationRow,
        kind: &'static str,
    ) -> Result<()> {
        self.touches_rights(&mut tx);
        let event = Event::new(kind).details([
            ("providerId", row.id.to_string().into()),
            ("issuer", row.issuer.clone().into()),
            ("clientId", row.client_id.clone().into()),
            ("reach", row.config.clone().into()),
            ("allowedEmailDomains", domains_of(row)?.join(", ").into()),
            ("isActive", row.is_active.into()),
            ("authEnforced", root.auth_enforced.into()),
            ("bypassOrgAuthEnabled", root.bypass_org_auth.into()),
        ]);
        tx.audit(self.record(caller, &event));
        Ok(tx.commit().await?)
    }
}

impl Draft {
    fn empty() -> Self {
        let provider = Provider {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: SecretString::default(),
            reach: Reach::default(),
        };
        Self { provider, domains: Vec::new(), is_active: false }
    }

    /// Takes over what a request names.
    fn apply(&mut self, body: &WriteOidcConfig) -> Result<()> {
        if body.manage_group_memberships == Some(true) {
            return Err(Error::field(
                "manageGroupMemberships",
                "must be false: there are no groups",
            ));
        }
        let reach = &mut self.provider.reach;
        for (named, place) in [
            (&body.discovery_url, &mut reach.discovery),
            (&body.authorization_endpoint, &mut reach.authorization),
            (&body.token_endpoint, &mut reach.token),
            (&body.jwks_uri, &mut reach.keys),
            (&body.userinfo_endpoint, &mut reach.userinfo),
        ] {
            if let Some(named) = named {
                *place = Some(named.trim().to_owned()).filter(|named| !named.is_empty());
            }
        }
        if let Some(name) = &body.jwt_signature_algorithm {
            reach.algorithm = Algorithm::of(name.trim()).ok_or_else(|| {
                let names = Algorithm::ALL.map(Algorithm::as_str).join(", ");
                Error::field("jwtSignatureAlgorithm", format!("must be one of {names}"))
            })?;
        }
        if let Some(issuer) = &body.issuer {
            issuer.trim().clone_into(&mut self.provider.issuer);
        }
        if let Some(client) = &body.client_id {
            line("clientId", client)?.clone_into(&mut self.provider.client_id);
        }
        let secret = body.client_secret.as_ref().map(ExposeSecret::expose_secret);
        if let Some(secret) = secret.filter(|secret| *secret != MASKED) {
            self.provider.client_secret = line("clientSecret", secret)?.into();
        }
        if let Some(domains) = &body.allowed_email_domains {
            self.domains = parse_domains(domains)?;
        }
        self.is_active = body.is_active.unwrap_or(self.is_active);
        self.apply_type(body.configuration_type.as_deref())
    }

    /// How the provider is found: by its document, or by what is named of it.
    fn apply_type(&mut self, named: Option<&str>) -> Result<()> {
        let reach = &mut self.provider.reach;
        match named {
            Some(BY_HAND) => reach.discovery = None,
            Some(BY_DISCOVERY) | None => {}
            Some(_) => {
                let rule = format!("must be `{BY_DISCOVERY}` or `{BY_HAND}`");
                return Err(Error::field("configurationType", rule));
            }
        }
        let required = |field, given: &Option<String>| match given {
            Some(_) => Ok(()),
            None => Err(Error::field(field, "Required")),
        };
        if named == Some(BY_DISCOVERY) {
            required("discoveryURL", &reach.discovery)?;
        }
        if reach.discovery.is_none() {
            required("authorizationEndpoint", &reach.authorization)?;
            required("tokenEndpoint", &reach.token)?;
            required("jwksUri", &reach.keys)?;
        }
        if self.provider.issuer.is_empty() {
            let document = reach.discovery.as_deref().and_then(|url| url.strip_suffix(WELL_KNOWN));
            let issuer = document.ok_or_else(|| Error::field("issuer", "Required"))?;
            issuer.clone_into(&mut self.provider.issuer);
        }
        Ok(())
    }

    /// What a new provider cannot be without.
    fn require_complete(&self, body: &WriteOidcConfig) -> Result<()> {
        let provider = &self.provider;
        for (field, is_missing) in [
            ("configurationType", body.configuration_type.is_none()),
            ("clientId", provider.client_id.is_empty()),
            ("clientSecret", provider.client_secret.expose_secret().is_empty()),
            ("isActive", body.is_active.is_none()),
        ] {
            if is_missing {
                return Err(Error::field(field, "Required"));
            }
        }
        Ok(())
    }
}

/// One line of printable ASCII: nothing in it can end a header or a form field (attack X4).
fn line<'a>(field: &str, text: &'a str) -> Result<&'a str> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic())
    {
        let rule = format!("must be 1 to {LONGEST} printable ASCII characters without spaces");
        return Err(Error::field(field, rule));
    }
    Ok(text)
}

/// Domains in the form in which those of addresses are compared (attack H2).
fn parse_domains(text: &str) -> Result<Vec<String>> {
    let field = "allowedEmailDomains";
    let refuse = || Error::field(field, "must be domains such as example.com, with commas between");
    let mut domains = Vec::new();
    for given in text.split(',').map(str::trim).filter(|given| !given.is_empty()) {
        let address = canonical_email(field, &format!("a@{given}")).map_err(|_| refuse())?;
        let domain = super::domain_of(&address);
        let is_plain = |character: char| character.is_alphanumeric() || "-.".contains(character);
        if !domain.chars().all(is_plain) {
            return Err(refuse());
        }
        if !domains.iter().any(|known| known == domain) {
            domains.push(domain.to_owned());
        }
    }
    if domains.len() > MAX_DOMAINS {
        return Err(Error::field(field, format!("must be at most {MAX_DOMAINS}")));
    }
    Ok(domains)
}

/// What is wrong with a provider, for whoever sets it up.
fn refused(error: SsoError) -> Error {
    match error {
        SsoError::Settings { field, reason } => Error::field(field, reason),
        SsoError::Unreachable(cause) => {
            let reason = cause.as_ref().map(kms_auth::outbound::OutboundError::reason);
            tracing::warn!(reason, "an identity provider could not be reached");
            Error::bad_request(
                "The identity provider could not be reached, or answered with something else than \
                 its documents. If it is in a private network, the operator of this server has to \
                 allow its address with `--outbound-allow`",
            )
        }
        SsoError::Refused(_) => Error::bad_request("The identity provider's answer is not valid"),
    }
}

fn no_provider() -> Error {
    Error::not_found("This organization has no identity provider")
}

fn to_wire(root: &OrganizationRow, row: &ProviderRow, site: &str) -> Result<OidcConfig> {
    let reach = reach_of(row)?;
    let kind = if reach.discovery.is_some() { BY_DISCOVERY } else { BY_HAND };
    Ok(OidcConfig {
        id: row.id,
        org_id: row.org_id,
        configuration_type: kind.into(),
        issuer: Some(row.issuer.clone()),
        discovery_url: reach.discovery,
        authorization_endpoint: reach.authorization,
        jwks_uri: reach.keys,
        token_endpoint: reach.token,
        userinfo_endpoint: reach.userinfo,
        client_id: row.client_id.clone(),
        client_secret: MASKED.into(),
        is_active: row.is_active,
        allowed_email_domains: Some(domains_of(row)?.join(", ")),
        manage_group_memberships: false,
        jwt_signature_algorithm: reach.algorithm.as_str().into(),
        auth_enforced: root.auth_enforced,
        bypass_org_auth_enabled: root.bypass_org_auth,
        redirect_uri: format!("{site}{LOGIN_SSO_CALLBACK}"),
    })
}
