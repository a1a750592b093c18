//! Patterns as the compatible server has them (wire contract, OIDC and JWT auth).
//!
//! `*` and `?` stay within one segment of a path and do not take a leading dot; `**` as a whole
//! segment crosses segments; `[…]` is one character of a set, `{a,b}` one of several texts;
//! `@(…)`, `?(…)`, `*(…)`, `+(…)` and `!(…)` are extended patterns; `\` takes a character as it
//! is. For JWT auth `*` crosses segments too ([`Stars::Cross`]).
//!
//! Nothing is admitted that the compatible server refuses. What it would take in another way than
//! it looks is no pattern here (`parse.rs`), and where it is generous without saying so (a slash
//! at the end, a set as a text, the parent of `a/**`) this is not.
//!
//! A pattern is matched from its end to its beginning, each part turning the set of positions
//! from which the rest matches into the set from which it and the rest match. That costs the
//! product of both lengths and never more, whatever somebody writes (no backtracking), and most parts
//! take 64 positions at one go (`bits.rs`).

mod bits;
mod error;
mod parse;
mod parts;

#[cfg(test)]
mod tests;

use bits::Bits;
pub use error::BadPattern;
pub use parse::literal;
pub use parts::Pattern;
use parts::{Atom, Node, Star};

/// The longest text that a pattern is held against, in UTF-16 code units; a longer one matches
/// nothing.
const MAX_TEXT: usize = 512;
const SLASH: u16 = b'/' as u16;
const DOT: u16 = b'.' as u16;
/// Ends of lines, which the compatible server's `*` takes here and there: a text that has them
/// matches nothing.
const LINE_ENDS: [u16; 4] = [0x0a, 0x0d, 0x2028, 0x2029];

/// Whether a character ends a line for the compatible server's matcher; no pattern matches a text
/// that has one.
pub fn is_line_end(c: char) -> bool {
    LINE_ENDS.iter().any(|end| u32::from(*end) == u32::from(c))
}

/// What a single `*` does at the end of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stars {
    /// It stops.
    Stop,
    /// It goes on.
    Cross,
}

/// A rule that a text can keep: by being it, or by matching it. What is not a pattern is kept by
/// itself alone.
#[derive(Debug)]
pub(crate) struct Rule<'r> {
    text: &'r str,
    pattern: Option<Pattern>,
    stars: Stars,
}

impl<'r> Rule<'r> {
    /// Reads a rule.
    pub(crate) fn new(text: &'r str, stars: Stars) -> Self {
        Self { text, pattern: Pattern::parse(text).ok(), stars }
    }

    /// As it is written.
    pub(crate) fn text(&self) -> &'r str {
        self.text
    }

    /// Whether a text keeps it.
    pub(crate) fn admits(&self, text: &str) -> bool {
        let matches = |pattern: &Pattern| pattern.matches(text, self.stars);
        self.text == text || self.pattern.as_ref().is_some_and(matches)
    }
}

impl Pattern {
    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str, stars: Stars) -> bool {
        self.matches_up_to(text, stars, MAX_TEXT)
    }

    /// Whether the whole text matches, which has at most `longest` UTF-16 code units; a longer one
    /// does not.
    pub fn matches_up_to(&self, text: &str, stars: Stars, longest: usize) -> bool {
        let text: Vec<u16> = text.encode_utf16().take(longest.saturating_add(1)).collect();
        let is_line = |unit: &u16| LINE_ENDS.contains(unit);
        if text.is_empty() || text.len() > longest || text.iter().any(is_line) {
            return false;
        }
        let matcher = Matcher::new(&text, stars);
        matcher.nodes(&self.0, matcher.end()).has(text.len())
    }
}

/// A text, and for what patterns ask about it the positions where the answer is yes.
struct Matcher<'t> {
    text: &'t [u16],
    stars: Stars,
    /// Where each character is, in their order.
    units: Vec<(u16, Bits)>,
    /// Where a character is that is no slash.
    inside: Bits,
    /// Where a segment starts with a dot.
    leading_dots: Bits,
    /// Where a slash is in front of one.
    dotted: Bits,
    /// Where [`Atom::Begins`], [`Atom::NoDot`] and [`Atom::GoesOn`] hold.
    begins: Bits,
    no_dot: Bits,
    goes_on: Bits,
}

impl<'t> Matcher<'t> {
    fn new(text: &'t [u16], stars: Stars) -> Self {
        let count = text.len() + 1;
        let where_ = |holds: &dyn Fn(usize) -> bool| {
            let mut bits = Bits::none(count);
            (0..count).filter(|at| holds(*at)).for_each(|at| bits.set(text.len() - at));
            bits
        };
        let mut order: Vec<_> = text.iter().copied().enumerate().collect();
        order.sort_unstable_by_key(|(_, unit)| *unit);
        let mut units: Vec<(u16, Bits)> = Vec::with_capacity(order.len());
        for (at, unit) in order {
            if units.last().is_none_or(|(last, _)| *last != unit) {
                units.push((unit, Bits::none(count)));
            }
            if let Some((_, here)) = units.last_mut() {
                here.set(text.len() - at);
            }
        }
        let is_first = |at: usize| at == 0 || text[at - 1] == SLASH;
        let ends = |at: usize| text.get(at).is_none_or(|unit| *unit == SLASH);
        Self {
            text,
            stars,
            units,
            inside: where_(&|at| !ends(at)),
            leading_dots: where_(&|at| text.get(at) == Some(&DOT) && is_first(at)),
            dotted: where_(&|at| text.get(at) == Some(&SLASH) && text.get(at + 1) == Some(&DOT)),
            begins: where_(&|at| match text.get(at) {
                None | Some(&DOT) => false,
                Some(&SLASH) => stars == Stars::Cross,
                Some(_) => true,
            }),
            no_dot: where_(&|at| text.get(at) != Some(&DOT)),
            goes_on: where_(&|at| match text.get(at) {
                None | Some(&SLASH) => false,
                Some(&DOT) => !ends(at + 1),
                Some(_) => true,
            }),
        }
    }

    fn unit(&self, unit: u16) -> Option<&Bits> {
        let found = self.units.binary_search_by_key(&unit, |(unit, _)| *unit);
        found.ok().map(|place| &self.units[place].1)
    }

    fn none(&self) -> Bits {
        Bits::none(self.text.len() + 1)
    }

    /// Where nothing is left to match.
    fn end(&self) -> Bits {
        let mut end = self.none();
        end.set(0);
        end
    }

    fn nodes(&self, nodes: &[Node], after: Bits) -> Bits {
        nodes.iter().rev().fold(after, |after, node| self.node(node, after))
    }

    fn atoms(&self, atoms: &[Atom], mut positions: Bits) -> Bits {
        for atom in atoms.iter().rev() {
            if positions.is_none() {
                break;
            }
            positions = self.atom(atom, positions);
        }
        positions
    }

    fn node(&self, node: &Node, mut after: Bits) -> Bits {
        match node {
            Node::Atom(atom) => self.atom(atom, after),
            Node::Group { optional, sequences } => {
                let mut before = if *optional { after.clone() } else { self.none() };
                for sequence in sequences {
                    before.or(&self.nodes(sequence, after.clone()));
                }
                before
            }
            Node::Repeat { at_least_once: false, sequences } => self.many(sequences, after),
            Node::Repeat { at_least_once: true, sequences } => {
                let more = self.many(sequences, after);
                self.any(sequences, &more)
            }
            Node::Not { first, last, paths, sequences } => {
                let crosses = *last && (*paths || self.stars == Stars::Cross);
                let rest = if *last { self.end() } else { self.everywhere() };
                let mut takes = self.takes(&Atom::Star(Star::Segments));
                if !crosses {
                    takes.and(&self.inside);
                }
                after.flood(&takes);
                after.and_not(&self.any(sequences, &rest));
                after.and_not(&self.leading_dots);
                if *first {
                    after.and(&self.begins);
                }
                after
            }
        }
    }

    fn atom(&self, atom: &Atom, mut positions: Bits) -> Bits {
        match atom {
            Atom::Begins => positions.and(&self.begins),
            Atom::NoDot => positions.and(&self.no_dot),
            Atom::GoesOn => positions.and(&self.goes_on),
            Atom::Star(Star::Excluded | Star::Single) if self.stars == Stars::Stop => {
                positions.flood(&self.inside);
            }
            Atom::Star(_) => positions.flood(&self.takes(atom)),
            Atom::Any { first: false } => positions.step(&self.inside),
            Atom::Unit(unit) => match self.unit(*unit) {
                Some(here) => positions.step(here),
                None => return self.none(),
            },
            Atom::Any { first: true } | Atom::Set(_) => positions.step(&self.takes(atom)),
        }
        positions
    }

    fn any(&self, sequences: &[Vec<Atom>], after: &Bits) -> Bits {
        let mut before = self.none();
        for sequence in sequences {
            before.or(&self.atoms(sequence, after.clone()));
        }
        before
    }

    /// Nothing, or any number of times one of the sequences.
    fn many(&self, sequences: &[Vec<Atom>], mut positions: Bits) -> Bits {
        // One character after the other is what a star takes.
        let single = |sequence: &Vec<Atom>| match sequence.as_slice() {
            [atom @ (Atom::Unit(_) | Atom::Any { .. } | Atom::Set(_))] => Some(self.takes(atom)),
            _ => None,
        };
        if let Some(singles) = sequences.iter().map(single).collect::<Option<Vec<_>>>() {
            let mut takes = self.none();
            for single in &singles {
                takes.or(single);
            }
            positions.flood(&takes);
            return positions;
        }
        // Each turn but the last finds a position that no other did.
        let mut found = positions.clone();
        while !found.is_none() {
            found = self.any(sequences, &found);
            found.and_not(&positions);
            positions.or(&found);
        }
        positions
    }

    /// Where a part that takes one character, or a star that crosses segments, takes the one that is
    /// there.
    fn takes(&self, atom: &Atom) -> Bits {
        let mut takes = match atom {
            Atom::Unit(unit) => self.unit(*unit).cloned().unwrap_or_else(|| self.none()),
            Atom::Set(set) => {
                let mut takes = self.none();
                let held = self.units.iter().filter(|(unit, _)| set.holds(*unit));
                held.for_each(|(_, here)| takes.or(here));
                takes.and(&self.inside);
                takes
            }
            Atom::Any { .. } => self.inside.clone(),
            _ => {
                let mut all = self.everywhere();
                all.and_not(&self.end());
                all
            }
        };
        match atom {
            Atom::Any { first: true } => takes.and(&self.no_dot),
            Atom::Star(Star::Segments | Star::Single) => {
                takes.and_not(&self.dotted);
                takes.and_not(&self.leading_dots);
            }
            _ => {}
        }
        takes
    }

    fn everywhere(&self) -> Bits {
        let mut all = self.none();
        (0..=self.text.len()).for_each(|bit| all.set(bit));
        all
    }
}
