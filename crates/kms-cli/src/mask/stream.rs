//! Looking for many texts at once in a stream, however it is cut.

use std::{collections::HashMap, ops::Range, sync::Arc};

use aho_corasick::{
    Anchored, MatchKind,
    automaton::{Automaton, StateID},
    dfa::DFA,
    nfa::{contiguous, noncontiguous},
};
use secrecy::zeroize::Zeroize as _;

use super::{MARK, forms::Form, leap::Leap};

/// Bytes of everything that is looked for, up to which the fastest kind of machine is worth its
/// memory.
const FAST_WITHIN: usize = 256 * 1024;

/// Steps that making it may take, about: texts that repeat themselves make it slow (attack R4).
const FAST_STEPS: usize = 2 * 1024 * 1024;

/// Bytes that a terminal may show of what could become a value, so that a question stands there in
/// full: fewer than any value has that is looked for.
const SHOWN: usize = super::SHORTEST - 1;

/// Knows all texts.
pub(super) struct Machine {
    kind: Kind,
    leap: Leap,
    /// How many of the last bytes may be the beginning of a text, by state.
    depths: HashMap<StateID, usize>,
}

enum Kind {
    Fast(DFA),
    Small(contiguous::NFA),
}

impl Machine {
    pub(super) fn new(texts: &[Form]) -> Self {
        let total: usize = texts.iter().map(|text| text.len()).sum();
        // All matches are wanted, also those within each other: their union is hidden.
        let base = noncontiguous::Builder::new()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(texts)
            .expect("texts of less than 2^31 bytes in all, as an environment is smaller");
        let fast = || DFA::builder().prefilter(false).build_from_noncontiguous(&base).ok();
        let is_fast = total <= FAST_WITHIN
            && texts.iter().map(|text| repetition(text)).sum::<usize>() <= FAST_STEPS;
        let kind = match is_fast.then(fast).flatten() {
            Some(fast) => Kind::Fast(fast),
            None => Kind::Small(
                contiguous::Builder::new()
                    .prefilter(false)
                    .build_from_noncontiguous(&base)
                    .expect("a compact form of what was built is smaller than that"),
            ),
        };
        let depths = match &kind {
            Kind::Fast(machine) => depths(machine, texts),
            Kind::Small(machine) => depths(machine, texts),
        };
        Self { kind, leap: Leap::new(texts), depths }
    }

    fn start(&self) -> StateID {
        match &self.kind {
            Kind::Fast(machine) => start(machine),
            Kind::Small(machine) => start(machine),
        }
    }

    /// The state after a chunk; `found` is told the length and the end of each match.
    fn scan(&self, state: StateID, chunk: &[u8], found: impl FnMut(usize, usize)) -> StateID {
        match &self.kind {
            Kind::Fast(machine) => scan(machine, &self.leap, state, chunk, found),
            Kind::Small(machine) => scan(machine, &self.leap, state, chunk, found),
        }
    }
}

/// How many shorter beginnings of a text end at its bytes, all in all: none where no part of it comes
/// again.
fn repetition(text: &[u8]) -> usize {
    // Of each beginning, the longest other one that it ends with, and how many there are.
    let mut longest = vec![0; text.len() + 1];
    let mut counts = vec![0; text.len() + 1];
    let mut known = 0;
    for at in 1..text.len() {
        while known > 0 && text[at] != text[known] {
            known = longest[known];
        }
        known += usize::from(text[at] == text[known]);
        longest[at + 1] = known;
        counts[at + 1] = if known > 0 { counts[known] + 1 } else { 0 };
    }
    counts.iter().sum()
}

fn start(machine: &impl Automaton) -> StateID {
    machine.start_state(Anchored::No).expect("built without anchors, which is the default")
}

fn depths(machine: &impl Automaton, texts: &[Form]) -> HashMap<StateID, usize> {
    let mut depths = HashMap::new();
    for text in texts {
        let mut state = start(machine);
        for (before, &byte) in text.iter().enumerate() {
            state = machine.next_state(Anchored::No, state, byte);
            depths.insert(state, before + 1);
        }
    }
    depths
}

fn scan(
    machine: &impl Automaton,
    leap: &Leap,
    mut state: StateID,
    chunk: &[u8],
    mut found: impl FnMut(usize, usize),
) -> StateID {
    let start = start(machine);
    let mut at = 0;
    loop {
        // No text has begun: on to where the next one may.
        if state == start {
            at = leap.next(chunk, at);
        }
        let Some(&byte) = chunk.get(at) else { return state };
        state = machine.next_state(Anchored::No, state, byte);
        at += 1;
        if machine.is_special(state) && machine.is_match(state) {
            let lengths = (0..machine.match_len(state))
                .map(|index| machine.pattern_len(machine.match_pattern(state, index)));
            found(lengths.max().unwrap_or_default(), at);
        }
    }
}

/// Hides values in one stream.
pub struct Masker {
    machine: Option<Arc<Machine>>,
    state: StateID,
    /// The last bytes, which may be the beginning of a value.
    held: Vec<u8>,
    /// What is to be hidden of them, by their positions: in order and apart from each other.
    hidden: Vec<Range<usize>>,
    /// Whether the first of these began before them, so that its mark is written already.
    is_marked: bool,
}

impl Masker {
    pub(super) fn new(machine: Option<Arc<Machine>>) -> Self {
        let state = machine.as_deref().map_or(StateID::ZERO, Machine::start);
        Self { machine, state, held: Vec::new(), hidden: Vec::new(), is_marked: false }
    }

    /// Takes the next bytes and appends what may be shown by now.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let Some(machine) = self.machine.clone() else { return out.extend_from_slice(chunk) };
        let before = self.held.len();
        let hidden = &mut self.hidden;
        self.state = machine.scan(self.state, chunk, |length, end| {
            let end = before + end;
            hide(hidden, end.saturating_sub(length)..end);
        });
        let all = before + chunk.len();
        self.show(chunk, all - self.depth().min(all), out);
    }

    /// Shows of what is held back what is no value by itself, for a person who waits to see it. What
    /// was shown before counts: a value that comes slowly is not shown piece by piece.
    pub fn release(&mut self, out: &mut Vec<u8>) {
        if self.depth() <= SHOWN {
            self.show(&[], self.held.len(), out);
        }
    }

    /// How many of the last bytes may be the beginning of a value, held back or shown.
    fn depth(&self) -> usize {
        let machine = self.machine.as_deref();
        machine.and_then(|machine| machine.depths.get(&self.state)).copied().unwrap_or_default()
    }

    /// Nothing comes any more.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.show(&[], self.held.len(), out);
        self.state = self.machine.as_deref().map_or(StateID::ZERO, Machine::start);
    }

    /// Whether anything is held back.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Shows the first bytes of what is held and of the chunk, and holds the others.
    fn show(&mut self, chunk: &[u8], count: usize, out: &mut Vec<u8>) {
        let mut at = 0;
        for (index, range) in self.hidden.iter().enumerate() {
            if range.start >= count {
                break;
            }
            copy(&self.held, chunk, at..range.start.max(at), out);
            if !(index == 0 && self.is_marked) {
                out.extend_from_slice(MARK);
            }
            at = range.end.min(count);
        }
        copy(&self.held, chunk, at..count, out);
        let mut held = Vec::new();
        copy(&self.held, chunk, count..self.held.len() + chunk.len(), &mut held);
        self.held.zeroize();
        self.held = held;
        // What is marked stays so for as long as none of it is shown.
        let is_marked = count == 0 && self.is_marked;
        self.is_marked =
            is_marked || self.hidden.iter().any(|range| range.start < count && range.end > count);
        self.hidden.retain_mut(|range| {
            *range = range.start.saturating_sub(count)..range.end.saturating_sub(count);
            range.start < range.end
        });
    }
}

impl Drop for Masker {
    fn drop(&mut self) {
        self.held.zeroize();
    }
}

/// Adds a range that ends after all others, and joins it with those that it overlaps.
fn hide(hidden: &mut Vec<Range<usize>>, mut range: Range<usize>) {
    while let Some(last) = hidden.last()
        && last.end > range.start
    {
        range.start = range.start.min(last.start);
        hidden.pop();
    }
    hidden.push(range);
}

/// Appends bytes by their positions in two pieces, one behind the other.
fn copy(first: &[u8], second: &[u8], range: Range<usize>, out: &mut Vec<u8>) {
    let split = first.len();
    if range.start < split {
        out.extend_from_slice(&first[range.start..range.end.min(split)]);
    }
    if range.end > split {
        out.extend_from_slice(&second[range.start.max(split) - split..range.end - split]);
    }
}
