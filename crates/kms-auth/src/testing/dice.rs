//! Cases that are generated, the same ones in every run.

/// A generator of numbers that look random (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    /// Always the same numbers for a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below another.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Some of several texts, fewer than `end`.
    pub(crate) fn text(&mut self, of: &[&str], end: usize) -> String {
        (0..self.below(end)).map(|_| self.pick(of)).collect()
    }
}
