//! Reading a pattern.
//!
//! The compatible server's matcher makes a regular expression of a pattern, and does so in ways
//! that surprise (`[!a]` is one of two characters, `(a)+` repeats, `a|b/c` is two patterns). What
//! it would take in another way than it looks is refused here, with the way to write it.

use super::{
    error::BadPattern,
    is_line_end,
    parts::{Atom, Node, Pattern, Set, Star},
};

/// The longest pattern, in characters.
const MAX_PATTERN: usize = 512;
/// How deep groups may be nested.
const MAX_DEPTH: usize = 4;
/// Where none of these is, the compatible server takes `|` as it is.
const NOT_PLAIN: [char; 8] = ['/', '(', ')', '[', ']', '{', '}', '"'];
/// What stands for itself behind a `\`.
const ESCAPABLE: &str = "*?[]{}()!+@|$^\"";

/// What the parts of a sequence are inside of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The pattern itself, or alternatives.
    Open { depth: usize, parentheses: bool },
    /// `*(…)` or `+(…)`
    Repeated,
    /// `!(…)`
    Excluded,
}

impl Pattern {
    /// Reads a pattern. A text without anything that makes it one is itself.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let chars: Vec<char> = text.chars().collect();
        let plain = !text.contains(NOT_PLAIN) && !text.starts_with('*');
        let parser = Parser { chars: &chars, plain };
        if chars.len() > MAX_PATTERN {
            return Err(BadPattern::TooLong);
        }
        if text.contains(char::is_control) {
            return Err(BadPattern::Control);
        }
        if text.starts_with('!') && !text.starts_with("!(") {
            return Err(BadPattern::Negated);
        }
        if !parser.is_pattern() {
            return Ok(Self(
                text.encode_utf16().map(|unit| Node::Atom(Atom::Unit(unit))).collect(),
            ));
        }
        if text.starts_with("./") {
            return Err(BadPattern::Here);
        }
        let place = Place::Open { depth: 0, parentheses: false };
        parser.sequence((0, chars.len()), place, true).map(Self)
    }
}

/// A pattern that a text alone matches, for use in a longer one: outside of braces, since nothing
/// takes the meaning from a comma. None for a text that no pattern can hold.
pub fn literal(text: &str) -> Option<String> {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\\' || c.is_control() || is_line_end(c) {
            return None;
        }
        if ESCAPABLE.contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    Some(pattern)
}

struct Parser<'p> {
    chars: &'p [char],
    /// Holds none of [`NOT_PLAIN`], and does not begin with a star.
    plain: bool,
}

impl Parser<'_> {
    /// Whether anything stands for something else than itself.
    fn is_pattern(&self) -> bool {
        (0..self.chars.len()).any(|at| match self.chars[at] {
            '*' | '?' | '[' | '{' => true,
            '@' | '+' | '!' => self.is('(', at + 1),
            '\\' => self.chars.get(at + 1).is_some_and(|c| ESCAPABLE.contains(*c)),
            _ => false,
        })
    }

    fn is(&self, c: char, at: usize) -> bool {
        self.chars.get(at) == Some(&c)
    }

    fn before(&self, at: usize) -> Option<char> {
        at.checked_sub(1).map(|before| self.chars[before])
    }

    /// Whether a group in parentheses opens here.
    fn opens(&self, at: usize) -> bool {
        self.chars.get(at).is_some_and(|c| "@?*+!".contains(*c)) && self.is('(', at + 1)
    }

    fn sequence(
        &self,
        (start, end): (usize, usize),
        place: Place,
        mut first: bool,
    ) -> Result<Vec<Node>, BadPattern> {
        let mut nodes = Vec::new();
        let mut at = start;
        while at < end {
            at = if self.opens(at) {
                let close = self.close(at + 1, end)?;
                nodes.push(self.extended(at, close, place, first)?);
                close + 1
            } else if self.chars[at] == '{' {
                let close = self.close(at, end)?;
                nodes.push(self.braces(at, close, place, first)?);
                close + 1
            } else if self.is_segments(at, (start, end), place, first) {
                let next = at + 2;
                // `a/**/b` is also `a/b`, and `**/b` is `b`: the slash belongs to the segments.
                let collapses = next < end && at != 1 && (at == 0 || self.is('/', at - 1));
                let segments = [Atom::NoDot, Atom::Star(Star::Segments)].map(Node::Atom);
                if collapses {
                    let slash = Node::Atom(Atom::Unit(u16::from(b'/')));
                    let sequences = vec![segments.into_iter().chain([slash]).collect()];
                    nodes.push(Node::Group { optional: true, sequences });
                } else {
                    nodes.extend(segments);
                }
                next + usize::from(collapses)
            } else {
                let mut atoms = Vec::new();
                let next = self.atom(at, end, place, first, &mut atoms)?;
                nodes.extend(atoms.into_iter().map(Node::Atom));
                next
            };
            first = self.chars[at - 1] == '/';
        }
        Ok(nodes)
    }

    /// Whether `**` is here, as a whole segment.
    fn is_segments(
        &self,
        at: usize,
        (start, end): (usize, usize),
        place: Place,
        first: bool,
    ) -> bool {
        let twice = at + 2 <= end && self.is('*', at) && self.is('*', at + 1);
        let begins = if at == start { first } else { self.is('/', at - 1) };
        let ends = at + 2 == end || self.is('/', at + 2);
        let parentheses = matches!(place, Place::Open { parentheses: true, .. });
        twice && begins && ends && !parentheses
    }

    /// Reads one part that holds no others; answers where the next one begins.
    fn atom(
        &self,
        at: usize,
        end: usize,
        place: Place,
        first: bool,
        atoms: &mut Vec<Atom>,
    ) -> Result<usize, BadPattern> {
        let c = self.chars[at];
        let before = self.before(at);
        let excluded = place == Place::Excluded;
        let grouped = !matches!(place, Place::Open { parentheses: false, .. });
        let (literal, next) = match c {
            '\\' => match self.chars[..end].get(at + 1) {
                Some(c) if ESCAPABLE.contains(*c) => (*c, at + 2),
                _ => return Err(BadPattern::Escape),
            },
            '*' => return self.stars(at, place, first, atoms),
            '?' if matches!(before, Some('(' | ')')) => return Err(BadPattern::Ambiguous),
            '?' => {
                atoms.push(Atom::Any { first: first && !excluded });
                return Ok(at + 1);
            }
            '[' if excluded => return Err(BadPattern::Excluded),
            '[' => {
                let (set, next) = self.set(at, end)?;
                atoms.push(Atom::Set(set));
                return Ok(next);
            }
            '(' | ')' | ']' | '}' | '"' => return Err(BadPattern::Ambiguous),
            '|' if !self.plain => return Err(BadPattern::Ambiguous),
            '|' | '$' | '^' if before == Some(c) => return Err(BadPattern::Ambiguous),
            '+' if grouped || matches!(before, Some(']' | ')' | '{' | '}')) => {
                return Err(BadPattern::Ambiguous);
            }
            _ => (c, at + 1),
        };
        let mut units = [0; 2];
        atoms.extend(literal.encode_utf16(&mut units).iter().copied().map(Atom::Unit));
        Ok(next)
    }

    /// `*`, or two that are no segment and therefore one.
    fn stars(
        &self,
        at: usize,
        place: Place,
        first: bool,
        atoms: &mut Vec<Atom>,
    ) -> Result<usize, BadPattern> {
        let count = self.chars[at..].iter().take_while(|c| **c == '*').count();
        let next = at + count;
        if count > 1 {
            let open = matches!(place, Place::Open { parentheses: false, .. });
            let grouped = |c: Option<char>| c.is_some_and(|c| "()[]{}|,".contains(c));
            let beside = grouped(self.before(at))
                || grouped(self.chars.get(next).copied())
                || self.opens(next)
                || self.opens(next - 1);
            if count > 2 || !open || beside {
                return Err(BadPattern::Stars);
            }
        }
        if place == Place::Excluded {
            atoms.push(Atom::Star(Star::Excluded));
            return Ok(next);
        }
        if first {
            atoms.push(Atom::Begins);
        } else if self.before(at) == Some('.') {
            atoms.push(Atom::GoesOn);
        }
        atoms.push(Atom::Star(Star::Single));
        Ok(next)
    }

    /// `@(a|b)` and its relatives.
    fn extended(
        &self,
        at: usize,
        close: usize,
        place: Place,
        first: bool,
    ) -> Result<Node, BadPattern> {
        let Place::Open { depth, .. } = place else { return Err(place.refusal()) };
        let kind = self.chars[at];
        if depth == MAX_DEPTH {
            return Err(BadPattern::TooDeep);
        }
        if kind == '?' && self.before(at) == Some('(') {
            return Err(BadPattern::Ambiguous);
        }
        let parts = self.split((at + 2, close), '|')?;
        if matches!(kind, '@' | '?') {
            let inside = Place::Open { depth: depth + 1, parentheses: true };
            let sequences = self.sequences(parts, inside, first)?;
            return Ok(Node::Group { optional: kind == '?', sequences });
        }
        let inside = if kind == '!' { Place::Excluded } else { Place::Repeated };
        let sequences: Result<Vec<Vec<Atom>>, _> =
            parts.iter().map(|part| self.atoms(*part, inside, first)).collect();
        let sequences = sequences?;
        if kind == '!' {
            let last = self.chars[close + 1..].iter().all(|c| *c == ')');
            let inside = &self.chars[at + 2..close];
            let paths = inside.len() > 1 && inside.contains(&'/');
            return Ok(Node::Not { first, last, paths, sequences });
        }
        if !self.can_repeat(&parts) {
            return Err(BadPattern::Repeated);
        }
        Ok(Node::Repeat { at_least_once: kind == '+', sequences })
    }

    /// Whether alternatives can be repeated: other ones the compatible server does not repeat.
    fn can_repeat(&self, parts: &[(usize, usize)]) -> bool {
        let texts: Vec<String> = parts
            .iter()
            .map(|(start, end)| self.chars[*start..*end].iter().filter(|c| **c != '\\').collect())
            .collect();
        let texts: Vec<&str> = texts.iter().map(|text| text.trim_matches(is_space)).collect();
        let stars = |text: &&str| text.chars().all(|c| matches!(c, '*' | '?'));
        let run = |text: &str| {
            let first = text.chars().next();
            first.filter(|first| text.chars().all(|c| c == *first))
        };
        let mut runs: Vec<char> = texts.iter().filter_map(|text| run(text)).collect();
        let count = runs.len();
        runs.sort_unstable();
        runs.dedup();
        texts.len() < 2 || !texts.iter().any(stars) && runs.len() == count
    }

    fn atoms(
        &self,
        (start, end): (usize, usize),
        place: Place,
        mut first: bool,
    ) -> Result<Vec<Atom>, BadPattern> {
        let mut atoms = Vec::new();
        let mut at = start;
        while at < end {
            if self.opens(at) || self.chars[at] == '{' {
                return Err(place.refusal());
            }
            at = self.atom(at, end, place, first, &mut atoms)?;
            first = self.chars[at - 1] == '/';
        }
        Ok(atoms)
    }

    /// `{a,b}`
    fn braces(
        &self,
        at: usize,
        close: usize,
        place: Place,
        first: bool,
    ) -> Result<Node, BadPattern> {
        let Place::Open { depth, parentheses } = place else { return Err(place.refusal()) };
        if depth == MAX_DEPTH {
            return Err(BadPattern::TooDeep);
        }
        if self.chars[at..close].windows(2).any(|pair| pair == ['.', '.']) {
            return Err(BadPattern::BraceRange);
        }
        let parts = self.split((at + 1, close), ',')?;
        if parts.len() < 2 {
            return Err(BadPattern::Braces);
        }
        let inside = Place::Open { depth: depth + 1, parentheses };
        Ok(Node::Group { optional: false, sequences: self.sequences(parts, inside, first)? })
    }

    fn sequences(
        &self,
        parts: Vec<(usize, usize)>,
        place: Place,
        first: bool,
    ) -> Result<Vec<Vec<Node>>, BadPattern> {
        parts.into_iter().map(|part| self.sequence(part, place, first)).collect()
    }

    /// The parts between separators that are not inside a group of their own.
    fn split(
        &self,
        (start, end): (usize, usize),
        separator: char,
    ) -> Result<Vec<(usize, usize)>, BadPattern> {
        let mut parts = Vec::new();
        let (mut from, mut at) = (start, start);
        while at < end {
            if self.chars[at] == separator {
                parts.push((from, at));
                from = at + 1;
            }
            at = match self.chars[at] {
                '(' | '{' => self.close(at, end)? + 1,
                _ => self.past(at, end)?,
            };
        }
        parts.push((from, end));
        Ok(parts)
    }

    /// Where the group that opens here closes.
    fn close(&self, open: usize, end: usize) -> Result<usize, BadPattern> {
        let mut closing = Vec::new();
        let mut at = open;
        while at < end {
            let c = self.chars[at];
            match c {
                '(' => closing.push(')'),
                '{' => closing.push('}'),
                ')' | '}' if closing.pop() != Some(c) => return Err(BadPattern::Unclosed),
                _ => {}
            }
            if closing.is_empty() {
                return Ok(at);
            }
            at = self.past(at, end)?;
        }
        Err(BadPattern::Unclosed)
    }

    /// The position behind a character, an escaped one, or a set.
    fn past(&self, at: usize, end: usize) -> Result<usize, BadPattern> {
        match self.chars[at] {
            '\\' => Ok((at + 2).min(end)),
            '[' => self.set(at, end).map(|(_, next)| next),
            _ => Ok(at + 1),
        }
    }

    /// `[a-z]`, `[^a]`; a `]` directly behind the opening stands for itself.
    fn set(&self, open: usize, end: usize) -> Result<(Set, usize), BadPattern> {
        let negated = self.is('^', open + 1);
        let first = open + 1 + usize::from(negated);
        if self.is('!', first) && !negated {
            return Err(BadPattern::NegatedSet);
        }
        let last = (first + 1..end).find(|at| self.is(']', *at)).ok_or(BadPattern::Unclosed)?;
        let mut inside = &self.chars[first..last];
        let known = |c: &char| !matches!(c, '[' | '\\' | '"') && c.len_utf16() == 1;
        let mut ranges = Vec::new();
        if !inside.iter().all(known) {
            return Err(BadPattern::Set);
        }
        while let [from, rest @ ..] = inside {
            let (to, rest) = match rest {
                ['-', to, rest @ ..] => (to, rest),
                rest => (from, rest),
            };
            if from > to {
                return Err(BadPattern::Set);
            }
            ranges.push((*from, *to));
            inside = rest;
        }
        Ok((Set { negated, ranges }, last + 1))
    }
}

impl Place {
    /// Why there is no group here.
    fn refusal(self) -> BadPattern {
        if self == Self::Excluded { BadPattern::Excluded } else { BadPattern::Repeated }
    }
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}
