//! `kms demo`: a server of its own and a tour through the commands, each run as a person would.

mod server;
mod tour;

use tokio::signal;

use crate::{Context, error::CliError, ui::Ui};
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
    context.ignore_token("demo");
    if context.settings.origin.by.as_deref() == Some("--domain") {
        context.ui.warn("`--domain` has no effect on `demo`, which brings its own server");
    }
    // Listening starts before the server does, so that the server never outlives an interruption.
    let mut interruption = Interruption::listen()?;
    let mut server = tokio::select! {
        () = interruption.wait() => {
            return Err(CliError::failed("interrupted").with_exit_code(130));
        }
        result = show(context.ui) => result?,
    };
    if args.exit {
        return Ok(());
    }
    tour::farewell(context.ui, server.credentials())?;
    tokio::select! {
        () = interruption.wait() => Ok(()),
        error = server.ended() => Err(error),
    }
}

/// Starts the server and walks through the tour.
async fn show(ui: Ui) -> Result<Server, CliError> {
    ui.notice("Starting a server of its own");
    let mut server = Server::start().await?;
    let credentials = server.credentials().clone();
    // The steps wait for their programs, and the server's end has to be noticed meanwhile.
    let tour = tokio::task::spawn_blocking(move || tour::walk(ui, &credentials));
    tokio::select! {
        result = tour => result.map_err(CliError::internal)??,
        error = server.ended() => return Err(error),
    }
    Ok(server)
}

#[cfg(unix)]
struct Interruption {
    interrupt: signal::unix::Signal,
    terminate: signal::unix::Signal,
}

#[cfg(unix)]
impl Interruption {
    fn listen() -> Result<Self, CliError> {
        use signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Interruption(signal::windows::CtrlC);

#[cfg(windows)]
impl Interruption {
    fn listen() -> Result<Self, CliError> {
        Ok(Self(signal::windows::ctrl_c()?))
    }

    async fn wait(&mut self) {
        let _ = self.0.recv().await;
    }
}
