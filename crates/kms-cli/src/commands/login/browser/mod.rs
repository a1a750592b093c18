//! A person's login through the browser: which way it goes, and what a person is told meanwhile.
//!
//! A server that speaks OAuth is logged in to by a code that comes back to this machine
//! (`loopback.rs`), by a code that is typed on another device (`device.rs`) or by one that is pasted
//! (`paste.rs`). A compatible server without it has a page of its own (`compatible.rs`).

mod compatible;
mod device;
mod listener;
mod loopback;
mod open;
mod paste;
mod wait;

use std::time::Duration;

use kms_api::OrganizationId;
use kms_client::{
    Error as ClientError, Origin,
    login::oauth::{BrowserTokens, LoginWish, OAuth},
};

use self::{listener::Listener, open::Whereabouts};
use super::session::LoggedIn;
use crate::{
    Context,
    error::{CliError, ResultExt as _},
    ui::{Ui, escape_line},
};

/// How long a browser is waited for.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long the name of this machine may be that the page shows, in characters.
const LONGEST_HOST: usize = 64;

/// A way that was asked for by a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// `--device`.
    Device,
    /// `--paste`.
    Paste,
}

/// Which browser.
#[derive(clap::Args, Debug)]
#[group(skip)]
pub(super) struct Args {
    /// Log in with a browser on another device, by a short code
    #[arg(long, conflicts_with_all = WITHOUT_BROWSER)]
    device: bool,

    /// Log in with a browser anywhere, and paste the code that it shows
    #[arg(long, conflicts_with_all = WITHOUT_BROWSER, conflicts_with = "device")]
    paste: bool,
}

/// What says that there is no browser in a login.
const WITHOUT_BROWSER: [&str; 6] =
    ["email", "password", "password_file", "password_stdin", "mfa_code", "interactive"];

impl Args {
    pub(super) fn way(&self) -> Option<Way> {
        match (self.device, self.paste) {
            (true, _) => Some(Way::Device),
            (_, true) => Some(Way::Paste),
            _ => None,
        }
    }
}

/// Logs in. Without a wish for a way, the browser of this machine is used where it has one, else
/// that of another device.
pub(super) async fn log_in(
    origin: &Origin,
    way: Option<Way>,
    organization: Option<OrganizationId>,
    context: &Context,
) -> Result<LoggedIn, CliError> {
    let client = context.settings.anonymous_client_to(origin)?;
    let oauth = client.oauth().await.context("could not ask the server how to log in")?;
    let Some(oauth) = oauth else {
        let verified = compatible::log_in(&client, context).await?;
        return LoggedIn::handed_over(origin, verified).await;
    };
    let wish = LoginWish { organization, host: host() };
    let tokens = match way {
        Some(Way::Device) => device::log_in(&oauth, &wish, context).await?,
        Some(Way::Paste) => paste::log_in(&oauth, &wish, context).await?,
        None => by_surroundings(&oauth, &wish, context).await?,
    };
    LoggedIn::by_browser(origin, &client, tokens).await
}

async fn by_surroundings(
    oauth: &OAuth,
    wish: &LoginWish,
    context: &Context,
) -> Result<BrowserTokens, CliError> {
    match Whereabouts::find(&context.settings.env) {
        Whereabouts::Here => match Listener::bind().await {
            Ok(listener) => return loopback::log_in(oauth, listener, wish, context).await,
            Err(error) => {
                context.ui.warn(&format!("the browser could not come back to here: {error}"));
            }
        },
        Whereabouts::Windows => {}
        Whereabouts::Elsewhere(why) => {
            context.ui.notice(&format!("No browser is opened {why}: use one on any device."));
        }
    }
    device::log_in(oauth, wish, context).await
}

/// What this machine is called.
fn host() -> Option<String> {
    let name = nix::unistd::gethostname().ok()?.into_string().ok()?;
    let name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_HOST).collect();
    (!name.is_empty()).then_some(name)
}

fn show_address(address: &str, ui: Ui) {
    ui.show("To log in, open this address in a browser:\n");
    ui.show(&format!("    {}\n", escape_line(address)));
}

/// A login at the same server, as it can be typed; `flag` may be empty.
pub(super) fn command(context: &Context, flag: &str) -> String {
    let domain = match &context.settings.origin.by {
        Some(_) => format!(" --domain={}", context.settings.origin.value),
        None => String::new(),
    };
    let flag = if flag.is_empty() { String::new() } else { format!(" {flag}") };
    format!("kms login{flag}{domain}")
}

/// Says what a refusal of the page or the server means for the person at the terminal.
fn refused(error: ClientError, context: &Context) -> CliError {
    let ClientError::OAuth { code, .. } = &error else {
        return CliError::from(error).context("could not finish the login");
    };
    let again = command(context, "");
    let (error, hint) = match code.as_str() {
        "access_denied" => (
            CliError::denied(error).context("the login was denied in the browser"),
            format!("to log in after all: `{again}`"),
        ),
        "expired_token" => (
            CliError::needs_person("nobody confirmed the login in time").hint(format!(
                "if the page said that this is not allowed: `{}`",
                command(context, "--paste")
            )),
            format!("to try again: `{again}`"),
        ),
        "invalid_grant" => (
            CliError::denied(error).context("the code was not accepted"),
            format!("for a new one: `{again}`"),
        ),
        "unauthorized_client" => (
            CliError::denied(error).context("this way of logging in is not allowed here"),
            format!("to paste a code in its place: `{}`", command(context, "--paste")),
        ),
        _ => (
            CliError::failed(error).context("the server ended the login"),
            format!("to try again: `{again}`"),
        ),
    };
    error.hint(hint)
}
