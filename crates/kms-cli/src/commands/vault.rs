//! `kms vault`.

use clap::{Subcommand, ValueEnum as _};
use serde::Serialize;

use crate::{
    Context,
    error::CliError,
    settings::Output,
    vault::{Kind, State},
};

/// Show where logins are kept, or keep them elsewhere
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Vault>,
}

#[derive(Debug, Subcommand)]
enum Vault {
    Set(SetArgs),
    /// Ask for the passphrase of the file vault again at the next command
    Lock,
}

/// Keep logins in another vault; those that are there move along
#[derive(clap::Args, Debug)]
struct SetArgs {
    /// Which
    #[arg(value_enum, value_name = "VAULT")]
    kind: Kind,

    /// For how many minutes the file vault stays unlocked, in the kernel's keyring, after its
    /// passphrase was given [default: 15]
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(0..=1440))]
    keep_unlocked: Option<u32>,
}

/// A vault, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    name: &'static str,
    description: &'static str,
    in_use: bool,
    available: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    locked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unlocked_minutes: Option<u32>,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    match args.command {
        None => list(context),
        Some(Vault::Set(args)) => set(&args, context),
        Some(Vault::Lock) => context.settings.profiles.lock_vault(),
    }
}

fn list(context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let profiles = &context.settings.profiles;
    let config = profiles.config()?;
    let mut shown = Vec::new();
    for kind in Kind::value_variants() {
        let state = profiles.vault_of(*kind)?.check();
        let locked = state.as_ref().ok().map(|state| *state == State::Locked);
        let reason = state.err().and_then(|error| error.chain().next());
        shown.push(Shown {
            name: kind.name(),
            description: kind.title(),
            in_use: *kind == config.vault,
            available: reason.is_none(),
            locked,
            reason,
            unlocked_minutes: (*kind == Kind::File).then_some(config.unlocked_minutes),
        });
    }
    if output == Output::Json {
        return context.ui.json(&shown);
    }
    let rows = shown.iter().map(row).collect();
    context.ui.table(&["", "vault", "is", "state"], rows)?;
    explain(&shown, config.profiles.len(), context);
    Ok(())
}

fn row(vault: &Shown) -> Vec<String> {
    vec![
        if vault.in_use { "*" } else { "" }.to_owned(),
        vault.name.to_owned(),
        vault.description.to_owned(),
        match (&vault.reason, vault.locked) {
            (Some(reason), _) => reason.clone(),
            (None, Some(true)) => "available, locked".to_owned(),
            (None, _) => "available".to_owned(),
        },
    ]
}

fn explain(shown: &[Shown], logins: usize, context: &Context) {
    let Some(used) = shown.iter().find(|vault| vault.in_use) else { return };
    let why = match used.name {
        "auto" => "it is the default",
        _ => "`kms vault set` chose it",
    };
    context.ui.notice(&format!(
        "`{}` is in use: {why}. It holds the keys of {logins} login{}, under 2 KB each; the tokens \
         are sealed to them in files",
        used.name,
        if logins == 1 { "" } else { "s" }
    ));
    if let Some(minutes) = used.unlocked_minutes {
        context.ui.notice(&format!("Once unlocked it stays so for {minutes} minutes"));
    }
    if !used.available {
        context.ui.hint("`kms vault set file` needs nothing but a passphrase");
    }
}

fn set(args: &SetArgs, context: &Context) -> Result<(), CliError> {
    if args.kind != Kind::File && args.keep_unlocked.is_some() {
        return Err(CliError::usage("`--keep-unlocked` is for `kms vault set file`"));
    }
    let moved = context.settings.profiles.set_vault(args.kind, args.keep_unlocked)?;
    let ui = context.ui;
    ui.notice(&format!(
        "Logins are kept in `{}`: {}; {} moved there",
        args.kind.name(),
        args.kind.title(),
        moved.logins
    ));
    match args.kind {
        Kind::File if moved.minutes > 0 => ui.notice(&format!(
            "Once its passphrase was given, it stays unlocked for {} minutes, in the kernel's \
             keyring; `kms vault lock` locks it before",
            moved.minutes
        )),
        Kind::Kernel => ui.warn("a restart of this machine logs you out everywhere"),
        _ => {}
    }
    for reason in moved.warnings {
        ui.warn(&reason);
    }
    Ok(())
}
