//! Noticing that what a program was given has changed: told by our server while it happens, found
//! by looking again where the server tells nothing.

use std::time::Duration;

use kms_api::secrets::ListSecretsQuery;
use kms_client::{Client, SecretEvents};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

use super::prepare::{Prepared, Source};
use crate::{Context, error::CliError};

/// How long to wait for more after a change: what is written in one go starts the program once.
const SETTLE: Duration = Duration::from_millis(30);
/// How much longer than that, by chance: many hear of one change, and all read it anew.
const SPREAD: Duration = Duration::from_millis(100);
/// How long to wait before connecting again, the first time; twice as long each time after. By
/// chance up to twice as long again, as many lose a server that stops in one moment.
const FIRST_RETRY: Duration = Duration::from_millis(500);

/// Watches everything that a source reads.
pub(super) struct Watcher<'a> {
    source: &'a Source<'a>,
    interval: Duration,
    hints: Receiver<()>,
    hint: Sender<()>,
    listening: Vec<JoinHandle<()>>,
    /// When to try again after a failure; until then hints change nothing.
    retry: Option<Instant>,
    /// What was said about the last failure, so that it is said once.
    said: Option<String>,
}

impl<'a> Watcher<'a> {
    pub(super) fn start(source: &'a Source<'a>, interval: Duration) -> Self {
        // A copy tells of no change.
        source.reader().go_live();
        // One hint says as much as many.
        let (hint, hints) = mpsc::channel(1);
        Self { source, interval, hints, hint, listening: Vec::new(), retry: None, said: None }
    }

    /// Waits until a program would be given something else than `now`. What goes wrong meanwhile is
    /// told and tried again: a program that runs is not stopped by it. May be called off.
    pub(super) async fn next(&mut self, now: &Prepared, context: &Context) -> Prepared {
        loop {
            self.listen(context).await;
            if let Some(at) = self.retry {
                sleep_until(at).await;
                self.retry = None;
            } else {
                // The sender is ours as well, so that this never ends.
                let _ = self.hints.recv().await;
            }
            sleep(SETTLE + by_chance(SPREAD)).await;
            let _ = self.hints.try_recv();
            match self.source.instead_of(now).await {
                Ok(None) => self.said = None,
                Ok(Some(new)) => {
                    self.said = None;
                    return new;
                }
                Err(error) => {
                    let error = error.context("what changed was not taken over");
                    self.complain(&error, context);
                    self.retry = Some(Instant::now() + self.interval);
                }
            }
        }
    }

    fn complain(&mut self, error: &CliError, context: &Context) {
        let text = error.chain().collect::<Vec<_>>().join(": ");
        if self.said.as_ref() != Some(&text) {
            context.ui.warn(&text);
            self.said = Some(text);
        }
    }

    async fn wanted(&self) -> Result<(Client, Vec<ListSecretsQuery>), CliError> {
        Ok((self.source.reader().client()?.clone(), self.source.queries().await?))
    }

    /// Begins to listen, once.
    async fn listen(&mut self, context: &Context) {
        if !self.listening.is_empty() {
            return;
        }
        let (client, queries) = loop {
            match self.wanted().await {
                Ok(wanted) => break wanted,
                Err(error) => {
                    self.complain(&error, context);
                    sleep(self.interval).await;
                }
            }
        };
        for query in queries {
            let (client, hint) = (client.clone(), self.hint.clone());
            self.listening.push(tokio::spawn(listen(client, query, hint, self.interval)));
        }
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.listening.iter().for_each(JoinHandle::abort);
    }
}

/// Hints for as long as somebody wants to hear it. Each beginning is a hint too: what happened
/// before was not told.
async fn listen(client: Client, query: ListSecretsQuery, hint: Sender<()>, interval: Duration) {
    let mut wait = FIRST_RETRY.min(interval);
    loop {
        match client.watch_secrets(&query).await {
            Ok(Some(events)) => {
                if pass_on(events, &hint).await {
                    wait = FIRST_RETRY.min(interval);
                }
            }
            Ok(None) => {
                tracing::debug!("the server does not tell of changes");
                loop {
                    sleep(interval).await;
                    let _ = hint.try_send(());
                }
            }
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "not told of changes");
                // It may only be that: then looking finds what changed.
                let _ = hint.try_send(());
            }
        }
        sleep(wait + by_chance(wait)).await;
        wait = (wait * 2).min(interval);
    }
}

/// Nothing, or any time up to this.
fn by_chance(most: Duration) -> Duration {
    most.mul_f64(rand::random())
}

/// Whether anything was heard before it ended.
async fn pass_on(mut events: SecretEvents, hint: &Sender<()>) -> bool {
    let mut heard = false;
    while let Ok(Some(_)) = events.next().await {
        heard = true;
        // A full channel says it already.
        let _ = hint.try_send(());
    }
    heard
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn s4_many_who_hear_of_one_thing_do_not_come_in_one_moment() {
        let times: BTreeSet<Duration> = (0..100).map(|_| by_chance(SPREAD)).collect();
        assert!(times.len() > 10 && times.iter().all(|time| *time <= SPREAD), "{times:?}");
    }
}
