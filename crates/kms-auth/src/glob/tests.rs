//! Patterns, held against examples and against a slow matcher that is obviously right.

use proptest::{prelude::*, test_runner::Config};

use super::{
    Pattern, Rule, Stars,
    error::BadPattern,
    literal,
    parts::{Atom, Node, Star},
};

fn matches(pattern: &str, text: &str, stars: Stars) -> bool {
    Rule::new(pattern, stars).admits(text)
}

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
        ("a/*", "a/", false, false),
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
        ("[^abc]", "b", false, false),
        ("[^abc]", "d", true, true),
        ("[^abc]", "/", false, false),
        ("[a-c]x", "bx", true, true),
        ("[]x]", "]", true, true),
        ("[a", "[a", true, true),
        ("[!a]", "!", false, false),
        ("[!a]", "b", false, false),
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
        ("!(a|b)c", "axc", false, false),
        ("!(a)", "b/c", false, true),
        ("!(a/b)", "a/c", true, true),
        ("!(a/b)", "a/b", false, false),
        ("!(main|release-*)", "dev", true, true),
        ("!(main|release-*)", "release-1", false, false),
        ("refs/!(tags)/x", "refs/heads/x", true, true),
        ("@(a.*)", "a.", false, false),
        ("@(a.*)", "a.b", true, true),
        ("*.*", "a.", false, false),
        ("/**/b", "/b", false, false),
        ("/**/b", "/a/b", true, true),
        ("{a/**,b}", "a/x/y", true, true),
        ("auth0|*", "auth0|5", true, true),
        ("auth0|5", "5", false, false),
        ("DOMAIN\\user", "DOMAINuser", false, false),
        ("?", "😀", false, false),
        ("??", "😀", true, true),
        ("!(??)", "😀", false, false),
        ("a*", "a\n", false, false),
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
    for (text, expected) in [
        ("!a", BadPattern::Negated),
        ("!", BadPattern::Negated),
        ("!!(a)", BadPattern::Negated),
        ("./*", BadPattern::Here),
        ("{1..3}", BadPattern::BraceRange),
        ("{a,..}", BadPattern::BraceRange),
        ("{a}*", BadPattern::Braces),
        ("*{a", BadPattern::Unclosed),
        ("@(a", BadPattern::Unclosed),
        ("@(a{b)}", BadPattern::Unclosed),
        ("[a", BadPattern::Unclosed),
        ("[]", BadPattern::Unclosed),
        ("[!a]", BadPattern::NegatedSet),
        ("[z-a]", BadPattern::Set),
        ("[\\d]", BadPattern::Set),
        ("[[:alpha:]]", BadPattern::Set),
        ("[😀]", BadPattern::Set),
        ("*\\d", BadPattern::Escape),
        ("*\\", BadPattern::Escape),
        ("(a)*", BadPattern::Ambiguous),
        ("a|b/*", BadPattern::Ambiguous),
        ("*|b", BadPattern::Ambiguous),
        ("a||*", BadPattern::Ambiguous),
        ("a$$*", BadPattern::Ambiguous),
        ("[ab]+", BadPattern::Ambiguous),
        ("{+a,b}", BadPattern::Ambiguous),
        ("@(a)?", BadPattern::Ambiguous),
        ("@(?a)", BadPattern::Ambiguous),
        ("\"*", BadPattern::Ambiguous),
        ("@({a|b,c})", BadPattern::Ambiguous),
        ("***", BadPattern::Stars),
        ("@(a/**)", BadPattern::Stars),
        ("**@(a)", BadPattern::Stars),
        ("**(a)", BadPattern::Stars),
        ("*(a)**", BadPattern::Stars),
        ("*(a+(b))", BadPattern::Repeated),
        ("*({a,b})", BadPattern::Repeated),
        ("+(!(b))", BadPattern::Repeated),
        ("*(a|)", BadPattern::Repeated),
        ("*(a|*)", BadPattern::Repeated),
        ("+(a|aa)", BadPattern::Repeated),
        ("+(a|\\*|\\**)", BadPattern::Repeated),
        ("!([ab])", BadPattern::Excluded),
        ("!(@(a))", BadPattern::Excluded),
        ("!({a,b})", BadPattern::Excluded),
        ("@(@(@(@(@(a)))))", BadPattern::TooDeep),
        ("a\u{7}*", BadPattern::Control),
        ("a".repeat(513).as_str(), BadPattern::TooLong),
    ] {
        assert_eq!(Pattern::parse(text), Err(expected), "`{text}`");
        // What is not a pattern still equals itself, and nothing else.
        assert!(matches(text, text, Stars::Stop) && !matches(text, "b", Stars::Cross), "`{text}`");
    }
    for text in ["\\!a", "a+b", "a|b", "a (b)", "a@b.c", "\\{a\\}", "a\\b", "$a^"] {
        assert!(Pattern::parse(text).is_ok(), "`{text}`");
    }
}

#[test]
fn t4_a_literal_matches_itself_wherever_it_stands() {
    let texts = (' '..='~').map(String::from).chain(
        ["0190a6e2-7b1c", "ada.b+c@x.test", "a*", "**", "!(a)", "[a]", "$$", "ä€😀"]
            .map(str::to_owned),
    );
    for text in texts {
        let Some(escaped) = literal(&text) else {
            assert_eq!(text, "\\");
            continue;
        };
        for (before, after) in [("", ""), ("x*", ""), ("", "*"), ("?", "[y]")] {
            let pattern = Pattern::parse(&format!("{before}{escaped}{after}")).unwrap();
            let around = |text: &str| {
                format!("{}{text}{}", before.replace(['*', '?'], "x"), after.replace("[y]", "y"))
            };
            let whole = around(&text);
            assert!(pattern.matches(&whole, Stars::Stop), "{before}{escaped}{after} {whole}");
            let other = around("§");
            assert!(!pattern.matches(&other, Stars::Stop), "{before}{escaped}{after} {other}");
        }
    }
    for none in ["a\\b", "a\nb", "a\u{2028}", "\u{2029}"] {
        assert_eq!(literal(none), None);
    }
}

#[test]
fn only_what_is_named_limits() {
    let limits = |text: &str| Pattern::parse(text).unwrap().limits();
    for text in ["a", "*a", "{a,b}*", "@(a|b*)", "+(a)", "repo:*", "ä"] {
        assert!(limits(text), "`{text}`");
    }
    for text in ["*", "**/*", "?*", "*:*", "!(a)", "*(a)", "?(a)*", "{a,*}", "[^a]*", "[a-z]*"] {
        assert!(!limits(text), "`{text}`");
    }
}

#[test]
fn j10_no_pattern_takes_long() {
    let text = "a".repeat(512);
    let start = std::time::Instant::now();
    let patterns = [
        "*a".repeat(255) + "!",
        format!("+({}|a)c", "a*".repeat(250)),
        "*(a|*b)".repeat(72) + "c",
        "!(*a*a*a*a)".repeat(46),
        format!("+({})c", "*a".repeat(250)),
        "@(*|@(*|@(*|@(*|a))))".repeat(24) + "c",
        "{*,{*,{*,{*,a}}}}".repeat(30) + "c",
        "{".repeat(512),
        "@(".repeat(256),
        "[".repeat(512),
    ];
    for pattern in &patterns {
        for stars in [Stars::Stop, Stars::Cross] {
            assert!(!matches(pattern, &text, stars), "`{pattern}`");
        }
    }
    // Some milliseconds each; what backtracks would need longer than the universe has been there.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    assert!(!matches("*", &"a".repeat(513), Stars::Stop));
}

/// Matches by trying everything, from left to right, with the rest of the pattern as a function.
struct Slow<'t> {
    text: &'t [u16],
    stars: Stars,
}

type Rest<'r> = &'r dyn Fn(usize) -> bool;

impl Slow<'_> {
    fn nodes(&self, nodes: &[Node], at: usize, rest: Rest<'_>) -> bool {
        let Some((node, others)) = nodes.split_first() else { return rest(at) };
        let others = |at: usize| self.nodes(others, at, rest);
        match node {
            Node::Atom(atom) => self.atoms(std::slice::from_ref(atom), at, &others),
            Node::Group { optional, sequences } => {
                *optional && others(at)
                    || sequences.iter().any(|nodes| self.nodes(nodes, at, &others))
            }
            Node::Repeat { at_least_once, sequences } => {
                let again = |end: usize| {
                    let node = Node::Repeat { at_least_once: false, sequences: sequences.clone() };
                    end == at && others(at) || end > at && self.nodes(&[node], end, &others)
                };
                !*at_least_once && others(at)
                    || sequences.iter().any(|atoms| self.atoms(atoms, at, &again))
            }
            Node::Not { first, last, paths, sequences } => {
                let end = |at: usize| !*last || at == self.text.len();
                let excluded = sequences.iter().any(|atoms| self.atoms(atoms, at, &end));
                let begins = !*first || self.atoms(&[Atom::Begins], at, &|_| true);
                let crosses = *last && (*paths || self.stars == Stars::Cross);
                let stars = if crosses { Stars::Cross } else { Stars::Stop };
                let dotted = self.c(at) == Some('.') && self.starts(at);
                let star = [Atom::Star(Star::Single)];
                !excluded && begins && !dotted && Slow { stars, ..*self }.atoms(&star, at, &others)
            }
        }
    }

    fn atoms(&self, atoms: &[Atom], at: usize, rest: Rest<'_>) -> bool {
        let Some((atom, others)) = atoms.split_first() else { return rest(at) };
        let others = |at: usize| self.atoms(others, at, rest);
        let c = self.c(at);
        let ends = |c: Option<char>| c.is_none_or(|c| c == '/');
        let one = |takes: bool| takes && others(at + 1);
        match atom {
            Atom::Unit(unit) => one(self.text.get(at) == Some(unit)),
            Atom::Any { first } => one(c.is_some_and(|c| c != '/' && !(*first && c == '.'))),
            Atom::Set(set) => one(c.is_some_and(|c| c != '/' && set.holds(self.text[at]))),
            Atom::NoDot => c != Some('.') && others(at),
            Atom::Begins => {
                let crosses = self.stars == Stars::Cross && c == Some('/');
                c != Some('.') && (!ends(c) || crosses) && others(at)
            }
            Atom::GoesOn => {
                let stops = ends(c) || c == Some('.') && ends(self.c(at + 1));
                !stops && others(at)
            }
            Atom::Star(star) => (at..=self.text.len())
                .take_while(|end| (at..*end).all(|at| self.star(*star, at)))
                .any(others),
        }
    }

    fn star(&self, star: Star, at: usize) -> bool {
        let slash = self.c(at) == Some('/');
        let crosses = self.stars == Stars::Cross;
        let dotted = self.c(at) == Some('.') && self.starts(at);
        let undotted = !(dotted || slash && self.c(at + 1) == Some('.'));
        match star {
            Star::Segments => undotted,
            Star::Single if crosses => undotted,
            Star::Single => !slash,
            Star::Excluded => crosses || !slash,
        }
    }

    fn c(&self, at: usize) -> Option<char> {
        self.text.get(at).and_then(|unit| char::from_u32(u32::from(*unit)))
    }

    fn starts(&self, at: usize) -> bool {
        at == 0 || self.c(at - 1) == Some('/')
    }
}

proptest! {
    #![proptest_config(Config { cases: 100_000, ..Config::default() })]

    #[test]
    fn j8_the_matcher_agrees_with_trying_everything(
        pattern in "(\\*|\\?|a|b|/|\\.|\\[ab\\]|\\[\\^a\\]|\\{a,b\\}|\\{,a/b\\}|!\\(a\\)|!\\(a\\|b/\\)|\\*\\(a\\)|\\+\\(ab\\|a\\)|\\*\\(\\*\\)|\\?\\(b\\)|@\\(a\\|\\*\\)|/\\*\\*/){0,6}",
        text in "[ab/.]{1,8}",
        cross in any::<bool>(),
    ) {
        let stars = if cross { Stars::Cross } else { Stars::Stop };
        if let Ok(parsed) = Pattern::parse(&pattern) {
            let units: Vec<u16> = text.encode_utf16().collect();
            let slow = Slow { text: &units, stars };
            let expected = slow.nodes(&parsed.0, 0, &|at| at == units.len());
            prop_assert_eq!(parsed.matches(&text, stars), expected, "{} {}", pattern, text);
        }
    }
}

#[test]
fn no_pattern_admits_more_than_the_matcher_of_the_compatible_server() {
    let (mut wider, mut narrower, mut admitted) = (Vec::new(), 0, 0);
    let cases = include_str!("picomatch.tsv").lines().filter(|line| !line.starts_with('#'));
    for case in cases {
        let fields: Vec<&str> = case.split('\t').collect();
        let [pattern, text, expected] = fields[..] else { panic!("{case}") };
        for (stars, expected) in [Stars::Stop, Stars::Cross].into_iter().zip(expected.chars()) {
            let admits = matches(pattern, text, stars);
            if admits && expected == '0' {
                wider.push((pattern, text, stars));
            }
            admitted += usize::from(admits);
            narrower += usize::from(!admits && expected == '1' && Pattern::parse(pattern).is_ok());
        }
    }
    assert!(wider.is_empty(), "{wider:?}");
    // What is read as a pattern is rarely narrower: leading dots, slashes at the end.
    assert!(admitted > 2_000 && narrower < admitted / 4, "{admitted} {narrower}");
}
