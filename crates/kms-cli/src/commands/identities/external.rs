//! The methods that somebody outside of the server vouches for: attached, shown, changed and
//! detached in one way. What only one of them has is its [`Flags`].

use kms_api::auth::{Attached, Configured, TokenSettings, trusted_ip::TrustedIp};
use kms_client::Client;
use serde::Serialize;
use serde_json::Value;

use super::token_settings::{TokenArgs, refusal, words};
use crate::{
    Context,
    cli::ConfirmArg,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// Shown in place of a secret.
const MASK: &str = "******";

type SettingsOf<F> = <<F as Flags>::Method as Configured>::Settings;
type ConfigOf<F> = <<F as Flags>::Method as Configured>::Config;
type AnswerOf<F> = <<F as Flags>::Method as Configured>::Answer;

/// The flags of a method.
pub trait Flags: clap::Args {
    /// The method.
    type Method: Configured;
    /// What people call it.
    const TITLE: &'static str;

    /// What the flags, and the files that they name, say.
    fn settings(&self, token: TokenSettings) -> Result<SettingsOf<Self>, CliError>;

    /// Whether a change can be sent without what the method is now.
    fn is_complete(_: &SettingsOf<Self>) -> bool {
        true
    }

    /// Adds what a change has to say although it stays as it is.
    fn complete(_: &mut SettingsOf<Self>, _: &ConfigOf<Self>) {}

    /// The value of `kms login --method` that it is for.
    fn login(_: &ConfigOf<Self>) -> &'static str {
        <Self::Method as kms_api::auth::Method>::NAME
    }
}

/// What can be done with a method.
#[derive(Debug, clap::Subcommand)]
pub enum External<F: Flags> {
    /// Let the identity log in with it
    Attach(Box<SettingsArgs<F>>),
    /// Show who can log in with it; secrets are masked
    #[command(visible_alias = "get")]
    Show(IdentityArg),
    /// Change what is given, and nothing else; an empty text takes a setting away
    Update(Box<SettingsArgs<F>>),
    /// Take it away; its tokens end
    Detach(DetachArgs),
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
pub struct SettingsArgs<F: Flags> {
    #[command(flatten)]
    identity: IdentityArg,

    #[command(flatten)]
    flags: F,

    #[command(flatten)]
    token: TokenArgs,
}

pub(super) async fn run<F: Flags>(command: External<F>, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let client = context.settings.client()?;
    match command {
        External::Attach(args) => attach(*args, &client, context, output).await,
        External::Show(args) => {
            let answer = read::<F>(&client, &args.identity).await?;
            print::<F>(context, output, answer).map(drop)
        }
        External::Update(args) => {
            print::<F>(context, output, update(*args, &client).await?).map(drop)
        }
        External::Detach(args) => {
            let identity = args.identity.identity;
            let what = format!("the {} of the identity `{identity}`", F::TITLE);
            context.ui.confirm_deletion(&what, args.confirm.yes)?;
            let answer = client.detach_auth_method::<F::Method>(&identity).await;
            let answer = answer.context(doing::<F>("detach", "from", &identity))?;
            print::<F>(context, output, answer).map(drop)
        }
    }
}

async fn attach<F: Flags>(
    args: SettingsArgs<F>,
    client: &Client,
    context: &Context,
    output: Output,
) -> Result<(), CliError> {
    let identity = &args.identity.identity;
    let settings = args.flags.settings(args.token.settings())?;
    let answer = client.attach_auth_method::<F::Method>(identity, &settings).await;
    let answer = answer
        .map_err(|error| refusal::<SettingsArgs<F>>(error, doing::<F>("attach", "to", identity)))?;
    let method = print::<F>(context, output, answer)?;
    context.ui.hint(&format!(
        "log in with it: `kms login --method={method} --machine-identity-id={identity}`"
    ));
    Ok(())
}

async fn update<F: Flags>(args: SettingsArgs<F>, client: &Client) -> Result<AnswerOf<F>, CliError> {
    let identity = &args.identity.identity;
    let mut settings = args.flags.settings(args.token.settings())?;
    if !F::is_complete(&settings) {
        let (_, config) = F::Method::parts(read::<F>(client, identity).await?);
        F::complete(&mut settings, &config);
    }
    let answer = client.update_auth_method::<F::Method>(identity, &settings).await;
    answer.map_err(|error| refusal::<SettingsArgs<F>>(error, doing::<F>("change", "of", identity)))
}

async fn read<F: Flags>(client: &Client, identity: &str) -> Result<AnswerOf<F>, CliError> {
    let answer = client.get_auth_method::<F::Method>(identity).await;
    answer.context(doing::<F>("read", "of", identity))
}

fn doing<F: Flags>(verb: &str, preposition: &str, identity: &str) -> String {
    format!("could not {verb} the {} {preposition} the identity `{identity}`", F::TITLE)
}

/// A method as it is shown as JSON: as the server answers it, but for secrets.
#[derive(Serialize)]
struct Shown<'a, C> {
    #[serde(flatten)]
    attached: &'a Attached,
    #[serde(flatten)]
    config: &'a C,
}

/// Prints a method, and gives back how to log in with it.
fn print<F: Flags>(
    context: &Context,
    output: Output,
    answer: AnswerOf<F>,
) -> Result<&'static str, CliError> {
    let (attached, mut config) = F::Method::parts(answer);
    if let Some(Some(secret)) = F::Method::secret(&mut config) {
        *secret = MASK.into();
    }
    if output == Output::Json {
        context.ui.json(&Shown { attached: &attached, config: &config })?;
    } else {
        let mut rows = vec![row("identity", attached.identity_id.to_string())];
        rows.extend(settings(&config)?);
        rows.extend(token_settings(&attached));
        context.ui.table(&["setting", "value"], rows)?;
    }
    Ok(F::login(&config))
}

fn row(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}

/// What only this method has, each setting by its name on the wire.
fn settings(config: &impl Serialize) -> Result<Vec<Vec<String>>, CliError> {
    let config = serde_json::to_value(config).map_err(CliError::internal)?;
    let fields = config.as_object().into_iter().flatten();
    Ok(fields.map(|(name, value)| row(&words(name, ' '), text(value))).collect())
}

fn token_settings(attached: &Attached) -> [Vec<String>; 4] {
    let from = attached.access_token_trusted_ips.iter().map(network).collect::<Vec<_>>();
    [
        row("token ttl", format!("{} s", attached.access_token_ttl)),
        row("token max ttl", format!("{} s", attached.access_token_max_ttl)),
        row("token uses", attached.access_token_num_uses_limit.to_string()),
        row("token trusted ips", from.join(", ")),
    ]
}

fn network(ip: &TrustedIp) -> String {
    match ip.prefix {
        Some(prefix) => format!("{}/{prefix}", ip.ip_address),
        None => ip.ip_address.clone(),
    }
}

/// A setting in a cell of a table; keys and certificates by their number.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(pem) if pem.contains("-----BEGIN ") => {
            format!("{} in PEM form", pem.matches("-----BEGIN ").count())
        }
        Value::String(text) => text.clone(),
        Value::Array(values) if values.iter().all(is_pem) => match values.len() {
            0 => String::new(),
            count => format!("{count} in PEM form"),
        },
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join("\n"),
        Value::Object(fields) => {
            let lines = fields.iter().map(|(name, value)| format!("{name}={}", text(value)));
            lines.collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

fn is_pem(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains("-----BEGIN "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_shown_in_words() {
        let pem = "-----BEGIN CERTIFICATE-----\nMIIB";
        for (value, expected) in [
            (json!(null), ""),
            (json!("shop, web"), "shop, web"),
            (json!(true), "true"),
            (json!(format!("{pem}\n{pem}")), "2 in PEM form"),
            (json!([pem]), "1 in PEM form"),
            (json!([]), ""),
            (json!({ "ref": "main, next", "repo": "shop" }), "ref=main, next\nrepo=shop"),
        ] {
            assert_eq!(text(&value), expected, "{value}");
        }
    }
}
