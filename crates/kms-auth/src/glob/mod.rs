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
//! product of both lengths and never more, whatever somebody writes (no backtracking).

mod error;
mod parse;
mod parts;

#[cfg(test)]
mod tests;

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
        let matcher = Matcher { text: &text, stars };
        matcher.nodes(&self.0, matcher.end())[0]
    }
}

struct Matcher<'t> {
    text: &'t [u16],
    stars: Stars,
}

/// For each position whether the rest of the pattern matches from there to the end.
type Positions = Vec<bool>;

impl Matcher<'_> {
    /// Where nothing is left to match.
    fn end(&self) -> Positions {
        (0..=self.text.len()).map(|at| at == self.text.len()).collect()
    }

    fn nodes(&self, nodes: &[Node], after: Positions) -> Positions {
        nodes.iter().rev().fold(after, |after, node| self.node(node, after))
    }

    fn atoms(&self, atoms: &[Atom], after: Positions) -> Positions {
        atoms.iter().rev().fold(after, |after, atom| self.atom(atom, after))
    }

    fn node(&self, node: &Node, after: Positions) -> Positions {
        match node {
            Node::Atom(atom) => self.atom(atom, after),
            Node::Group { optional, sequences } => {
                let mut before = if *optional { after.clone() } else { vec![false; after.len()] };
                for sequence in sequences {
                    either(&mut before, &self.nodes(sequence, after.clone()));
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
                let rest = if *last { self.end() } else { vec![true; after.len()] };
                let mut free = self.free(crosses, after);
                for (at, excluded) in self.any(sequences, &rest).into_iter().enumerate() {
                    free[at] &= !excluded && !self.is_leading_dot(at);
                    free[at] &= !first || self.holds(&Atom::Begins, at);
                }
                free
            }
        }
    }

    fn atom(&self, atom: &Atom, mut positions: Positions) -> Positions {
        for at in 0..positions.len() {
            let here = positions[at];
            let next = positions.get(at + 1).is_some_and(|next| *next);
            positions[at] = match atom {
                Atom::Begins | Atom::NoDot | Atom::GoesOn => here && self.holds(atom, at),
                // From the end: what is behind a star is known before what is in front of it.
                Atom::Star(_) => here,
                _ => next && self.takes(atom, at),
            };
        }
        if let Atom::Star(_) = atom {
            for at in (0..self.text.len()).rev() {
                positions[at] |= positions[at + 1] && self.takes(atom, at);
            }
        }
        positions
    }

    fn any(&self, sequences: &[Vec<Atom>], after: &Positions) -> Positions {
        let mut before = vec![false; after.len()];
        for sequence in sequences {
            either(&mut before, &self.atoms(sequence, after.clone()));
        }
        before
    }

    /// Nothing, or any number of times one of the sequences; once through the text.
    fn many(&self, sequences: &[Vec<Atom>], mut positions: Positions) -> Positions {
        let mut later: Vec<Vec<bool>> =
            sequences.iter().map(|sequence| vec![false; sequence.len() + 1]).collect();
        for at in (0..positions.len()).rev() {
            let columns = |ends| {
                let pairs = sequences.iter().zip(&later);
                pairs.map(|(sequence, later)| self.column(sequence, at, later, ends)).collect()
            };
            let mut now: Vec<Vec<bool>> = columns(positions[at]);
            if !positions[at] && now.iter().any(|column| column[0]) {
                // A repetition that begins here is also what another one may end with.
                positions[at] = true;
                now = columns(true);
            }
            later = now;
        }
        positions
    }

    /// For each part of a sequence whether it and the rest match from here, if that is known of
    /// the next position; `ends` is what is behind the sequence.
    fn column(&self, sequence: &[Atom], at: usize, later: &[bool], ends: bool) -> Vec<bool> {
        let mut column = vec![ends; sequence.len() + 1];
        for (part, atom) in sequence.iter().enumerate().rev() {
            column[part] = match atom {
                Atom::Begins | Atom::NoDot | Atom::GoesOn => {
                    column[part + 1] && self.holds(atom, at)
                }
                Atom::Star(_) => column[part + 1] || later[part] && self.takes(atom, at),
                _ => later[part + 1] && self.takes(atom, at),
            };
        }
        column
    }

    /// What `!(…)` takes but for what it excludes: as `*`, or as `**`.
    fn free(&self, crosses: bool, mut positions: Positions) -> Positions {
        let star = Atom::Star(Star::Segments);
        for at in (0..self.text.len()).rev() {
            let takes = self.takes(&star, at) && (crosses || self.text[at] != SLASH);
            positions[at] |= positions[at + 1] && takes;
        }
        positions
    }

    /// Whether a part that takes one character, or any number of them, takes the one here.
    fn takes(&self, atom: &Atom, at: usize) -> bool {
        let Some(unit) = self.text.get(at).copied() else { return false };
        let crosses = self.stars == Stars::Cross;
        match atom {
            Atom::Unit(literal) => unit == *literal,
            Atom::Any { first } => unit != SLASH && !(*first && unit == DOT),
            Atom::Set(set) => unit != SLASH && set.holds(unit),
            Atom::Star(Star::Excluded) => crosses || unit != SLASH,
            Atom::Star(Star::Single) if !crosses => unit != SLASH,
            Atom::Star(_) => {
                let dotted = unit == SLASH && self.text.get(at + 1) == Some(&DOT);
                !dotted && !self.is_leading_dot(at)
            }
            Atom::Begins | Atom::NoDot | Atom::GoesOn => false,
        }
    }

    /// Whether a part that takes nothing may be here.
    fn holds(&self, atom: &Atom, at: usize) -> bool {
        let crosses = self.stars == Stars::Cross;
        let ends = |at: usize| self.text.get(at).is_none_or(|unit| *unit == SLASH);
        match self.text.get(at) {
            here if *atom == Atom::NoDot => here != Some(&DOT),
            None => false,
            Some(&SLASH) => crosses && *atom == Atom::Begins,
            Some(&DOT) => *atom == Atom::GoesOn && !ends(at + 1),
            Some(_) => true,
        }
    }

    /// Whether a segment starts here with a dot.
    fn is_leading_dot(&self, at: usize) -> bool {
        self.text.get(at) == Some(&DOT) && (at == 0 || self.text[at - 1] == SLASH)
    }
}

fn either(one: &mut Positions, other: &Positions) {
    one.iter_mut().zip(other).for_each(|(one, other)| *one |= other);
}
