//! Reading a pattern.

/// The longest pattern, in characters.
const MAX_PATTERN: usize = 512;
/// How deep groups may be nested.
const MAX_DEPTH: usize = 4;

/// A pattern that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub(super) Vec<Node>);

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// It is too long.
    #[error("Must have at most 512 characters")]
    TooLong,
    /// It would take long to match.
    #[error("Must not nest groups more than four deep, nor repeat or negate inside a repetition")]
    TooDeep,
    /// It begins with `!`.
    #[error("Must not begin with `!`, which would admit everything else; write `!(…)` or `\\!`")]
    Negated,
    /// It holds a range in braces.
    #[error("Must not hold a range in braces such as `{{1..3}}`")]
    BraceRange,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Literal(char),
    /// `?`
    Any {
        first: bool,
    },
    Set(Set),
    /// `*`; `first` when it begins a segment of the pattern.
    Star {
        first: bool,
    },
    /// `**` as a whole segment.
    Segments,
    Group(Repeat, Vec<Vec<Node>>),
    /// `!(…)`
    Not {
        first: bool,
        sequences: Vec<Vec<Node>>,
    },
}

/// How often a group is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    One,
    Optional,
    Many,
    Some,
}

/// `[…]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Set {
    pub(super) fn holds(&self, c: char) -> bool {
        self.negated != self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&c))
    }
}

impl Pattern {
    /// Reads a pattern. Brackets, braces and parentheses that do not close stand for themselves.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let chars: Vec<char> = text.chars().collect();
        if chars.len() > MAX_PATTERN {
            return Err(BadPattern::TooLong);
        }
        if chars.first() == Some(&'!') && chars.get(1) != Some(&'(') {
            return Err(BadPattern::Negated);
        }
        let within = Within { depth: 0, repeated: false, first: true };
        Parser { chars: &chars }.sequence(0, chars.len(), within).map(Self)
    }
}

/// Where a part of a pattern stands.
#[derive(Clone, Copy)]
struct Within {
    depth: usize,
    /// Inside of `*(…)` or `+(…)`.
    repeated: bool,
    /// At the beginning of a segment.
    first: bool,
}

struct Parser<'p> {
    chars: &'p [char],
}

impl Parser<'_> {
    fn sequence(&self, start: usize, end: usize, within: Within) -> Result<Vec<Node>, BadPattern> {
        let mut nodes = Vec::new();
        let mut at = start;
        let mut first = within.first;
        while at < end {
            let here = Within { first, ..within };
            let (node, next) = self.node(at, start, end, here)?;
            nodes.push(node);
            first = self.chars[next - 1] == '/';
            at = next;
        }
        Ok(nodes)
    }

    /// The part that begins at a position, and where the next one begins.
    fn node(
        &self,
        at: usize,
        start: usize,
        end: usize,
        within: Within,
    ) -> Result<(Node, usize), BadPattern> {
        let c = self.chars[at];
        let opens = self.chars[..end].get(at + 1) == Some(&'(');
        if opens
            && "@?*+!".contains(c)
            && let Some(close) = self.close(at + 1, end, ('(', ')'))
        {
            let node = self.extended(c, (at + 2, close), within)?;
            return Ok((node, close + 1));
        }
        let first = within.first;
        match c {
            '\\' if at + 1 < end => Ok((Node::Literal(self.chars[at + 1]), at + 2)),
            '?' => Ok((Node::Any { first }, at + 1)),
            '*' => Ok(self.stars(at, start, end, first)),
            '[' => Ok(self.set(at, end).unwrap_or((Node::Literal('['), at + 1))),
            '{' => match self.close(at, end, ('{', '}')) {
                Some(close) => self.braces((at + 1, close), within),
                None => Ok((Node::Literal('{'), at + 1)),
            },
            _ => Ok((Node::Literal(c), at + 1)),
        }
    }

    /// One or more stars: `**` crosses segments only if it is one.
    fn stars(&self, at: usize, start: usize, end: usize, first: bool) -> (Node, usize) {
        let count = self.chars[at..end].iter().take_while(|c| **c == '*').count();
        // The last star of several may open a group.
        let opens = count > 1 && self.chars[..end].get(at + count) == Some(&'(');
        let count = if opens { count - 1 } else { count };
        let next = at + count;
        let begins = at == start && first || at > start && self.chars[at - 1] == '/';
        let ends = next == end || self.chars[next] == '/';
        if count == 2 && begins && ends {
            // `a/**/b` is also `a/b`: the slash that follows belongs to the segments.
            let followed = next < end;
            let node = if followed {
                let segments = vec![Node::Segments, Node::Literal('/')];
                Node::Group(Repeat::Optional, vec![segments])
            } else {
                Node::Segments
            };
            return (node, if followed { next + 1 } else { next });
        }
        (Node::Star { first }, next)
    }

    /// `@(a|b)` and its relatives, between the parentheses.
    fn extended(
        &self,
        kind: char,
        (start, end): (usize, usize),
        within: Within,
    ) -> Result<Node, BadPattern> {
        let repeats = "*+".contains(kind);
        if within.repeated && (repeats || kind == '!') {
            return Err(BadPattern::TooDeep);
        }
        let inner = Within { repeated: within.repeated || repeats, ..within };
        let sequences = self.alternatives((start, end), '|', inner)?;
        Ok(match kind {
            '@' => Node::Group(Repeat::One, sequences),
            '?' => Node::Group(Repeat::Optional, sequences),
            '*' => Node::Group(Repeat::Many, sequences),
            '+' => Node::Group(Repeat::Some, sequences),
            _ => Node::Not { first: within.first, sequences },
        })
    }

    /// `{a,b}`, between the braces; without a comma the braces stand for themselves.
    fn braces(
        &self,
        (start, end): (usize, usize),
        within: Within,
    ) -> Result<(Node, usize), BadPattern> {
        let inside = &self.chars[start..end];
        if self.split((start, end), ',').len() < 2 {
            if inside.windows(2).any(|pair| pair == ['.', '.']) {
                return Err(BadPattern::BraceRange);
            }
            return Ok((Node::Literal('{'), start));
        }
        let sequences = self.alternatives((start, end), ',', within)?;
        Ok((Node::Group(Repeat::One, sequences), end + 1))
    }

    fn alternatives(
        &self,
        range: (usize, usize),
        separator: char,
        within: Within,
    ) -> Result<Vec<Vec<Node>>, BadPattern> {
        if within.depth == MAX_DEPTH {
            return Err(BadPattern::TooDeep);
        }
        let within = Within { depth: within.depth + 1, ..within };
        let parts = self.split(range, separator).into_iter();
        parts.map(|(start, end)| self.sequence(start, end, within)).collect()
    }

    /// The parts between separators that are not inside a group of their own.
    fn split(&self, (start, end): (usize, usize), separator: char) -> Vec<(usize, usize)> {
        let mut parts = Vec::new();
        let (mut from, mut at) = (start, start);
        while at < end {
            let c = self.chars[at];
            if c == separator {
                parts.push((from, at));
                from = at + 1;
            }
            at = self.past(at, end);
        }
        parts.push((from, end));
        parts
    }

    /// The position behind a character, an escaped one, or a whole group.
    fn past(&self, at: usize, end: usize) -> usize {
        let group = match self.chars[at] {
            '\\' => return (at + 2).min(end),
            '(' => self.close(at, end, ('(', ')')),
            '{' => self.close(at, end, ('{', '}')),
            '[' => return self.set(at, end).map_or(at + 1, |(_, next)| next),
            _ => None,
        };
        group.map_or(at + 1, |close| close + 1)
    }

    /// Where the group that opens here closes.
    fn close(&self, open: usize, end: usize, (opening, closing): (char, char)) -> Option<usize> {
        let mut depth = 0_usize;
        let mut at = open;
        while at < end {
            let c = self.chars[at];
            if c == '\\' {
                at += 1;
            } else if c == '['
                && let Some((_, next)) = self.set(at, end)
            {
                at = next - 1;
            } else if c == opening {
                depth += 1;
            } else if c == closing {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            at += 1;
        }
        None
    }

    /// `[a-z]`, `[!a]`, `[^a]`; a `]` directly behind the opening stands for itself.
    fn set(&self, open: usize, end: usize) -> Option<(Node, usize)> {
        let mut at = open + 1;
        let negated = at < end && matches!(self.chars[at], '!' | '^');
        if negated {
            at += 1;
        }
        let first = at;
        let mut ranges = Vec::new();
        while at < end {
            let mut c = self.chars[at];
            if c == ']' && at > first {
                return Some((Node::Set(Set { negated, ranges }), at + 1));
            }
            if c == '\\' && at + 1 < end {
                at += 1;
                c = self.chars[at];
            }
            let to = self.chars.get(at + 2).filter(|to| at + 2 < end && **to != ']');
            match to {
                Some(to) if self.chars[at + 1] == '-' => {
                    ranges.push((c, *to));
                    at += 3;
                }
                _ => {
                    ranges.push((c, c));
                    at += 1;
                }
            }
        }
        None
    }
}
