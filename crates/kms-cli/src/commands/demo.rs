//! `kms demo`: a server of its own and a tour through the commands, each run as a person would.

mod server;
mod tour;

use tokio::signal;

use crate::{Context, error::CliError};
use server::Server;

/// See it work: start a throw-away server, log in, keep a secret, run a program with it
///
/// Every step is printed as the command to type, and carried out by this program. After the tour
/// the server keeps running, until Ctrl-C, with the credentials that are printed.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Stop after the tour
    #[arg(long)]
    exit: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    // The handlers stand before the server does, so that it never outlives an interruption.
    tokio::select! {
        () = stopped() => Err(CliError::failed("interrupted").with_exit_code(130)),
        result = show(args, context) => result,
    }
}

async fn show(args: Args, context: &Context) -> Result<(), CliError> {
    let ui = context.ui;
    context.ignore_token("demo");
    if context.settings.origin.by.as_deref() == Some("--domain") {
        ui.warn("`--domain` has no effect on `demo`, which brings its own server");
    }
    ui.notice("Starting a server of its own");
    let mut server = Server::start().await?;
    let credentials = server.credentials().clone();
    // The steps wait for their programs, and the server's end has to be noticed meanwhile.
    let tour = tokio::task::spawn_blocking(move || tour::walk(ui, &credentials));
    tokio::select! {
        result = tour => result.map_err(CliError::internal)??,
        error = server.ended() => return Err(error),
    }
    if args.exit {
        return Ok(());
    }
    tour::farewell(ui, server.credentials())?;
    tokio::select! {
        () = stopped() => Ok(()),
        error = server.ended() => Err(error),
    }
}

#[cfg(unix)]
async fn stopped() {
    use signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn stopped() {
    let _ = signal::ctrl_c().await;
}
