//! `kms user get token`.

use kms_api::{SessionId, Timestamp};
use kms_client::Claims;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::chosen;
use crate::{
    Context,
    error::{CliError, ResultExt as _},
    profiles::now,
    settings::Output,
};

/// Print the access token of a login, renewed if it has ended
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Print nothing but the token
    #[arg(long)]
    plain: bool,
}

/// The token, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<SessionId>,
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let profile = chosen(context)?;
    let client = context.settings.client_of(&profile)?;
    let doing = || format!("could not get the token of `{}`", profile.name);
    let token = client.session_token().await.context(doing())?;
    let token = token.ok_or_else(|| CliError::internal("the client has no session"))?;
    let text = token.expose_secret();
    if args.plain {
        return context.ui.line(text);
    }
    let claims = Claims::of(&token).unwrap_or_default();
    let expires_at = claims.exp.map(Timestamp::from_seconds);
    if output == Output::Json {
        return context.ui.json(&Shown {
            session_id: claims.token_version_id,
            token: text,
            expires_at,
        });
    }
    if let Some(id) = claims.token_version_id {
        context.ui.line(&format!("Session ID: {id}"))?;
    }
    context.ui.line(&format!("Token: {text}"))?;
    if let Some(end) = expires_at {
        context.ui.line(&format!("Expires At: {end}"))?;
        context.ui.line(&format!("TTL: {}", length(end.seconds() - now().seconds())))?;
    }
    Ok(())
}

/// A length of time as Go writes it, which scripts of the compatible CLI read.
fn length(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{}s", seconds % 60),
        _ => format!("{hours}h{minutes}m{}s", seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn lengths_are_written_as_scripts_read_them() {
        assert_eq!(length(59), "59s");
        assert_eq!(length(600), "10m0s");
        assert_eq!(length(86_399), "23h59m59s");
        assert_eq!(length(-5), "0s");
    }
}
