//! `kms doctor`.
//!
//! Each check is a line of [`report`]: those of this machine are in [`local`], the way to the server
//! in [`network`], what is done with a login in [`login`]. What a check needs of another is handed to
//! it, and what does not need each other goes on at one time.

mod local;
mod login;
mod network;
mod report;

use std::{thread, time::Duration};

use tokio::{sync::oneshot, time};

use crate::{Context, error::CliError, selection::PlaceArgs};

/// How long one check may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// After how long it is said that something is still going on.
const SILENCE: Duration = Duration::from_secs(1);

/// Say what would stop you, and what to do about it
///
/// Looks at your files, the project file, the way to the server, its clock, where
/// logins are kept, and what your credential is good for. Changes nothing, and asks
/// nothing.
///
/// Ends with 0 if nothing is in the way, with 5 if the server can't be reached, else
/// with 1.
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(flatten)]
    place: PlaceArgs,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let looking = async {
        let mut checks = local::checks(context);
        let (vault, way) = tokio::join!(login::vault(context), network::checks(context));
        checks.extend(way.checks);
        let is_open = vault.is_open;
        checks.push(vault.check);
        checks.extend(login::checks(&args.place, is_open, way.is_there, context).await);
        checks
    };
    let mut looking = std::pin::pin!(looking);
    let checks = tokio::select! {
        biased;
        checks = &mut looking => checks,
        () = time::sleep(SILENCE) => {
            context.ui.notice("Still looking; no check takes longer than 10 seconds");
            looking.await
        }
    };
    report::tell(&checks, output, context)
}

/// What blocks without an end in sight, on a thread that nobody waits for longer than this. `None`
/// if it took too long.
async fn away<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = oneshot::channel();
    thread::spawn(move || {
        // Nobody listens any more if it took too long.
        let _ = done.send(work());
    });
    time::timeout(PATIENCE, result).await.ok()?.ok()
}

fn too_long() -> String {
    format!("nothing came back within {} seconds", PATIENCE.as_secs())
}
