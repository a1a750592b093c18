//! The second factor of a person's login.

use kms_api::auth::user::{MfaVerified, VerifyMfa};
use kms_client::{Client, Error as ClientError, WithRefresh};
use secrecy::{ExposeSecret as _, SecretString};

use super::user::{Given, MACHINE, direct_command};
use crate::{Context, error::CliError, prompt};

/// How many codes are tried in one login.
const TRIES: u32 = 5;

/// How many characters a recovery code has (wire contract).
const RECOVERY_CODE: usize = 8;

/// The tries that are left, over all the challenges of one login.
pub(super) struct Tries(u32);

impl Default for Tries {
    fn default() -> Self {
        Self(TRIES)
    }
}

impl Tries {
    fn left(&self) -> String {
        let Self(left) = self;
        format!("{left} {} left", if *left == 1 { "try" } else { "tries" })
    }
}

/// How a challenge ended.
pub(super) enum Outcome {
    /// The factor was given.
    Verified(WithRefresh<MfaVerified>),
    /// It took too long: the organization has to be chosen again, which starts another.
    Expired,
}

/// A server that asks for the second factor.
pub(super) struct Challenge<'a> {
    /// It carries the token that is good for this alone.
    pub(super) client: Client,
    /// `mfaMethod` of the answer.
    pub(super) method: Option<String>,
    pub(super) email: &'a str,
    pub(super) given: &'a Given,
    pub(super) context: &'a Context,
}

impl Challenge<'_> {
    /// Gets through it.
    pub(super) async fn verify(self, tries: &mut Tries) -> Result<Outcome, CliError> {
        let ui = self.context.ui;
        let factor = Factor::named(self.method.as_deref());
        // A code is good once, so one that was given with the command is tried once.
        let mut ready = self.given.mfa_code.clone().filter(|_| tries.0 == TRIES);
        loop {
            let entry = match ready.take() {
                Some(code) => factor.read(code),
                None if ui.interactive => factor.ask(self.email).await?,
                None => return Err(self.unattended(factor)),
            };
            let result = match entry {
                Entry::Again => {
                    self.client.send_mfa_code().await?;
                    ui.notice("A new code is on its way");
                    continue;
                }
                Entry::Recovery(code) => self.client.verify_recovery_code(&code).await,
                Entry::Code(code) => self.client.verify_mfa(&self.proof(factor, code)).await,
            };
            let error = match result {
                Ok(verified) => return Ok(Outcome::Verified(verified)),
                Err(error) => error,
            };
            tries.0 -= 1;
            let again = ui.interactive && tries.0 > 0;
            match Verdict::of(&error) {
                Verdict::Fatal => return Err(error.into()),
                Verdict::Expired if again => return Ok(Outcome::Expired),
                Verdict::Wrong if again => ui.complain(&format!("{error}; {}", tries.left())),
                Verdict::Wrong | Verdict::Expired => return Err(self.refused(error)),
            }
        }
    }

    fn proof(&self, factor: Factor, code: SecretString) -> VerifyMfa {
        VerifyMfa {
            mfa_token: code,
            mfa_method: Some(factor.name().to_owned()),
            email: Some(self.email.to_owned()),
        }
    }

    fn refused(&self, error: ClientError) -> CliError {
        CliError::denied(error)
            .context("the second factor was not accepted")
            .hint(format!("start again: `{}`", self.command()))
    }

    /// The organization wants a code, and nobody is there who has one.
    fn unattended(&self, factor: Factor) -> CliError {
        let error = CliError::needs_person("this login needs a second factor");
        let error = if factor == Factor::Totp {
            error.hint(format!("add the code of the app: `{} --mfa-code=CODE`", self.command()))
        } else if factor == Factor::Passkey {
            error.hint("it is a passkey, which works in a browser: `kms login`")
        } else {
            error.hint(format!("on a terminal it is asked for: `{}`", self.command()))
        };
        error.hint(MACHINE)
    }

    fn command(&self) -> String {
        let organization = self.given.organization.map(|id| id.to_string());
        direct_command(Some(self.email), organization.as_deref(), &self.context.settings)
    }
}

/// What the server asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Factor {
    Email,
    Totp,
    Passkey,
}

/// What a person entered.
enum Entry {
    Code(SecretString),
    Recovery(SecretString),
    Again,
}

impl Factor {
    /// The server's word; none is a mailed code, as in the contract.
    fn named(method: Option<&str>) -> Self {
        match method {
            Some("totp") => Self::Totp,
            Some("webauthn") => Self::Passkey,
            _ => Self::Email,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Totp => "totp",
            Self::Passkey => "webauthn",
        }
    }

    async fn ask(self, email: &str) -> Result<Entry, CliError> {
        let (question, help, check): (_, _, prompt::Check) = match self {
            Self::Email => (
                format!("Code that was sent to {email}:"),
                "`r` sends another; a recovery code is accepted too",
                |text| if text.eq_ignore_ascii_case("r") { Ok(()) } else { check(text) },
            ),
            Self::Totp => (
                "Code of your authenticator app:".to_owned(),
                "a recovery code is accepted too",
                check,
            ),
            Self::Passkey => {
                let help = "a passkey works in a browser: `kms login` opens one";
                ("Recovery code:".to_owned(), help, |text| {
                    if is_recovery_code(text) { Ok(()) } else { Err(no_code(text)) }
                })
            }
        };
        let text = prompt::text(&question, Some(help), None, check).await?;
        Ok(self.read(text.into()))
    }

    fn read(self, text: SecretString) -> Entry {
        let code = text.expose_secret();
        if self == Self::Email && code.eq_ignore_ascii_case("r") {
            Entry::Again
        } else if self == Self::Passkey || is_recovery_code(code) {
            Entry::Recovery(text)
        } else {
            Entry::Code(code.split_whitespace().collect::<String>().into())
        }
    }
}

fn is_recovery_code(text: &str) -> bool {
    text.len() == RECOVERY_CODE && !text.contains(char::is_whitespace)
}

fn check(text: &str) -> Result<(), String> {
    let digits = text.split_whitespace().collect::<String>();
    let is_code = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_code || is_recovery_code(text) { Ok(()) } else { Err(no_code(text)) }
}

fn no_code(_: &str) -> String {
    format!("a code has 6 digits, a recovery code {RECOVERY_CODE} characters")
}

/// What a refusal means for the next try.
enum Verdict {
    Wrong,
    Expired,
    Fatal,
}

impl Verdict {
    /// By `context.code` where the server gives one; compatible servers that do not say only that
    /// a token has expired, or that an account is locked, in a way to tell apart.
    fn of(error: &ClientError) -> Self {
        let ClientError::Status { status, body, .. } = error else {
            return Self::Fatal;
        };
        let code = body.context.as_ref().and_then(|context| context["code"].as_str());
        match (code, body.error.as_str(), status) {
            (Some("mfa_expired"), ..) | (None, "TokenError", _) => Self::Expired,
            (_, "UserLocked", _) | (_, _, 429 | 502..=504) => Self::Fatal,
            _ => Self::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_entered_is_told_apart_by_its_form() {
        let kind = |factor: Factor, text: &str| match factor.read(text.into()) {
            Entry::Code(code) => format!("code {}", code.expose_secret()),
            Entry::Recovery(code) => format!("recovery {}", code.expose_secret()),
            Entry::Again => "again".to_owned(),
        };
        assert_eq!(kind(Factor::Totp, "123 456"), "code 123456");
        assert_eq!(kind(Factor::Email, "123456"), "code 123456");
        assert_eq!(kind(Factor::Email, "R"), "again");
        assert_eq!(kind(Factor::Totp, "ab12cd34"), "recovery ab12cd34");
        assert_eq!(kind(Factor::Passkey, "12345678"), "recovery 12345678");
    }

    #[test]
    fn what_is_no_code_is_asked_for_again_without_a_try() {
        for good in ["123456", "123 456", "ABCD1234", "12345678"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "12345", "1234567", "12345a", "abcd 123"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
