//! Hearing of changes while they happen.

use std::time::Duration;

use kms_api::{events, routes, secrets::ListSecretsQuery};
use reqwest::{Response, header::CONTENT_TYPE};
use tokio::time::timeout;

use crate::{Client, Error};

/// The server speaks every 20 seconds; who is silent for longer is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// Bytes of one event at most: ours have a few.
const LARGEST: usize = 64 * 1024;

/// What a server tells about a list that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretEvent {
    /// The watch has begun: whoever lists the secrets after this misses no change.
    Ready,
    /// The list would be answered differently now.
    Changed,
}

/// A watched list.
#[derive(Debug)]
pub struct SecretEvents {
    client: Client,
    response: Response,
    /// What has arrived of the next event.
    pending: Vec<u8>,
}

impl Client {
    /// Watches what a list answers. `None` where the server does not offer it: compatible servers
    /// have no such route.
    pub async fn watch_secrets(
        &self,
        query: &ListSecretsQuery,
    ) -> Result<Option<SecretEvents>, Error> {
        let response = self.open_stream(routes::SECRET_EVENTS, query, events::MEDIA_TYPE).await?;
        let status = response.status();
        if status.is_client_error() && matches!(status.as_u16(), 400 | 404 | 405 | 406 | 501) {
            return Ok(None);
        }
        if !status.is_success() {
            return Err(self.refusal(response).await);
        }
        let media_type = response.headers().get(CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !media_type.to_ascii_lowercase().starts_with(events::MEDIA_TYPE) {
            return Ok(None);
        }
        Ok(Some(SecretEvents { client: self.clone(), response, pending: Vec::new() }))
    }
}

impl SecretEvents {
    /// The next event; `None` once the server ended the watch, as it does when the caller's rights
    /// end or it stops.
    pub async fn next(&mut self) -> Result<Option<SecretEvent>, Error> {
        loop {
            while let Some(event) = take_event(&mut self.pending) {
                if let Some(event) = named(&event) {
                    return Ok(Some(event));
                }
            }
            let Ok(chunk) = timeout(SILENCE, self.response.chunk()).await else { return Ok(None) };
            match chunk.map_err(|error| self.client.transport(error))? {
                Some(chunk) if self.pending.len() + chunk.len() <= LARGEST => {
                    self.pending.extend_from_slice(&chunk);
                }
                _ => return Ok(None),
            }
        }
    }
}

/// Takes the lines of the first whole event, with ends of any of the three kinds.
fn take_event(pending: &mut Vec<u8>) -> Option<String> {
    let text = std::str::from_utf8(pending).ok()?.replace("\r\n", "\n").replace('\r', "\n");
    let (event, rest) = text.split_once("\n\n")?;
    let event = event.to_owned();
    *pending = rest.as_bytes().to_vec();
    Some(event)
}

/// The event of these lines, if it is one that we know.
fn named(event: &str) -> Option<SecretEvent> {
    let name = event.lines().find_map(|line| line.strip_prefix("event:"))?.trim();
    match name {
        events::READY_NAME => Some(SecretEvent::Ready),
        events::CHANGED_NAME => Some(SecretEvent::Changed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &[&str]) -> Vec<SecretEvent> {
        let mut pending = Vec::new();
        let mut found = Vec::new();
        for part in parts {
            pending.extend_from_slice(part.as_bytes());
            while let Some(event) = take_event(&mut pending) {
                found.extend(named(&event));
            }
        }
        found
    }

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = format!("{}{}: quiet\r\n\r\n{}", events::READY, events::QUIET, events::CHANGED);
        let expected = [SecretEvent::Ready, SecretEvent::Changed];
        assert_eq!(read(&[&text]), expected);
        let bytes: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(read(&bytes.iter().map(String::as_str).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        assert_eq!(read(&["event: later\ndata: x\n\n", "data: y\n\n", ":\n\n"]), []);
    }
}
