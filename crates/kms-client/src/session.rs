//! A person's session: its access token ends soon and is renewed in silence.
//!
//! Whoever finds it ended takes the store's lock, looks whether somebody else has renewed it
//! meanwhile, and only then asks the server; what the server answers is stored before it is used.
//! So however many processes find it ended at one moment, one of them renews it and the others
//! use what it got.

use std::{error::Error as StdError, fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Mutex, task::spawn_blocking};

use crate::{Claims, Client, Error};

/// An access token that ends sooner than this is renewed before it is used, in seconds.
const MARGIN: i64 = 30;

/// Why a [`TokenStore`] failed.
pub type StoreError = Box<dyn StdError + Send + Sync>;

/// The tokens of a session.
#[derive(Clone)]
pub struct Tokens {
    /// The access token.
    pub access: SecretString,
    /// The refresh token, where the server gave one.
    pub refresh: Option<SecretString>,
    /// When the access token was received, in seconds since 1970 by this machine's clock.
    pub obtained_at: i64,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("obtained_at", &self.obtained_at).finish_non_exhaustive()
    }
}

impl Tokens {
    /// When the access token ends by this machine's clock, in seconds since 1970: as long after it
    /// was received as the server lets it live, so that the clocks need not agree. `None` if it
    /// does not say.
    pub fn ends_at(&self) -> Option<i64> {
        let claims = Claims::of(&self.access)?;
        let lifetime = claims.lifetime().or_else(|| Some(claims.exp? - self.obtained_at))?;
        Some(self.obtained_at.saturating_add(lifetime))
    }

    /// Whether it can be used now. What can't be renewed is used to its end.
    fn is_usable(&self, now: i64) -> bool {
        let Some(ends_at) = self.ends_at() else { return true };
        let lifetime = ends_at - self.obtained_at;
        let margin = if self.refresh.is_some() { MARGIN.min(lifetime / 4) } else { 0 };
        now < ends_at - margin
    }

    fn are(&self, access: &SecretString) -> bool {
        self.access.expose_secret() == access.expose_secret()
    }
}

/// Where the tokens of one session are kept between calls and between processes.
///
/// The methods may block, on a disk, a keyring or another process: the client calls them away
/// from its own task.
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// The tokens as they are kept now.
    fn load(&self) -> Result<Tokens, StoreError>;

    /// Holds off everybody else who would renew this session, until what it returns is dropped.
    fn lock(&self) -> Result<Box<dyn Send>, StoreError>;

    /// Keeps `new`, durably, if what is kept is still `expected`; says whether it was.
    fn swap(&self, expected: &Tokens, new: &Tokens) -> Result<bool, StoreError>;

    /// The time in seconds since 1970.
    fn now(&self) -> i64;
}

/// The session of a client.
#[derive(Debug)]
pub(crate) struct Session {
    store: Arc<dyn TokenStore>,
    /// What was loaded, and held while it is renewed: a process renews once, too.
    tokens: Mutex<Option<Tokens>>,
}

impl Session {
    pub(crate) fn new(store: Arc<dyn TokenStore>) -> Self {
        Self { store, tokens: Mutex::new(None) }
    }

    /// An access token that lasts; renewed if the stored one does not.
    pub(crate) async fn access_token(&self, client: &Client) -> Result<SecretString, Error> {
        let mut held = self.tokens.lock().await;
        let tokens = match held.take() {
            Some(tokens) => tokens,
            None => self.away(TokenStore::load).await?,
        };
        let tokens = if tokens.is_usable(self.store.now()) {
            tokens
        } else {
            self.renew(client, &tokens.access).await?
        };
        Ok(held.insert(tokens).access.clone())
    }

    /// Another access token, after the server refused this one.
    pub(crate) async fn instead_of(
        &self,
        client: &Client,
        refused: &SecretString,
    ) -> Result<SecretString, Error> {
        let mut held = self.tokens.lock().await;
        let tokens = match held.take() {
            // Another call of this process met the same refusal first.
            Some(tokens) if !tokens.are(refused) => tokens,
            _ => self.renew(client, refused).await?,
        };
        Ok(held.insert(tokens).access.clone())
    }

    async fn renew(&self, client: &Client, ended: &SecretString) -> Result<Tokens, Error> {
        let _alone = self.away(TokenStore::lock).await?;
        let stored = self.away(TokenStore::load).await?;
        if !stored.are(ended) && stored.is_usable(self.store.now()) {
            return Ok(stored);
        }
        let ended = |cause| Error::SessionEnded { origin: client.origin().clone(), cause };
        let Some(refresh) = &stored.refresh else { return Err(ended(None)) };
        // A refresh is a call of the same client, which must not be of unknown size.
        let answer = Box::pin(client.refresh(refresh)).await.map_err(|error| {
            // What a gateway says in the place of the server ends nothing.
            if matches!(error, Error::Status { status: 401 | 403 | 404, .. }) {
                ended(Some(Box::new(error)))
            } else {
                error
            }
        })?;
        let new = Tokens {
            access: answer.answer.token.into(),
            // A server that does not rotate sets no cookie: the one that was sent stays good.
            refresh: answer.refresh_token.or_else(|| stored.refresh.clone()),
            obtained_at: self.store.now(),
        };
        let kept = new.clone();
        if self.away(move |store| store.swap(&stored, &kept)).await? {
            return Ok(new);
        }
        // Somebody who does not know of the lock was faster: a copy of the files was put back.
        self.away(TokenStore::load).await
    }

    async fn away<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn TokenStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        let store = Arc::clone(&self.store);
        let done = spawn_blocking(move || work(&*store)).await;
        done.map_err(|error| Error::Store(error.into()))?.map_err(Error::Store)
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn tokens(claims: &str, refresh: bool) -> Tokens {
        let access = format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims));
        Tokens { access: access.into(), refresh: refresh.then(|| "r".into()), obtained_at: 1_000 }
    }

    #[test]
    fn a_token_lives_as_long_as_the_server_says_whatever_its_clock_says() {
        let hour_ahead = tokens(r#"{"iat":4600,"exp":5200}"#, true);
        assert_eq!(hour_ahead.ends_at(), Some(1_600));
        assert!(hour_ahead.is_usable(1_000) && hour_ahead.is_usable(1_569));
        assert!(!hour_ahead.is_usable(1_570));
    }

    #[test]
    fn what_cannot_be_renewed_is_used_to_its_end() {
        let alone = tokens(r#"{"iat":0,"exp":600}"#, false);
        assert!(alone.is_usable(1_599) && !alone.is_usable(1_600));
        assert!(tokens("{}", true).is_usable(i64::MAX));
    }

    #[test]
    fn a_short_life_is_not_all_margin() {
        let short = tokens(r#"{"iat":0,"exp":20}"#, true);
        assert!(short.is_usable(1_014) && !short.is_usable(1_015));
    }

    #[test]
    fn d6_tokens_do_not_show() {
        let shown = format!("{:?}", tokens("{}", true));
        assert!(!shown.contains("h.") && !shown.contains("\"r\""), "{shown}");
    }
}
