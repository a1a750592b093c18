//! Machines that log in.

use kms_api::{
    AuthMethodId, ClientSecretId, IdentityId, TokenId,
    auth::{
        LoginResponse,
        token::TokenBody,
        trusted_ip::TrustedIpInput,
        universal::{CreateClientSecret, Proof, Settings},
    },
    identities::CreateIdentity,
};
use kms_crypto::claims::IdentityAccessClaims;
use kms_store::{Source as _, identities::CountRow, organization_memberships, organizations};
use secrecy::{ExposeSecret as _, SecretString};

use super::World;
use crate::{Caller, Error, Origin, Result, access::organization_membership_mac};

/// Where everybody is unless a test says otherwise.
pub(crate) const HOME: &str = "192.0.2.10";

/// An identity of our organization with universal auth and one client secret.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) id: IdentityId,
    pub(crate) method: AuthMethodId,
    pub(crate) client_id: String,
    pub(crate) secret_id: ClientSecretId,
    pub(crate) secret: String,
}

impl Machine {
    /// What it logs in with.
    pub(crate) fn proof(&self) -> Proof {
        proof(&self.client_id, &self.secret)
    }
}

/// What somebody tries to log in with.
pub(crate) fn proof(client_id: &str, secret: &str) -> Proof {
    Proof {
        client_id: client_id.into(),
        client_secret: SecretString::from(secret),
        organization_slug: None,
    }
}

/// A request from an address.
pub(crate) fn from(ip: &str) -> Origin {
    Origin { ip: Some(ip.parse().unwrap()), user_agent: None }
}

/// A list of trusted IPs.
pub(crate) fn ips(given: &[&str]) -> Vec<TrustedIpInput> {
    given.iter().map(|ip| TrustedIpInput { ip_address: (*ip).into() }).collect()
}

/// The text of a 401.
pub(crate) fn unauthorized<T>(result: Result<T>) -> String {
    match result {
        Err(Error::Unauthorized(text)) => text.into_owned(),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it was let through"),
    }
}

impl World {
    /// A machine with a role in our organization.
    pub(crate) async fn machine(&self, role: &str, settings: Settings) -> Machine {
        self.machine_with(role, settings, CreateClientSecret::default()).await
    }

    /// A machine whose client secret has limits.
    pub(crate) async fn machine_with(
        &self,
        role: &str,
        settings: Settings,
        secret: CreateClientSecret,
    ) -> Machine {
        let (core, caller) = (&self.core, &self.ours);
        let body = CreateIdentity {
            name: "machine".into(),
            role: Some(role.into()),
            ..CreateIdentity::default()
        };
        let id = core.create_identity(caller, &body).await.unwrap().identity.id;
        let attached = core.attach_universal_auth(caller, id, &settings).await.unwrap();
        let secret = core.create_client_secret(caller, id, &secret).await.unwrap();
        Machine {
            id,
            method: attached.identity_universal_auth.id,
            client_id: attached.identity_universal_auth.client_id,
            secret_id: secret.client_secret_data.id,
            secret: secret.client_secret.expose_secret().to_owned(),
        }
    }

    /// Logs a machine in.
    pub(crate) async fn login(&self, machine: &Machine) -> Result<LoginResponse> {
        self.core.universal_auth_login(&machine.proof(), &from(HOME)).await
    }

    /// The token of a machine that logs in.
    pub(crate) async fn token(&self, machine: &Machine) -> String {
        self.login(machine).await.unwrap().access_token
    }

    /// Makes a request with a token.
    pub(crate) async fn request(&self, token: &str) -> Result<Caller> {
        self.core.authenticate(token, from(HOME)).await
    }

    /// Renews a token.
    pub(crate) async fn renew(&self, token: &str) -> Result<LoginResponse> {
        self.core.renew_token(&body(token), &from(HOME)).await
    }

    /// Revokes a token.
    pub(crate) async fn revoke(&self, token: &str) -> Result<()> {
        self.core.revoke_token(&body(token), &from(HOME)).await.map(|_| ())
    }

    /// What a token says.
    pub(crate) fn claims(&self, token: &str) -> IdentityAccessClaims {
        self.core.keys.tokens.verify(token, self.core.now().seconds()).unwrap()
    }

    /// The id of a token.
    pub(crate) fn token_id(&self, token: &str) -> TokenId {
        self.claims(token).jti.into()
    }

    /// Moves a machine's membership in our organization to another state, as the server would.
    pub(crate) async fn set_membership(&self, id: IdentityId, status: &str, is_active: bool) {
        let core = &self.core;
        let mut tx = core.store.begin().await.unwrap();
        let (org, principal) = (self.ours.organization, id.uuid());
        let row = organizations::membership(&mut tx, org, principal, "identity").await.unwrap();
        let mut row = row.unwrap();
        row.status = status.into();
        row.is_active = is_active;
        row.mac = organization_membership_mac(&core.keys.rows, &row).finish().to_vec();
        organization_memberships::update(&mut tx, &row).await.unwrap();
        core.touches_rights(&mut tx);
        tx.commit().await.unwrap();
    }

    /// The one number that a query answers.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        let row: Option<CountRow> = self.store.fetch_optional(sql, ()).await.unwrap();
        row.unwrap().count
    }

    /// How many records of a kind there are.
    pub(crate) async fn recorded(&self, kind: &str) -> i64 {
        let sql = "SELECT COUNT(*) FROM audit_logs WHERE event_type = $1";
        let row: Option<CountRow> = self.store.fetch_optional(sql, (kind,)).await.unwrap();
        row.unwrap().count
    }
}

fn body(token: &str) -> TokenBody {
    TokenBody { access_token: token.into() }
}
