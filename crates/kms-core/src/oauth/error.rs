//! Why a program was not given tokens.

use kms_api::oauth::OAuthErrorBody;

use crate::Error;

/// Why a program was not given tokens (RFC 6749, section 5.2; RFC 8628, section 3.5).
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// Something is missing, twice there, or not what it should look like.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// Not a client of this server.
    #[error("The client is not known to this server")]
    InvalidClient,
    /// The code, the device code or the refresh token is not good, or no longer.
    #[error("{0}")]
    InvalidGrant(&'static str),
    /// Not a way to get tokens here.
    #[error("The server has no such grant type")]
    UnsupportedGrantType,
    /// Nobody approved or denied yet.
    #[error("Nobody approved this login yet")]
    AuthorizationPending,
    /// Asked again too soon; five seconds more from now on.
    #[error("Asked too often")]
    SlowDown,
    /// The person said no.
    #[error("The login was denied")]
    AccessDenied,
    /// Nobody approved in time.
    #[error("Nobody approved this login in time")]
    ExpiredToken,
    /// What has nothing to do with the grant: limits, and failures of ours.
    #[error(transparent)]
    Core(#[from] Error),
}

impl OAuthError {
    /// What is wrong with something approved that no longer stands: the session is over, the
    /// person is no member any more, or owes more by now. What is ours stays what it is.
    pub(crate) fn no_longer(error: Error) -> Self {
        match error {
            Error::NotFound(_)
            | Error::SessionOver { .. }
            | Error::Forbidden { .. }
            | Error::Token(_) => Self::InvalidGrant("The approval no longer stands; log in again"),
            other => Self::Core(other),
        }
    }

    /// The error in the words of the RFCs; none where it is not about the grant.
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
            Self::Core(_) => return None,
        })
    }

    /// What the program is answered; an error where the answer is that of the rest of the API.
    pub fn refusal(self) -> Result<OAuthErrorBody, Error> {
        match self {
            Self::Core(error) => Err(error),
            told => Ok(OAuthErrorBody {
                error: told.code().unwrap_or_default().to_owned(),
                error_description: Some(told.to_string()),
            }),
        }
    }
}

impl From<kms_store::StoreError> for OAuthError {
    fn from(error: kms_store::StoreError) -> Self {
        Self::Core(error.into())
    }
}

impl From<kms_crypto::CryptoError> for OAuthError {
    fn from(error: kms_crypto::CryptoError) -> Self {
        Self::Core(error.into())
    }
}
