//! `kms identities universal-auth`.

use kms_api::auth::universal::{IdentityUniversalAuth, Settings};

use super::token_settings::{TokenArgs, addresses, refusal};
use crate::{
    Context,
    cli::ConfirmArg,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// Work with the universal auth of an identity
#[derive(Debug, clap::Subcommand)]
pub enum UniversalAuth {
    /// Let an identity log in with a client id and client secrets
    Attach(SettingsArgs),
    /// Show the client id and the settings
    #[command(visible_alias = "show")]
    Get(IdentityArg),
    /// Change the settings
    Update(SettingsArgs),
    /// Take it away; its client secrets and their tokens end
    Detach(DetachArgs),
    /// End all lockouts
    ClearLockouts(IdentityArg),
}

#[derive(clap::Args, Debug)]
pub struct IdentityArg {
    /// Id of the identity
    #[arg(value_name = "IDENTITY")]
    identity: String,
}

#[derive(clap::Args, Debug)]
pub struct DetachArgs {
    #[command(flatten)]
    identity: IdentityArg,

    #[command(flatten)]
    confirm: ConfirmArg,
}

#[derive(clap::Args, Debug)]
pub struct SettingsArgs {
    #[command(flatten)]
    identity: IdentityArg,

    #[command(flatten)]
    token: TokenArgs,

    /// How long each renewal of a periodic token lasts; 0 for tokens that are not periodic
    #[arg(long, value_name = "SECONDS")]
    access_token_period: Option<i64>,

    /// Address or network from which client secrets can be used; can be repeated
    #[arg(long, value_name = "IP|CIDR", value_delimiter = ',')]
    client_secret_trusted_ip: Vec<String>,

    /// Whether wrong client secrets lock the client out for a while
    #[arg(long, value_name = "BOOL")]
    lockout_enabled: Option<bool>,

    /// After how many wrong tries, 1 to 30
    #[arg(long, value_name = "N")]
    lockout_threshold: Option<i64>,

    /// For how long, 30 to 86400
    #[arg(long, value_name = "SECONDS")]
    lockout_duration: Option<i64>,

    /// After how long without a wrong try counting starts anew, 5 to 3600
    #[arg(long, value_name = "SECONDS")]
    lockout_counter_reset: Option<i64>,
}

impl SettingsArgs {
    fn settings(&self) -> Settings {
        Settings {
            client_secret_trusted_ips: addresses(&self.client_secret_trusted_ip),
            token: self.token.settings(),
            access_token_period: self.access_token_period,
            lockout_enabled: self.lockout_enabled,
            lockout_threshold: self.lockout_threshold,
            lockout_duration_seconds: self.lockout_duration,
            lockout_counter_reset_seconds: self.lockout_counter_reset,
        }
    }
}

pub(super) async fn run(command: UniversalAuth, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    let answer = match &command {
        UniversalAuth::Attach(args) => {
            let identity = &args.identity.identity;
            let settings = args.settings();
            let answer = client.attach_universal_auth(identity, &settings).await;
            answer.map_err(|error| refused(error, "attach", "to", identity))?
        }
        UniversalAuth::Get(args) => {
            let answer = client.get_universal_auth(&args.identity).await;
            answer.context(doing("read", "of", &args.identity))?
        }
        UniversalAuth::Update(args) => {
            let identity = &args.identity.identity;
            let settings = args.settings();
            let answer = client.update_universal_auth(identity, &settings).await;
            answer.map_err(|error| refused(error, "change", "of", identity))?
        }
        UniversalAuth::Detach(args) => {
            let identity = &args.identity.identity;
            let what = format!("the universal auth of the identity `{identity}`");
            context.ui.confirm_deletion(&what, args.confirm.yes)?;
            let answer = client.detach_universal_auth(identity).await;
            answer.context(doing("detach", "from", identity))?
        }
        UniversalAuth::ClearLockouts(args) => {
            let answer = client.clear_lockouts(&args.identity).await;
            let answer =
                answer.context(format!("could not clear the lockouts of `{}`", args.identity))?;
            if output == Output::Json {
                return context.ui.json(&answer);
            }
            let text = format!("Cleared {} lockouts", answer.deleted);
            context.ui.notice(&text);
            return Ok(());
        }
    };
    print(context, output, &answer.identity_universal_auth)
}

fn refused(error: kms_client::Error, verb: &str, preposition: &str, identity: &str) -> CliError {
    refusal::<SettingsArgs>(error, doing(verb, preposition, identity))
}

fn doing(verb: &str, preposition: &str, identity: &str) -> String {
    format!("could not {verb} the universal auth {preposition} the identity `{identity}`")
}

fn print(context: &Context, output: Output, auth: &IdentityUniversalAuth) -> Result<(), CliError> {
    if output == Output::Json {
        return context.ui.json(auth);
    }
    let row = vec![
        auth.identity_id.to_string(),
        auth.client_id.clone(),
        format!("{} s", auth.access_token_ttl),
        format!("{} s", auth.access_token_max_ttl),
    ];
    let headers = ["identity", "client id", "token ttl", "token max ttl"];
    context.ui.table(&headers, vec![row])
}
