//! The time between sending a browser away and what it comes back with.

use secrecy::SecretString;
use tokio::{select, time::timeout};

use super::{PATIENCE, command, listener::Serving, open, show_address};
use crate::{Context, error::CliError, prompt::Pasted};

/// What came.
pub(super) enum Event<T> {
    /// From the browser.
    Taken(T),
    /// From the person at the terminal.
    Pasted(SecretString),
}

/// What an event leads to.
pub(super) type Verdict<R> = Result<Option<R>, CliError>;

/// A browser that is sent to an address.
pub(super) struct Wait<'a> {
    pub(super) address: &'a str,
    /// Whether this machine opens it.
    pub(super) open: bool,
    /// What a person may do meanwhile.
    pub(super) notice: &'static str,
    pub(super) context: &'a Context,
}

impl Wait<'_> {
    /// Waits until `judge` has got what it wants. Its `None` is for what does not count.
    pub(super) async fn until<T, R>(
        self,
        serving: &mut Serving<T>,
        mut judge: impl AsyncFnMut(Event<T>) -> Verdict<R>,
    ) -> Result<R, CliError> {
        let mut pasted = Pasted::start()?;
        show_address(self.address, self.context.ui);
        self.context.ui.notice(self.notice);
        let work = async {
            let mut opening = std::pin::pin!(self.opened());
            loop {
                let event = select! {
                    taken = serving.next() => Event::Taken(taken),
                    line = pasted.line() => Event::Pasted(line),
                    () = &mut opening => unreachable!("it has said what it had to and waits"),
                };
                if let Some(result) = judge(event).await? {
                    return Ok(result);
                }
            }
        };
        timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(too_late(self.context)))
    }

    async fn opened(&self) {
        if self.open && !open::in_browser(self.address).await {
            self.context.ui.notice("No browser could be opened: open the address yourself.");
        }
        std::future::pending::<()>().await;
    }
}

/// Nobody came back.
fn too_late(context: &Context) -> CliError {
    let minutes = PATIENCE.as_secs() / 60;
    CliError::needs_person(format!("nobody logged in within {minutes} minutes"))
        .hint(format!("to try again: `{}`", command(context, "")))
        .hint(format!("with a browser on another device: `{}`", command(context, "--device")))
}
