//! Patterns, held against examples and against a slow matcher that is obviously right.

use proptest::{prelude::*, test_runner::Config};

use super::{
    Pattern, Stars, matches,
    parse::{BadPattern, Node, Repeat},
};

#[test]
fn examples_of_the_contract_hold() {
    let cases = [
        // pattern, text, within segments, across segments
        ("a*", "ab", true, true),
        ("a*", "a/b", false, true),
        ("*", "abc", true, true),
        ("*", "a/b", false, true),
        ("*", ".hidden", false, false),
        ("a/*", "a/.hidden", false, false),
        ("a/*", "a/", false, true),
        ("**", "a/b/c", true, true),
        ("**", "a/.b/c", false, false),
        ("a/**", "a/b/c", true, true),
        ("a/**/c", "a/c", true, true),
        ("a/**/c", "a/x/y/c", true, true),
        ("a/**/c", "a/.x/c", false, false),
        ("**/c", "c", true, true),
        ("**/*.c", "x/y.c", true, true),
        ("a:**", "a:b/c", false, true),
        ("?", "a", true, true),
        ("?", "/", false, false),
        ("?", ".", false, false),
        ("a?c", "a.c", true, true),
        ("[abc]", "b", true, true),
        ("[!abc]", "b", false, false),
        ("[!abc]", "/", false, false),
        ("[a-c]x", "bx", true, true),
        ("[]x]", "]", true, true),
        ("[a", "[a", true, true),
        ("{a,b}c", "bc", true, true),
        ("{a,{b,c}d}", "cd", true, true),
        ("{a}", "{a}", true, true),
        ("{a}", "a", false, false),
        ("@(a|b)", "b", true, true),
        ("?(a)b", "b", true, true),
        ("*(ab)c", "ababc", true, true),
        ("+(ab)c", "c", false, false),
        ("!(a)", "b", true, true),
        ("!(a)", "a", false, false),
        ("!(a)", "ab", true, true),
        ("!(a|b)c", "xc", true, true),
        ("!(a|b)c", "ac", false, false),
        ("a\\*", "a*", true, true),
        ("a\\*", "ab", false, false),
        ("repo:octo-org/*:ref:refs/heads/main", "repo:octo-org/r:ref:refs/heads/main", true, true),
        ("repo:octo-org/*", "repo:octo-org/r:ref:refs/heads/main", false, true),
        ("repo:octo-org/**", "repo:octo-org/r:ref:refs/heads/main", true, true),
        ("repo:octo-org/r:*", "repo:octo-org/r:environment:prod", true, true),
        ("repo:octo-org/r:*", "repo:octo-org/rx:environment:prod", false, false),
        ("system:serviceaccount:ns:*", "system:serviceaccount:ns:app", true, true),
        ("ä*", "äö", true, true),
        ("a", "а", false, false),
        ("", "", true, true),
        ("*", "", false, false),
    ];
    for (pattern, text, stop, cross) in cases {
        assert_eq!(matches(pattern, text, Stars::Stop), stop, "`{pattern}` `{text}` stop");
        assert_eq!(matches(pattern, text, Stars::Cross), cross, "`{pattern}` `{text}` cross");
    }
}

#[test]
fn what_is_dangerous_or_unclear_is_not_a_pattern() {
    let of = |text: &str| Pattern::parse(text).err();
    assert_eq!(of("!a"), Some(BadPattern::Negated));
    assert_eq!(of("!"), Some(BadPattern::Negated));
    assert_eq!(of("\\!a"), None);
    assert_eq!(of("{1..3}"), Some(BadPattern::BraceRange));
    assert_eq!(of("*(a+(b))"), Some(BadPattern::TooDeep));
    assert_eq!(of("+(!(b))"), Some(BadPattern::TooDeep));
    assert_eq!(of("@(@(@(@(@(a)))))"), Some(BadPattern::TooDeep));
    assert_eq!(of(&"a".repeat(513)), Some(BadPattern::TooLong));
    // What is not a pattern still equals itself, and nothing else.
    assert!(matches("!a", "!a", Stars::Stop) && !matches("!a", "b", Stars::Stop));
}

#[test]
fn no_pattern_takes_long() {
    let text = "a".repeat(512);
    let start = std::time::Instant::now();
    for pattern in ["*a".repeat(255), format!("+({}|a)b", "a".repeat(500)), "*(a|aa)".repeat(70)] {
        assert!(!matches(&format!("{pattern}!"), &text, Stars::Stop));
    }
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    assert!(!matches("*", &"a".repeat(513), Stars::Stop));
}

/// Matches by trying everything, from left to right, with the rest of the pattern as a function.
fn slow(
    nodes: &[Node],
    text: &[char],
    at: usize,
    stars: Stars,
    rest: &dyn Fn(usize) -> bool,
) -> bool {
    let Some((node, others)) = nodes.split_first() else { return rest(at) };
    let others = |at: usize| slow(others, text, at, stars, rest);
    let begins = at == 0 || text[at - 1] == '/';
    let c = text.get(at).copied();
    let any = |sequences: &[Vec<Node>], rest: &dyn Fn(usize) -> bool| {
        sequences.iter().any(|sequence| slow(sequence, text, at, stars, rest))
    };
    match node {
        Node::Literal(literal) => c == Some(*literal) && others(at + 1),
        Node::Any { first } => {
            c.is_some_and(|c| c != '/' && (c != '.' || !(*first || begins))) && others(at + 1)
        }
        Node::Set(set) => c.is_some_and(|c| c != '/' && set.holds(c)) && others(at + 1),
        Node::Star { first } => slow_star(*first, text, at, stars, &others),
        Node::Segments => {
            for end in at..=text.len() {
                if others(end) {
                    return true;
                }
                let Some(c) = text.get(end) else { break };
                let begins = end == 0 || text[end - 1] == '/';
                if *c == '.' && begins || *c == '/' && text.get(end + 1) == Some(&'.') {
                    break;
                }
            }
            false
        }
        Node::Group(Repeat::One, sequences) => any(sequences, &others),
        Node::Group(Repeat::Optional, sequences) => others(at) || any(sequences, &others),
        Node::Group(Repeat::Many, sequences) => {
            others(at) || any(sequences, &|end| end > at && slow(nodes, text, end, stars, rest))
        }
        Node::Group(Repeat::Some, sequences) => any(sequences, &|end| {
            let many = [Node::Group(Repeat::Many, sequences.clone())];
            slow(&many, text, end, stars, &others)
        }),
        Node::Not { first, sequences } => {
            !any(sequences, &others) && slow_star(*first, text, at, stars, &others)
        }
    }
}

fn slow_star(
    first: bool,
    text: &[char],
    at: usize,
    stars: Stars,
    rest: &dyn Fn(usize) -> bool,
) -> bool {
    let here = text.get(at);
    if first && (here == Some(&'.') || stars == Stars::Stop && here.is_none_or(|c| *c == '/')) {
        return false;
    }
    (at..=text.len())
        .take_while(|end| stars == Stars::Cross || !text[at..*end].contains(&'/'))
        .any(rest)
}

proptest! {
    #![proptest_config(Config { cases: 100_000, ..Config::default() })]

    #[test]
    fn j8_the_matcher_agrees_with_trying_everything(
        pattern in "(\\*|\\?|a|b|/|\\.|\\[ab\\]|\\[!a\\]|\\*\\*|\\{a,b\\}|\\{,a/b\\}|!\\(a\\)|!\\(a\\|b/\\)|\\*\\(a\\)|\\+\\(ab\\|a\\)|\\?\\(b\\)|@\\(a\\|\\*\\)|/\\*\\*/){0,6}",
        text in "[ab/.]{1,8}",
        cross in any::<bool>(),
    ) {
        let stars = if cross { Stars::Cross } else { Stars::Stop };
        if let Ok(parsed) = Pattern::parse(&pattern) {
            let chars: Vec<char> = text.chars().collect();
            let expected = slow(&parsed.0, &chars, 0, stars, &|at| at == chars.len());
            prop_assert_eq!(parsed.matches(&text, stars), expected, "{} {}", pattern, text);
        }
    }
}
