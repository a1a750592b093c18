//! Who a credential is, for `kms whoami` and `kms login status`.

use std::time::Duration;

use kms_api::service_tokens::PREFIX;
use kms_client::{Claims, Client, Error as ClientError};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use tokio::time::timeout;

use crate::{
    Context,
    error::CliError,
    profiles::{Chosen, SessionStore},
};

/// How long the server may take to say whether it takes a token.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is called with.
pub(super) enum Credential<'a> {
    /// A token that was given, and the flag or variable that gave it.
    Given { token: &'a SecretString, by: &'a str },
    /// A login that is kept here.
    Kept { chosen: &'a Chosen, store: Box<SessionStore> },
}

/// The kinds of principal, by their names in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PrincipalType {
    User,
    MachineIdentity,
    ServiceToken,
}

/// Whether the server takes a token.
#[derive(Debug, Serialize)]
pub(super) struct Verification {
    pub(super) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Verified,
    Rejected,
    Unknown,
    Skipped,
}

impl<'a> Credential<'a> {
    /// The credential that a command would use; `None` if there is none.
    pub(super) fn find(context: &'a Context) -> Result<Option<Self>, CliError> {
        let settings = &context.settings;
        if let Some(token) = &settings.token {
            let by = token.by.as_deref().unwrap_or_default();
            return Ok(Some(Self::Given { token: &token.value, by }));
        }
        let Some(chosen) = settings.chosen()? else { return Ok(None) };
        let store = Box::new(settings.profiles.store(&chosen.profile)?);
        Ok(Some(Self::Kept { chosen, store }))
    }

    /// The access token as it is, not renewed.
    pub(super) fn token(&self) -> Result<SecretString, CliError> {
        match self {
            Self::Given { token, .. } => Ok((*token).clone()),
            Self::Kept { store, .. } => Ok(store.open()?.access),
        }
    }
}

impl PrincipalType {
    /// By its form, else by what its claims say.
    pub(super) fn of(token: &SecretString, claims: &Claims) -> Result<Self, CliError> {
        if token.expose_secret().starts_with(PREFIX) {
            return Ok(Self::ServiceToken);
        }
        match claims.auth_token_type.as_deref() {
            Some("accessToken") => Ok(Self::User),
            Some("identityAccessToken") => Ok(Self::MachineIdentity),
            Some(_) => Err(CliError::usage("it is a token for another purpose than calling")),
            None if claims.identity_id.is_none() && claims.user_id.is_some() => Ok(Self::User),
            None => Ok(Self::MachineIdentity),
        }
    }

    /// For people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::User => "person",
            Self::MachineIdentity => "machine identity",
            Self::ServiceToken => "service token",
        }
    }
}

/// Asks the server whether it takes the client's credential; renews a session that has ended.
pub(super) async fn verify(client: &Client, kind: PrincipalType) -> Verification {
    let asked = async {
        match kind {
            PrincipalType::User => client.check_auth().await.map(drop),
            PrincipalType::MachineIdentity => client.identity_details().await.map(drop),
            PrincipalType::ServiceToken => client.own_service_token().await.map(drop),
        }
    };
    match timeout(PATIENCE, asked).await {
        Ok(Ok(())) => Verification { state: State::Verified, reason: None },
        Ok(Err(error)) => {
            let state = if is_refusal(&error) { State::Rejected } else { State::Unknown };
            let causes: Vec<_> = CliError::from(error).chain().collect();
            Verification { state, reason: Some(causes.join(": ")) }
        }
        Err(_) => {
            let reason = format!("no answer within {} seconds", PATIENCE.as_secs());
            Verification { state: State::Unknown, reason: Some(reason) }
        }
    }
}

fn is_refusal(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::SessionEnded { .. } | ClientError::Status { status: 401 | 403, .. }
    )
}
