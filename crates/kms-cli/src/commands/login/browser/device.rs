//! The browser is on another device: a short code is typed there (RFC 8628).

use kms_client::{
    Error as ClientError,
    login::oauth::{BrowserTokens, DeviceLogin, LoginWish, OAuth},
};

use super::{command, open, open::Whereabouts, paste, refused};
use crate::{Context, error::CliError, ui::escape_line};

/// Waits for the code to be confirmed. Where there are no codes, or the polls for them are not
/// answered as they should be, a person at the terminal can paste one in its place.
pub(super) async fn log_in(
    oauth: &OAuth,
    wish: &LoginWish,
    context: &Context,
) -> Result<BrowserTokens, CliError> {
    let device = match oauth.authorize_device(wish).await {
        Ok(Some(device)) => device,
        Ok(None) => {
            let error = CliError::failed("this server has no logins with a code on another device");
            return instead(error, oauth, wish, context).await;
        }
        Err(error) => {
            let is_final =
                matches!(error, ClientError::Unreachable { .. } | ClientError::Tls { .. });
            let error = CliError::from(error).context("no code for another device was given");
            return if is_final { Err(error) } else { instead(error, oauth, wish, context).await };
        }
    };
    show(&device, context);
    if Whereabouts::find(&context.settings.env) == Whereabouts::Windows {
        open::in_browser(device.complete_address().unwrap_or(device.address())).await;
    }
    match device.wait().await {
        Ok(tokens) => Ok(tokens),
        Err(error @ (ClientError::OAuth { .. } | ClientError::Unreachable { .. })) => {
            Err(refused(error, context))
        }
        Err(error) => {
            let error = CliError::from(error).context("could not ask whether it was confirmed");
            instead(error, oauth, wish, context).await
        }
    }
}

/// Goes on by pasting where somebody is there to do so.
async fn instead(
    error: CliError,
    oauth: &OAuth,
    wish: &LoginWish,
    context: &Context,
) -> Result<BrowserTokens, CliError> {
    if !context.ui.interactive {
        let paste = command(context, "--paste");
        return Err(error.hint(format!("on a terminal, paste a code in its place: `{paste}`")));
    }
    let reasons: Vec<_> = error.chain().collect();
    context.ui.warn(&format!("{}; a code is pasted in its place", reasons.join(": ")));
    paste::log_in(oauth, wish, context).await
}

fn show(device: &DeviceLogin, context: &Context) {
    let ui = context.ui;
    ui.show("To log in, open this address on any device:\n");
    ui.show(&format!("    {}\n", escape_line(device.address())));
    ui.show(&format!("and enter this code:  {}\n", escape_line(device.user_code())));
    if let Some(address) = device.complete_address() {
        ui.show(&format!("Or open {}, which has the code in it.", escape_line(address)));
    }
    let minutes = device.remaining().as_secs().div_ceil(60);
    ui.notice(&format!(
        "Waiting for the confirmation, {minutes} minutes at most. Ctrl-C ends the login."
    ));
}
