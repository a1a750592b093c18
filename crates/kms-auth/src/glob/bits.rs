//! Positions in a text as bits, so that a part of a pattern is matched at 64 of them at once.

/// A bit for each position, the end of the text first: what is behind a position is below its bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bits {
    first: u64,
    /// Of texts that are longer than most: no memory is asked for otherwise.
    rest: Vec<u64>,
}

impl Bits {
    /// None of `count` positions.
    pub(super) fn none(count: usize) -> Self {
        Self { first: 0, rest: vec![0; count.div_ceil(64).saturating_sub(1)] }
    }

    pub(super) fn set(&mut self, bit: usize) {
        let word = match bit / 64 {
            0 => &mut self.first,
            place => &mut self.rest[place - 1],
        };
        *word |= 1 << (bit % 64);
    }

    pub(super) fn has(&self, bit: usize) -> bool {
        let word = if bit < 64 { self.first } else { self.rest[bit / 64 - 1] };
        word >> (bit % 64) & 1 == 1
    }

    pub(super) fn is_none(&self) -> bool {
        self.words().all(|word| word == 0)
    }

    pub(super) fn and(&mut self, other: &Self) {
        self.each(other, |one, two| one & two);
    }

    pub(super) fn and_not(&mut self, other: &Self) {
        self.each(other, |one, two| one & !two);
    }

    pub(super) fn or(&mut self, other: &Self) {
        self.each(other, |one, two| one | two);
    }

    /// Each position moved in front of the character before it, where that one is taken.
    pub(super) fn step(&mut self, takes: &Self) {
        let mut carry = 0;
        for (word, takes) in self.words_mut().zip(takes.words()) {
            let next = *word >> 63;
            *word = (*word << 1 | carry) & takes;
            carry = next;
        }
    }

    /// Each position, and all in front of it as far as characters are taken without a gap.
    pub(super) fn flood(&mut self, takes: &Self) {
        let mut starts = self.clone();
        starts.step(takes);
        // A sum carries from a start through a run of ones, and turns what it passes to zeros.
        let mut carry = false;
        for ((word, start), takes) in self.words_mut().zip(starts.words()).zip(takes.words()) {
            let (sum, over) = takes.overflowing_add(start);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            carry = over || over_again;
            *word |= takes & (start | !sum);
        }
    }

    fn each(&mut self, other: &Self, join: impl Fn(u64, u64) -> u64) {
        self.words_mut().zip(other.words()).for_each(|(one, two)| *one = join(*one, two));
    }

    fn words(&self) -> impl Iterator<Item = u64> {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }

    fn words_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        std::iter::once(&mut self.first).chain(&mut self.rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Bits;

    fn bits(flags: &[bool]) -> Bits {
        let mut bits = Bits::none(flags.len());
        (0..flags.len()).filter(|bit| flags[*bit]).for_each(|bit| bits.set(bit));
        bits
    }

    /// Runs of ones and zeros, over several words.
    fn flags() -> impl Strategy<Value = Vec<(bool, bool)>> {
        let run = (any::<bool>(), any::<bool>(), 1..90_usize);
        prop::collection::vec(run, 1..12).prop_map(|runs| {
            let runs = runs.into_iter().map(|(one, two, count)| vec![(one, two); count]);
            runs.flatten().collect()
        })
    }

    proptest! {
        #[test]
        fn j8_many_positions_move_as_each_of_them(
            flags in flags(),
            toggles in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let (mut positions, mut takes): (Vec<_>, Vec<_>) = flags.into_iter().unzip();
            for toggle in toggles {
                let at = toggle.index(positions.len());
                positions[at] = !positions[at];
                takes[at / 2] = !takes[at / 2];
            }
            let (mut step, mut flood) = (bits(&positions), bits(&positions));
            step.step(&bits(&takes));
            flood.flood(&bits(&takes));
            let mut flooded = false;
            for at in 0..positions.len() {
                let behind = at > 0 && positions[at - 1];
                prop_assert_eq!(step.has(at), takes[at] && behind, "step {}", at);
                flooded = positions[at] || takes[at] && flooded;
                prop_assert_eq!(flood.has(at), flooded, "flood {}", at);
            }
        }
    }
}
