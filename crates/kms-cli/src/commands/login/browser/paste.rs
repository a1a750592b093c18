//! Nothing of this machine can be reached and nothing is polled: the page shows a code, and a person
//! carries it over.

use kms_client::login::oauth::{Answer, Authorization, BrowserTokens, LoginWish, OAuth};
use secrecy::{ExposeSecret as _, SecretString};

use super::{open, open::Whereabouts, refused, show_address};
use crate::{Context, error::CliError, prompt};

/// How often a code may be wrong.
const ROUNDS: u32 = 3;

pub(super) async fn log_in(
    oauth: &OAuth,
    wish: &LoginWish,
    context: &Context,
) -> Result<BrowserTokens, CliError> {
    let authorization = oauth.authorize(&oauth.code_page(), wish);
    show_address(authorization.address(), context.ui);
    if !matches!(Whereabouts::find(&context.settings.env), Whereabouts::Elsewhere(_)) {
        open::in_browser(authorization.address()).await;
    }
    for round in 1.. {
        let text = prompt::secret("Code that the page shows in the end:").await?;
        let error = match read(&authorization, &text) {
            None => {
                context.ui.complain("that is neither a code nor the address of the page with it");
                if round < ROUNDS {
                    continue;
                }
                return Err(CliError::needs_person("no code was pasted"));
            }
            Some(Answer::Refused(error)) => error,
            Some(Answer::Code(code)) => match authorization.redeem(&code).await {
                Ok(tokens) => return Ok(tokens),
                Err(error) => error,
            },
        };
        let is_wrong =
            matches!(&error, kms_client::Error::OAuth { code, .. } if code == "invalid_grant");
        if !is_wrong || round == ROUNDS {
            return Err(refused(error, context));
        }
        context.ui.complain(&format!("{error}; codes are good once, for a minute"));
    }
    unreachable!("the loop has no end of its own")
}

/// A code, or the address of the page that shows it.
fn read(authorization: &Authorization, text: &SecretString) -> Option<Answer> {
    let text = text.expose_secret().trim();
    if text.contains("://") {
        return authorization.answer_in_address(text);
    }
    let is_word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_word.then(|| Answer::Code(text.into()))
}
