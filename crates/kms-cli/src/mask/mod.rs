//! Hiding values in what a program prints: a net, not a wall (attack R4).
//!
//! `forms` says what of a value is looked for, `stream` looks for it in bytes that come in
//! pieces of any size. What is found is replaced by [`MARK`]. A program that means to show a value
//! can always write it in a form that is not looked for.

mod forms;
mod leap;
mod stream;

use std::sync::Arc;

use kms_api::SecretValue;
use stream::Machine;

pub use forms::SHORTEST;
pub use stream::Masker;

/// What stands in the place of a value.
pub const MARK: &[u8] = b"*****";

/// Bytes of everything that is looked for, up to which values are looked for in all forms.
const ALL_FORMS_WITHIN: usize = 2 * 1024 * 1024;

/// What is looked for, made once for any number of streams.
#[derive(Clone)]
pub struct Mask {
    machine: Option<Arc<Machine>>,
    /// Names of the values that are too short to be looked for.
    pub too_short: Vec<String>,
    /// Whether there are too many values to look for every form of each.
    pub is_plain: bool,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask").field("too_short", &self.too_short).finish_non_exhaustive()
    }
}

impl Mask {
    /// Looks for these values, by name.
    pub fn new<'v>(values: impl IntoIterator<Item = (&'v str, &'v SecretValue)>) -> Self {
        let mut too_short = Vec::new();
        let mut wanted = Vec::new();
        for (name, value) in values {
            let value = value.expose();
            // What is around a value is often not printed with it.
            if !value.is_empty() && value.trim().len() < SHORTEST {
                too_short.push(name.to_owned());
            }
            if value.len() >= SHORTEST {
                wanted.push(value);
            }
        }
        // What comes twice is looked for once.
        too_short.sort_unstable();
        too_short.dedup();
        wanted.sort_unstable();
        wanted.dedup();
        let mut sought = Vec::new();
        let is_plain =
            wanted.iter().map(|value| value.len()).sum::<usize>() > ALL_FORMS_WITHIN / 16;
        for value in wanted {
            forms::add(value, !is_plain, &mut sought);
        }
        sought.sort_unstable_by(|one, other| one.as_slice().cmp(other.as_slice()));
        sought.dedup_by(|one, other| one.as_slice() == other.as_slice());
        let machine = (!sought.is_empty()).then(|| Arc::new(Machine::new(&sought)));
        Self { machine, too_short, is_plain }
    }

    /// Looks in a stream of its own.
    pub fn start(&self) -> Masker {
        Masker::new(self.machine.clone())
    }
}
