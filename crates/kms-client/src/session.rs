//! A person's session: its access token ends soon and is renewed in silence.

use std::{error::Error as StdError, fmt};

use secrecy::SecretString;

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
