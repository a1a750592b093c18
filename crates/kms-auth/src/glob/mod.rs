//! Patterns as the compatible server has them (wire contract, OIDC and JWT auth).
//!
//! `*` and `?` stay within one segment of a path and do not take a leading dot; `**` as a whole
//! segment crosses segments; `[…]` is one character of a set, `{a,b}` one of several texts;
//! `@(…)`, `?(…)`, `*(…)`, `+(…)` and `!(…)` are extended patterns; `\` takes a character as it
//! is. For JWT auth `*` crosses segments too ([`Stars::Cross`]).
//!
//! A pattern is matched from its end to its beginning, each part turning the set of positions
//! from which the rest matches into the set from which it and the rest match. That costs the
//! product of both lengths and never more, whatever somebody writes (no backtracking).

mod parse;

#[cfg(test)]
mod tests;

pub use parse::{BadPattern, Pattern};
use parse::{Node, Repeat};

/// The longest text that a pattern is held against, in characters; a longer one matches nothing.
const MAX_TEXT: usize = 512;

/// What a single `*` does at the end of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stars {
    /// It stops.
    Stop,
    /// It goes on.
    Cross,
}

/// Whether the text equals the pattern or matches it. What is not a pattern matches only itself.
pub(crate) fn matches(pattern: &str, text: &str, stars: Stars) -> bool {
    pattern == text || Pattern::parse(pattern).is_ok_and(|pattern| pattern.matches(text, stars))
}

impl Pattern {
    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str, stars: Stars) -> bool {
        self.matches_up_to(text, stars, MAX_TEXT)
    }

    /// Whether the whole text matches, which has at most `longest` characters; a longer one does
    /// not.
    pub fn matches_up_to(&self, text: &str, stars: Stars, longest: usize) -> bool {
        let text: Vec<char> = text.chars().collect();
        if text.is_empty() || text.len() > longest {
            return false;
        }
        let mut end = vec![false; text.len() + 1];
        end[text.len()] = true;
        Matcher { text: &text, stars }.sequence(&self.0, end)[0]
    }
}

struct Matcher<'t> {
    text: &'t [char],
    stars: Stars,
}

/// For each position whether the rest of the pattern matches from there to the end.
type Positions = Vec<bool>;

impl Matcher<'_> {
    fn sequence(&self, nodes: &[Node], after: Positions) -> Positions {
        nodes.iter().rev().fold(after, |after, node| self.node(node, &after))
    }

    fn node(&self, node: &Node, after: &Positions) -> Positions {
        match node {
            Node::Literal(literal) => self.one(after, |_, c| c == *literal),
            Node::Any { first } => {
                self.one(after, |at, c| c != '/' && !(c == '.' && (*first || self.starts(at))))
            }
            Node::Set(set) => self.one(after, |_, c| c != '/' && set.holds(c)),
            Node::Star { first } => self.star(*first, after),
            Node::Segments => self.segments(after),
            Node::Group(Repeat::One, sequences) => self.any(sequences, after),
            Node::Group(Repeat::Optional, sequences) => either(self.any(sequences, after), after),
            Node::Group(Repeat::Many, sequences) => self.many(sequences, after),
            Node::Group(Repeat::Some, sequences) => {
                let more = self.many(sequences, after);
                self.any(sequences, &more)
            }
            Node::Not { first, sequences } => {
                let taken = self.any(sequences, after);
                let mut free = self.star(*first, after);
                free.iter_mut().zip(taken).for_each(|(free, taken)| *free &= !taken);
                free
            }
        }
    }

    /// One character.
    fn one(&self, after: &Positions, takes: impl Fn(usize, char) -> bool) -> Positions {
        let mut before = vec![false; after.len()];
        for (at, c) in self.text.iter().enumerate() {
            before[at] = after[at + 1] && takes(at, *c);
        }
        before
    }

    /// `*`; as the first of a segment it takes at least one character, and no leading dot.
    fn star(&self, first: bool, after: &Positions) -> Positions {
        let crosses = self.stars == Stars::Cross;
        let mut run = after.clone();
        for (at, c) in self.text.iter().enumerate().rev() {
            run[at] |= run[at + 1] && (crosses || *c != '/');
        }
        if first {
            for (at, holds) in run.iter_mut().enumerate() {
                let next = self.text.get(at);
                let takes_none = next.is_none_or(|c| *c == '/');
                *holds &= next != Some(&'.') && (crosses || !takes_none);
            }
        }
        run
    }

    /// `**` as a whole segment: any characters, but no segment that begins with a dot.
    fn segments(&self, after: &Positions) -> Positions {
        let mut run = after.clone();
        for (at, c) in self.text.iter().enumerate().rev() {
            run[at] |= run[at + 1] && !(*c == '.' && self.starts(at)) && !self.is_dotted_slash(at);
        }
        run
    }

    fn any(&self, sequences: &[Vec<Node>], after: &Positions) -> Positions {
        let mut before = vec![false; after.len()];
        for sequence in sequences {
            before = either(before, &self.sequence(sequence, after.clone()));
        }
        before
    }

    /// Nothing, or any number of times one of the sequences.
    fn many(&self, sequences: &[Vec<Node>], after: &Positions) -> Positions {
        let mut reached = after.clone();
        loop {
            let more = either(self.any(sequences, &reached), &reached);
            if more == reached {
                return reached;
            }
            reached = more;
        }
    }

    /// Whether a segment starts here.
    fn starts(&self, at: usize) -> bool {
        at == 0 || self.text[at - 1] == '/'
    }

    /// Whether a segment that begins with a dot follows the slash that is here.
    fn is_dotted_slash(&self, at: usize) -> bool {
        self.text[at] == '/' && self.text.get(at + 1) == Some(&'.')
    }
}

fn either(mut one: Positions, other: &Positions) -> Positions {
    one.iter_mut().zip(other).for_each(|(one, other)| *one |= other);
    one
}
