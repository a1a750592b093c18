//! Which copies there are, and which generation of each counts.
//!
//! Generations only rise, and begin at the time, so that none comes back after an index was lost.
//! A copy opens in its own generation alone, so a former file of one copy is refused. Who puts back
//! index and copies of one moment together brings back that moment: no more can be told from files
//! alone, so its age, which is sealed too, has to limit it. A new key, which every wipe leads to,
//! ends that as well.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LONGEST_AGE;

/// How many copies a login has at most.
const MAX_COPIES: usize = 64;
/// How much of them there is at most, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The copies of a login.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Index {
    generation: u64,
    /// By the names of their files.
    pub(super) copies: BTreeMap<String, Entry>,
}

/// A copy that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The only generation that opens.
    pub(super) generation: u64,
    /// When it was read, in seconds since 1970.
    pub(super) read_at: i64,
    /// The project that it is of.
    pub(super) project: String,
    /// How long its file is.
    pub(super) bytes: u64,
}

impl Index {
    /// The generation of what is sealed next. `now` in microseconds since 1970.
    pub(super) fn next_generation(&mut self, now: u64) -> u64 {
        self.generation = now.max(self.generation.saturating_add(1));
        self.generation
    }

    /// Takes out what is too old and, the oldest first, too much; names what went. `now` in
    /// seconds since 1970.
    pub(super) fn prune(&mut self, now: i64) -> Vec<String> {
        let longest = i64::try_from(LONGEST_AGE.as_secs()).unwrap_or(i64::MAX);
        let mut by_age: Vec<(i64, u64, String)> = self
            .copies
            .iter()
            .map(|(name, entry)| (entry.read_at, entry.bytes, name.clone()))
            .collect();
        by_age.sort_by_key(|(read_at, ..)| std::cmp::Reverse(*read_at));
        let (mut count, mut bytes, mut gone) = (0, 0_u64, Vec::new());
        for (read_at, size, name) in by_age {
            count += 1;
            bytes = bytes.saturating_add(size);
            if now.saturating_sub(read_at) > longest || count > MAX_COPIES || bytes > MAX_BYTES {
                self.copies.remove(&name);
                gone.push(name);
            }
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(read_at: i64, bytes: u64) -> Entry {
        Entry { generation: 1, read_at, project: "p".into(), bytes }
    }

    #[test]
    fn s4_generations_rise_whatever_the_clock_does() {
        let mut index = Index::default();
        assert_eq!(index.next_generation(1_000), 1_000);
        assert_eq!(index.next_generation(500), 1_001);
        assert_eq!(index.next_generation(2_000), 2_000);
    }

    #[test]
    fn the_oldest_go_first_by_number_and_by_size() {
        let mut index = Index::default();
        for at in 0..70 {
            index.copies.insert(format!("{at:03}"), entry(at, 1));
        }
        let mut gone = index.prune(100);
        gone.sort();
        assert_eq!(gone, ["000", "001", "002", "003", "004", "005"]);
        assert_eq!(index.copies.len(), MAX_COPIES);
        let mut large = Index::default();
        for at in 0..5 {
            large.copies.insert(at.to_string(), entry(at, MAX_BYTES / 3));
        }
        let mut gone = large.prune(100);
        gone.sort();
        assert_eq!(gone, ["0", "1"]);
    }

    #[test]
    fn what_nobody_may_use_any_more_goes() {
        let mut index = Index::default();
        index.copies.insert("a".into(), entry(0, 1));
        index.copies.insert("b".into(), entry(2_000_000, 1));
        assert_eq!(index.prune(2_592_000), [""; 0]);
        assert_eq!(index.prune(2_592_001), ["a"]);
    }
}
