//! Sending somebody to their organization's provider, and taking them back.

use kms_api::{OrganizationId, ProviderId, routes::LOGIN_SSO_CALLBACK};
use kms_auth::sso::{Identity, SsoError};
use kms_store::{
    audit::NewAuditRecord,
    identity_providers::{self, ProviderRow},
    organizations::{self, OrganizationRow},
};
use secrecy::SecretString;
use uuid::Uuid;

use super::{
    domain_of, domains_of, failed, failure,
    flow::{Begun, Kept, ProviderAnswer, SentToProvider, SsoOutcome, TAKES, Waiting, not_begun},
    whose::Whose,
};
use crate::{
    Core, Error, Origin, Result,
    access::provider_mac,
    audit::{AuditActor, Event},
    passwords::canonical_email,
};

impl Core {
    /// Sends a browser to the provider of an organization, which is named by its slug or by an
    /// address of its people. `target` is the page that the browser is going to; `site` is where
    /// this server is reached.
    ///
    /// An unknown name, an organization without a provider and one that does not use it answer
    /// alike, and an address is looked at by its domain alone: who has an account is not told
    /// (attack H1).
    pub async fn start_single_sign_on(
        &self,
        named: &str,
        target: &str,
        site: &str,
    ) -> Result<SentToProvider> {
        let (root, row) = self.named_provider(named).await?.ok_or_else(|| {
            Error::not_found("No organization of that name signs in with single sign-on here")
        })?;
        let provider = self.opened(&root, &row)?;
        let now = self.now().seconds();
        let begun = Begun {
            state: self.random_text::<16>(),
            nonce: self.random_text::<16>(),
            verifier: self.random_text::<32>(),
            target: target.to_owned(),
            at: now,
        };
        let started = begun.started(format!("{site}{LOGIN_SSO_CALLBACK}"));
        let location = self.sso.start(&provider, &started, now).await;
        let location = location.map_err(|error| failure(&error))?;
        let host = location.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next());
        Ok(SentToProvider {
            host: host.unwrap_or_default().to_owned(),
            location,
            organization: root.name.clone(),
            state: started.state,
            kept: self.keep(&root, &Kept::Begun(begun))?,
            seconds: TAKES,
        })
    }

    /// Takes somebody back from their provider. `kept` is what the browser kept of this sign-in:
    /// without it the answer is somebody else's (attack H7).
    pub async fn finish_single_sign_on(
        &self,
        kept: Option<&SecretString>,
        answer: &ProviderAnswer,
        site: &str,
        origin: &Origin,
    ) -> Result<SsoOutcome> {
        let (root, begun) = match self.begun(kept, &answer.state).await {
            Ok(begun) => begun,
            Err(error) => {
                let nowhere = Uuid::nil().into();
                self.log_now(self.refused_sign_in(nowhere, None, "state", origin)).await?;
                return Err(error);
            }
        };
        let row = self.provider_of(&root).await?.filter(|row| row.is_active);
        let (provider, said) = match row {
            None => (None, Err(Refused::Disabled)),
            Some(row) => {
                let said = self.ask(&root, &row, &begun, answer, site).await?;
                (Some(row), said)
            }
        };
        let refused = match (&provider, said) {
            (Some(row), Ok((identity, address))) => {
                return self.take_in(&root, row, &begun, &identity, address, origin).await;
            }
            (_, Err(refused)) => refused,
            (None, Ok(_)) => Refused::Disabled,
        };
        let id = provider.map(|row| row.id);
        self.log_now(self.refused_sign_in(root.id, id, refused.as_str(), origin)).await?;
        Err(refused.into_error())
    }

    /// What a provider says about somebody, and their address in its one form.
    async fn ask(
        &self,
        root: &OrganizationRow,
        row: &ProviderRow,
        begun: &Begun,
        answer: &ProviderAnswer,
        site: &str,
    ) -> Result<Result<(Identity, String), Refused>> {
        let Some(code) = &answer.code else { return Ok(Err(Refused::ByProvider)) };
        let provider = self.opened(root, row)?;
        let started = begun.started(format!("{site}{LOGIN_SSO_CALLBACK}"));
        let now = self.now().seconds();
        let identity =
            self.sso.finish(&provider, &started, code, answer.issuer.as_deref(), now).await;
        let identity = match identity {
            Ok(identity) => identity,
            Err(error) => return Ok(Err(Refused::Answer(error))),
        };
        let Ok(address) = canonical_email("email", &identity.email) else {
            return Ok(Err(Refused::Address));
        };
        let domains = domains_of(row)?;
        if !domains.is_empty() && !domains.iter().any(|domain| domain == domain_of(&address)) {
            return Ok(Err(Refused::Domain));
        }
        Ok(Ok((identity, address)))
    }

    /// Signs the browser of somebody in whom the provider knows, where their account is known.
    async fn take_in(
        &self,
        root: &OrganizationRow,
        row: &ProviderRow,
        begun: &Begun,
        identity: &Identity,
        address: String,
        origin: &Origin,
    ) -> Result<SsoOutcome> {
        let said = super::whose::Said { root, provider: row, identity, address, origin };
        let refused = match self.whose(&said).await? {
            Whose::Theirs(page) => {
                return Ok(SsoOutcome::SignedIn { page, target: begun.target.clone() });
            }
            Whose::Unproven(user) => {
                let waiting = Waiting {
                    issuer: row.issuer.clone(),
                    subject: identity.subject.clone(),
                    user,
                    target: begun.target.clone(),
                    at: self.now().seconds(),
                };
                let kept = self.keep(root, &Kept::Waiting(waiting))?;
                return Ok(SsoOutcome::Connect { kept, seconds: TAKES });
            }
            Whose::Nobodys => Refused::Stranger,
            Whose::Suspended => Refused::Suspended,
        };
        let record = self.refused_sign_in(root.id, Some(row.id), refused.as_str(), origin);
        self.log_now(record).await?;
        Err(refused.into_error())
    }

    /// The sign-in that a browser began, if this is the answer to it.
    async fn begun(
        &self,
        kept: Option<&SecretString>,
        state: &str,
    ) -> Result<(OrganizationRow, Begun)> {
        let (root, Kept::Begun(begun)) = self.kept(kept).await? else { return Err(not_begun()) };
        self.require_fresh(begun.at)?;
        let hash = |text: &str| self.keys.lookup.hash("sign-in-state", text);
        if !hash(state).ct_eq(hash(&begun.state).as_bytes()) {
            return Err(not_begun());
        }
        Ok((root, begun))
    }

    /// An active provider, by the slug of its organization or the domain of an address.
    async fn named_provider(&self, named: &str) -> Result<Option<(OrganizationRow, ProviderRow)>> {
        let root = match canonical_email("organization", named) {
            Ok(address) => {
                let rows = identity_providers::by_domain(&self.store, domain_of(&address)).await?;
                // A domain that two name belongs to neither, as far as anybody can tell.
                let [row] = &rows[..] else { return Ok(None) };
                organizations::find(&self.store, row.org_id).await?
            }
            Err(_) => organizations::root_by_slug(&self.store, named.trim()).await?,
        };
        // Asked for nobody, too, so that it takes as long.
        let id = root.as_ref().map_or(Uuid::nil().into(), |root| root.id);
        let row = identity_providers::of_organization(&self.store, id).await?;
        let (Some(root), Some(row)) = (root, row.filter(|row| row.is_active)) else {
            return Ok(None);
        };
        self.require_genuine_organization(&root)?;
        provider_mac(&self.keys.rows, &row).verify(&row.mac)?;
        Ok(Some((root, row)))
    }

    fn refused_sign_in(
        &self,
        organization: OrganizationId,
        provider: Option<ProviderId>,
        reason: &'static str,
        origin: &Origin,
    ) -> NewAuditRecord {
        let actor = AuditActor { kind: "unknownUser", id: None, metadata: "{}".into() };
        let event = Event::new("user-login-failed").details([
            ("authMethod", crate::people::OIDC.into()),
            ("providerId", provider.map(|id| id.to_string()).into()),
            ("reason", reason.into()),
        ]);
        self.record_of(organization, &actor, origin, &event)
    }
}

/// Why somebody was sent back without a session.
enum Refused {
    /// The provider is not used.
    Disabled,
    /// The provider did not let them in.
    ByProvider,
    /// What it said is not believed.
    Answer(SsoError),
    /// Their address is none.
    Address,
    /// Their address is of a domain that the provider may not vouch for.
    Domain,
    /// Nobody invited them.
    Stranger,
    /// The organization suspended them.
    Suspended,
}

impl Refused {
    /// A word for the audit log.
    fn as_str(&self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::ByProvider => "by-provider",
            Self::Answer(SsoError::Refused(refusal)) => refusal.as_str(),
            Self::Answer(SsoError::Unreachable(_)) => "unreachable",
            Self::Answer(SsoError::Settings { .. }) => "settings",
            Self::Address => "address",
            Self::Domain => "domain",
            Self::Stranger => "not-invited",
            Self::Suspended => "suspended",
        }
    }

    fn into_error(self) -> Error {
        match self {
            Self::Answer(error) => failure(&error),
            Self::Disabled => failed("This organization does not use single sign-on any more"),
            Self::ByProvider => failed("Your organization's identity provider did not sign you in"),
            Self::Address => failed("Your identity provider did not say what your address is"),
            Self::Domain => failed(
                "This organization does not take addresses of that domain; ask its administrators",
            ),
            Self::Stranger => {
                failed("Nobody invited you to this organization; ask its administrators to do so")
            }
            Self::Suspended => failed("Your membership in this organization is not active"),
        }
    }
}
