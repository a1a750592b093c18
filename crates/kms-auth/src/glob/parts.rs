//! What a pattern is made of.

/// A pattern that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub(super) Vec<Node>);

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Atom(Atom),
    /// `{a,b}`, `@(a|b)`; `?(a|b)` is optional.
    Group {
        optional: bool,
        sequences: Vec<Vec<Node>>,
    },
    /// `*(a|b)` and `+(a|b)`.
    Repeat {
        at_least_once: bool,
        sequences: Vec<Vec<Atom>>,
    },
    /// `!(a|b)`
    Not {
        /// At the beginning of a segment of the pattern.
        first: bool,
        /// At the end of the pattern. Elsewhere the compatible server excludes whatever begins
        /// with one of the texts.
        last: bool,
        /// Some of the texts are of several segments; at the end, what is taken is so too.
        paths: bool,
        sequences: Vec<Vec<Atom>>,
    },
}

/// A part of a pattern that holds no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Atom {
    /// A UTF-16 code unit, which is what the compatible server counts in.
    Unit(u16),
    /// `?`, in a segment of the pattern that it begins or not.
    Any {
        first: bool,
    },
    Set(Set),
    Star(Star),
    /// Takes nothing, and holds where something is that is no leading dot: `*` begins a segment.
    Begins,
    /// Takes nothing, and holds where no dot is: `**` begins.
    NoDot,
    /// Takes nothing, and holds where a name goes on behind a dot: `*` follows one.
    GoesOn,
}

/// Any number of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Star {
    /// `*`: of one segment, or of several if it crosses.
    Single,
    /// `**`: of several, none of which begins with a dot.
    Segments,
    /// `*` in what is excluded: also a leading dot.
    Excluded,
}

/// `[…]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) negated: bool,
    /// First and last character of each.
    pub(super) ranges: Vec<(char, char)>,
}

impl Set {
    pub(super) fn holds(&self, unit: u16) -> bool {
        let unit = u32::from(unit);
        let within =
            |(from, to): &(char, char)| (u32::from(*from)..=u32::from(*to)).contains(&unit);
        self.negated != self.ranges.iter().any(within)
    }
}

impl Pattern {
    /// Whether every text that matches holds a letter or digit that the pattern names; `*:*` and
    /// `!(a)` name none.
    pub(crate) fn limits(&self) -> bool {
        self.0.iter().any(names)
    }
}

/// Whether what matches holds a letter or digit that is named here.
fn names(node: &Node) -> bool {
    let named = |atom: &Atom| match atom {
        Atom::Unit(unit) => char::from_u32(u32::from(*unit)).is_none_or(char::is_alphanumeric),
        _ => false,
    };
    match node {
        Node::Atom(atom) => named(atom),
        Node::Group { optional, sequences } => {
            !optional && sequences.iter().all(|nodes| nodes.iter().any(names))
        }
        Node::Repeat { at_least_once, sequences } => {
            *at_least_once && sequences.iter().all(|atoms| atoms.iter().any(named))
        }
        Node::Not { .. } => false,
    }
}
