//! Passwords and addresses of people, and the bounded pool that hashes passwords.
//!
//! A hash takes 19 MiB and tens of milliseconds, so only a few run at one time and only a few
//! more may wait (attack H10).

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use kms_crypto::Entropy;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;

use crate::{Error, Result, hashers::Hashers};

/// The shortest and longest password, in characters (NIST 800-63B: length, no composition).
const MIN_PASSWORD: usize = 8;
const MAX_PASSWORD: usize = 256;
/// The longest e-mail address, in bytes (RFC 5321, a path without its brackets).
const MAX_EMAIL: usize = 254;
/// How many may wait for each hash that runs.
const WAITING_PER_HASHER: usize = 16;

/// The pool.
pub(crate) struct Passwords {
    hashers: Arc<Hashers>,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    hashed: Arc<AtomicU64>,
}

impl Passwords {
    /// A pool that hashes so many passwords at one time.
    pub(crate) fn new(hashers: usize) -> Self {
        let hashers = hashers.max(1);
        Self {
            hashers: Arc::new(Hashers::start(hashers)),
            running: Arc::new(Semaphore::new(hashers)),
            admitted: Arc::new(Semaphore::new(hashers * (WAITING_PER_HASHER + 1))),
            hashed: Arc::default(),
        }
    }

    /// Hashes a password; [`Error::RateLimited`] when too many wait already.
    pub(crate) async fn hash(
        &self,
        password: &SecretString,
        entropy: &Arc<dyn Entropy>,
    ) -> Result<String> {
        let (password, entropy) = (normalized(password), Arc::clone(entropy));
        let hash = self.run(move || kms_crypto::hash_password(&password, &*entropy)).await?;
        Ok(hash?)
    }

    /// A place among those that run; [`Error::RateLimited`] when too many wait already.
    pub(crate) async fn turn(&self) -> Result<Turn> {
        let busy = |_| Error::RateLimited { retry_after: 1 };
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(busy)?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running = running.map_err(|error| Error::Internal(Box::new(error)))?;
        Ok(Turn {
            hashers: Arc::clone(&self.hashers),
            _running: running,
            _admitted: admitted,
            hashed: Arc::clone(&self.hashed),
        })
    }

    /// How many passwords were hashed so far, for tests that count work.
    #[cfg(test)]
    pub(crate) fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (result, _) = self.turn().await?.run(work).await?;
        Ok(result)
    }
}

/// A place among the hashes that run at one time, until it is dropped.
pub(crate) struct Turn {
    hashers: Arc<Hashers>,
    _running: OwnedSemaphorePermit,
    _admitted: OwnedSemaphorePermit,
    hashed: Arc<AtomicU64>,
}

impl Turn {
    /// Whether a password is the stored one. Without one the same work is done and nothing
    /// matches (attack H1). The place is kept.
    pub(crate) async fn verify(
        self,
        password: &SecretString,
        stored: Option<&str>,
    ) -> Result<(bool, Self)> {
        let password = normalized(password);
        let stored = stored.map(str::to_owned);
        let work = move || {
            if let Some(stored) = stored {
                return kms_crypto::verify_password(&password, &stored);
            }
            kms_crypto::verify_dummy(&password);
            false
        };
        self.run(work).await
    }

    /// Makes a code as costly to guess as a password.
    pub(crate) async fn stretch(self, code: SecretString, owner: Uuid) -> Result<[u8; 32]> {
        let (stretched, _) = self.run(move || kms_crypto::stretch(&code, owner.as_bytes())).await?;
        Ok(stretched?)
    }

    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Self)> {
        self.hashed.fetch_add(1, Ordering::Relaxed);
        // The place goes along: a caller who goes away does not make room before the work ends.
        let hashers = Arc::clone(&self.hashers);
        hashers.run(move || (work(), self)).await
    }
}

/// Refuses a password that is too short or too long; says nothing else about it.
pub(crate) fn check_password(field: &str, password: &SecretString) -> Result<()> {
    let length = password.expose_secret().chars().count();
    if (MIN_PASSWORD..=MAX_PASSWORD).contains(&length) {
        return Ok(());
    }
    let rule = format!("must have {MIN_PASSWORD} to {MAX_PASSWORD} characters");
    Err(Error::field(field, rule))
}

/// A password in the one form that is hashed: what looks alike on two keyboards is alike.
fn normalized(password: &SecretString) -> SecretString {
    password.expose_secret().nfkc().collect::<String>().into()
}

/// An e-mail address in its one form (attack H2): compatible characters are one, without white
/// space around it, in lower case.
pub(crate) fn canonical_email(field: &str, email: &str) -> Result<String> {
    // Lower case may bring forth what NFKC composes, and the other way round.
    let email: String = email.nfkc().collect::<String>().to_lowercase().nfkc().collect();
    let email = email.trim().to_lowercase();
    let refuse = || Error::field(field, "must be an e-mail address");
    let (mailbox, domain) = email.rsplit_once('@').ok_or_else(refuse)?;
    let odd = |character: char| character.is_whitespace() || character.is_control();
    let shape = !mailbox.is_empty()
        && !mailbox.contains('@')
        && domain.split('.').all(|label| !label.is_empty())
        && email.len() <= MAX_EMAIL
        && !email.chars().any(odd);
    if shape { Ok(email) } else { Err(refuse()) }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicUsize, time::Duration};

    use super::*;

    #[test]
    fn h2_addresses_have_one_form() {
        for given in ["ada@example.test", " Ada@Example.TEST ", "\tADA@EXAMPLE.TEST\n"] {
            assert_eq!(canonical_email("email", given).unwrap(), "ada@example.test", "{given:?}");
        }
        for given in ["", "ada", "@example.test", "ada@", "a@b@c.test", "a da@b.test", "a@b..c"] {
            assert!(canonical_email("email", given).is_err(), "{given:?}");
        }
    }

    #[test]
    fn passwords_have_bounds_and_no_other_rules() {
        for (length, accepted) in [(0, false), (7, false), (8, true), (256, true), (257, false)] {
            let password = SecretString::from("ü".repeat(length));
            assert_eq!(check_password("password", &password).is_ok(), accepted, "{length}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn h10_only_so_many_run_and_only_so_many_wait() {
        let pool = Arc::new(Passwords::new(2));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let (pool, running, most) =
                (Arc::clone(&pool), Arc::clone(&running), Arc::clone(&most));
            tasks.spawn(async move {
                let work = move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(20));
                    running.fetch_sub(1, Ordering::SeqCst);
                };
                pool.run(work).await
            });
        }
        let results = tasks.join_all().await;
        assert!(most.load(Ordering::SeqCst) <= 2);
        let refused = results.iter().filter(|result| result.is_err()).count();
        assert!(refused > 0, "nobody was sent away");
        assert!(refused < 200, "everybody was sent away");
        assert!(pool.run(|| ()).await.is_ok(), "there is room again");
    }
}
