//! Why a text is not a pattern, for whoever writes it.

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it is, for whoever writes a pattern")]
pub enum BadPattern {
    #[error("Must have at most 512 characters")]
    TooLong,
    #[error("Must not hold control characters")]
    Control,
    #[error("Must not nest groups more than four deep")]
    TooDeep,
    #[error("Must not begin with `!`, which would admit everything else; write `!(…)` or `\\!`")]
    Negated,
    #[error("Must not begin with `./`")]
    Here,
    #[error("Must hold braces around alternatives such as `{{a,b}}`; write `\\{{` for a brace")]
    Braces,
    #[error("Must not hold `..` between braces")]
    BraceRange,
    #[error("Must close each `[`, `{{` and `(`; write `\\[` for a bracket")]
    Unclosed,
    #[error("Must not begin a set with `!`, which would be one of its characters; write `[^…]`")]
    NegatedSet,
    #[error("Must hold sets such as `[a-z0-9]`, with ranges that rise, without `[` and `\\`")]
    Set,
    #[error("Must hold `\\` only before one of * ? [ ] {{ }} ( ) ! + @ | $ ^ \"")]
    Escape,
    #[error(
        "Must hold ( ) [ ] {{ }} | \" only for groups and sets, + not in a group or behind one, ? \
         not beside a parenthesis, $ and ^ only once in a row; write `\\` before one that stands \
         for itself"
    )]
    Ambiguous,
    #[error("Must hold `**` as a whole segment between slashes, and not in parentheses")]
    Stars,
    #[error(
        "Must hold no group inside `*(…)` and `+(…)`, and alternatives there that are neither \
         empty, nor stars alone, nor the same character more or less often"
    )]
    Repeated,
    #[error("Must hold only texts, `*` and `?` inside `!(…)`")]
    Excluded,
}
