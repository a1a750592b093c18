//! Waiting until a list would be answered differently.
//!
//! The list is made once, as any list, so that whoever may not read it may not watch it either. From
//! then on a signal makes it anew, for the caller as the caller is by then, and only its tag is
//! kept: what is told is "changed", and only of what the caller could read at that moment.

use std::{sync::Arc, time::Duration};

use kms_api::secrets::ListSecretsQuery;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    Caller, Core, Error, Result,
    changes::{Room, Signal, Waiter},
};

/// How long nothing may be said.
const QUIET: Duration = Duration::from_secs(20);

/// What a watcher is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The list changed.
    Changed,
    /// Nothing did, and the watch goes on.
    Quiet,
}

/// A list that is watched.
pub struct Watch {
    core: Core,
    waiter: Waiter,
    // On the heap, as ten thousand of them wait.
    who: Arc<Who>,
    tag: Arc<str>,
}

struct Who {
    bearer: SecretString,
    caller: Caller,
    query: ListSecretsQuery,
}

impl Core {
    /// Watches what a list answers. `bearer` is the token that the caller came with; it is asked
    /// again before anything is told.
    pub async fn watch_secrets(
        &self,
        caller: &Caller,
        bearer: &str,
        query: &ListSecretsQuery,
    ) -> Result<Watch> {
        let place = self
            .place_to_read(
                caller,
                &query.project,
                query.environment.as_deref(),
                ("secretPath", query.secret_path.as_deref()),
            )
            .await?;
        let room = Room { for_all: self.options.watchers, for_one: self.options.watchers_of_one };
        // Before the list is made, so that no change between the two is missed.
        let waiter = self.epochs.changes.wait(place.access.id(), caller.actor.id(), room)?;
        if !self.store.is_embedded() {
            self.epochs.changes.read(&self.store);
        }
        let tag = self.list_secrets(caller, query).await?.etag;
        let who = Who { bearer: bearer.into(), caller: caller.clone(), query: query.clone() };
        Ok(Watch { core: self.clone(), waiter, who: Arc::new(who), tag })
    }

    /// How many watch something on this server.
    pub fn watchers(&self) -> usize {
        self.epochs.changes.count()
    }

    /// Ends every watch, as the server stops.
    pub fn end_watches(&self) {
        self.epochs.changes.end();
    }
}

impl Watch {
    /// What happens next; nothing any more once the caller may not list, or the server stops.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            match tokio::time::timeout(QUIET, self.waiter.signalled()).await {
                Ok(None) => return None,
                Ok(Some(signal)) => match Box::pin(self.look(signal)).await {
                    Ok(true) => return Some(Told::Changed),
                    Ok(false) => {}
                    Err(error) => return over(&error),
                },
                Err(_) => match Box::pin(self.who.enter(&self.core)).await {
                    Ok(_) => return Some(Told::Quiet),
                    Err(error) => return over(&error),
                },
            }
        }
    }

    /// Whether the list is another than at the last look.
    async fn look(&mut self, signal: Signal) -> Result<bool> {
        let [chance] = kms_crypto::random_bytes(self.core.entropy());
        tokio::time::sleep(signal.delay(chance)).await;
        let (core, who, turns) = (self.core.clone(), Arc::clone(&self.who), self.waiter.turns());
        // A task of its own: whoever reads slowly must not keep a turn from others.
        let looking = tokio::spawn(async move {
            let _turn = turns.next().await;
            let caller = who.enter(&core).await?;
            let list = core.list_secrets_quietly(&caller, &who.query).await?;
            Ok::<_, Error>(list.etag)
        });
        let tag = looking.await.map_err(|error| Error::Internal(Box::new(error)))??;
        let changed = tag != self.tag;
        self.tag = tag;
        Ok(changed)
    }
}

impl Who {
    /// The caller as of now, if the token still stands for one. No use of it is counted: it was
    /// shown once.
    async fn enter(&self, core: &Core) -> Result<Caller> {
        let origin = self.caller.origin.clone();
        core.authenticate_again(self.bearer.expose_secret(), origin).await
    }
}

fn over(error: &crate::Error) -> Option<Told> {
    tracing::debug!(error = error as &dyn std::error::Error, "a watch ended");
    None
}
