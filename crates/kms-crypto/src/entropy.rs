//! Injected randomness, and the identifiers drawn from it.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::{Builder, Uuid};

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out` entirely with random bytes.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's randomness; the only source for anything but tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    /// # Panics
    ///
    /// When the system has no randomness to give: nothing may go on without it.
    fn fill(&self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("the system's random generator works");
    }
}

/// A reproducible stream of bytes. **For tests only**: who knows the seed knows every key.
pub struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    /// Starts the stream that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(out);
    }
}

/// Draws `N` random bytes.
pub fn random_bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut out = [0; N];
    entropy.fill(&mut out);
    out
}

/// Draws a random (version 4) UUID.
pub fn uuid_v4(entropy: &dyn Entropy) -> Uuid {
    Builder::from_random_bytes(random_bytes(entropy)).into_uuid()
}

/// Makes a time-ordered (version 7) UUID from the time in Unix milliseconds and 74 random bits.
pub fn uuid_v7(entropy: &dyn Entropy, unix_ms: u64) -> Uuid {
    Builder::from_unix_timestamp_millis(unix_ms, &random_bytes(entropy)).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_randomness_differs_between_draws() {
        assert_ne!(random_bytes::<32>(&OsEntropy), random_bytes::<32>(&OsEntropy));
    }

    #[test]
    fn a_seed_gives_the_same_stream_again() {
        let (a, b) = (SeededEntropy::new(7), SeededEntropy::new(7));
        assert_eq!(random_bytes::<64>(&a), random_bytes::<64>(&b));
        assert_ne!(random_bytes::<64>(&a), random_bytes::<64>(&SeededEntropy::new(8)));
    }

    #[test]
    fn uuids_carry_their_version_and_v7_their_time() {
        let entropy = SeededEntropy::new(1);
        assert_eq!(uuid_v4(&entropy).get_version_num(), 4);
        let (earlier, later) = (uuid_v7(&entropy, 1_000), uuid_v7(&entropy, 1_001));
        assert_eq!(earlier.get_version_num(), 7);
        assert!(earlier < later);
    }
}
