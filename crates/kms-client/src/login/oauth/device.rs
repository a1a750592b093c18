//! The device code: somebody confirms it elsewhere while this side asks whether they have.

use std::{fmt, time::Duration};

use kms_api::oauth::{
    CLI_CLIENT, DEVICE_GRANT, DeviceAuthorizationRequest, DeviceAuthorizationResponse, TokenRequest,
};
use secrecy::SecretString;
use tokio::time::{Instant, sleep_until};

use super::{BrowserTokens, LoginWish, OAuth, own_endpoint, request};
use crate::Error;

/// How much slower polling gets each time the server asks for it (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// How long the pause between two polls gets at most while nobody answers.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How long any code is waited for.
const LONGEST_LIFE: Duration = Duration::from_hours(1);

/// A device code that waits for its confirmation.
pub struct DeviceLogin {
    oauth: OAuth,
    code: SecretString,
    user_code: String,
    address: String,
    complete_address: Option<String>,
    pace: Pace,
    ends: Instant,
}

impl fmt::Debug for DeviceLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceLogin").field("address", &self.address).finish_non_exhaustive()
    }
}

impl OAuth {
    /// Asks for a device code. `None` where the server has none to give.
    pub async fn authorize_device(&self, wish: &LoginWish) -> Result<Option<DeviceLogin>, Error> {
        let Some(path) = &self.device else { return Ok(None) };
        let body = DeviceAuthorizationRequest {
            client_id: CLI_CLIENT.into(),
            organization_id: wish.organization,
            host: wish.host.clone(),
        };
        let answer: DeviceAuthorizationResponse = self.client.post_form(path, &body).await?;
        let addresses = [Some(&answer.verification_uri), answer.verification_uri_complete.as_ref()];
        for address in addresses.into_iter().flatten() {
            if own_endpoint(&self.issuer, address).is_none() {
                let (origin, endpoint) = (self.client.origin().clone(), address.clone());
                return Err(Error::ForeignEndpoint { origin, endpoint });
            }
        }
        let seconds = |number: i64| Duration::from_secs(number.max(1).unsigned_abs());
        Ok(Some(DeviceLogin {
            oauth: self.clone(),
            code: answer.device_code.into(),
            user_code: answer.user_code,
            address: answer.verification_uri,
            complete_address: answer.verification_uri_complete,
            pace: Pace(seconds(answer.interval)),
            ends: Instant::now() + seconds(answer.expires_in).min(LONGEST_LIFE),
        }))
    }
}

impl DeviceLogin {
    /// What is typed on the other device.
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Where it is typed.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The same with the code in it.
    pub fn complete_address(&self) -> Option<&str> {
        self.complete_address.as_deref()
    }

    /// How long the code lives from now on.
    pub fn remaining(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// Asks until the code is confirmed, refused or has ended, no more often than the server wants.
    /// Where nobody answers, it asks more and more seldom, and gives up when the code has ended.
    pub async fn wait(mut self) -> Result<BrowserTokens, Error> {
        let request =
            TokenRequest { device_code: Some(self.code.clone()), ..request(DEVICE_GRANT) };
        let mut last = None;
        loop {
            let next = Instant::now() + self.pace.0;
            if next >= self.ends {
                sleep_until(self.ends).await;
                return Err(last.unwrap_or_else(|| self.expired()));
            }
            sleep_until(next).await;
            let error = match self.oauth.tokens(&request).await {
                Ok(tokens) => return Ok(tokens),
                Err(error) => error,
            };
            match Turn::after(&error) {
                Turn::Again => last = None,
                Turn::Slower => {
                    self.pace.slower();
                    last = None;
                }
                Turn::BackOff => {
                    self.pace.back_off();
                    last = Some(error);
                }
                Turn::Over => return Err(error),
            }
        }
    }

    fn expired(&self) -> Error {
        Error::OAuth {
            origin: self.oauth.client.origin().clone(),
            code: "expired_token".into(),
            description: None,
        }
    }
}

/// The pause between two polls.
#[derive(Debug, PartialEq, Eq)]
struct Pace(Duration);

impl Pace {
    fn slower(&mut self) {
        self.0 += SLOWER;
    }

    fn back_off(&mut self) {
        self.0 = (self.0 * 2).min(LONGEST_PAUSE.max(self.0));
    }
}

/// What an unsuccessful poll means for the next.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Again,
    Slower,
    BackOff,
    Over,
}

impl Turn {
    fn after(error: &Error) -> Self {
        match error {
            Error::OAuth { code, .. } => match code.as_str() {
                "authorization_pending" => Self::Again,
                "slow_down" => Self::Slower,
                _ => Self::Over,
            },
            Error::Status { status: 429, .. } => Self::Slower,
            Error::Unreachable { .. } => Self::BackOff,
            // A gateway whose server restarts.
            Error::Status { status: 502..=504, .. } | Error::NotKms { status: 502..=504, .. } => {
                Self::BackOff
            }
            _ => Self::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oauth_error(code: &str) -> Error {
        let origin = "https://kms.example.com".parse().unwrap();
        Error::OAuth { origin, code: code.into(), description: None }
    }

    #[test]
    fn l6_polling_slows_down_when_told_to_and_stays_slow() {
        let mut pace = Pace(Duration::from_secs(5));
        pace.slower();
        pace.slower();
        assert_eq!(pace, Pace(Duration::from_secs(15)));
    }

    #[test]
    fn whoever_does_not_answer_is_asked_half_as_often_each_time() {
        let mut pace = Pace(Duration::from_secs(5));
        let pauses: Vec<_> = (0..5)
            .map(|_| {
                pace.back_off();
                pace.0.as_secs()
            })
            .collect();
        assert_eq!(pauses, [10, 20, 40, 60, 60]);
        let mut slow = Pace(Duration::from_secs(90));
        slow.back_off();
        assert_eq!(slow.0.as_secs(), 90, "never more often than the server wants");
    }

    #[test]
    fn only_what_may_still_succeed_is_asked_again() {
        assert_eq!(Turn::after(&oauth_error("authorization_pending")), Turn::Again);
        assert_eq!(Turn::after(&oauth_error("slow_down")), Turn::Slower);
        for code in ["access_denied", "expired_token", "invalid_grant", "unheard_of"] {
            assert_eq!(Turn::after(&oauth_error(code)), Turn::Over, "{code}");
        }
    }
}
