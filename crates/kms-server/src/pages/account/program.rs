//! What a program is called for people, by what it says it is.

/// Longest name that is shown of a program that we do not know, in characters.
const LONGEST: usize = 60;

/// Marks of browsers, the more specific first: most say that they are others, too.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Marks of what they run on, in the same order.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// A program's name for people.
pub(super) fn name(user_agent: Option<&str>) -> String {
    let Some(text) = user_agent.map(str::trim).filter(|text| !text.is_empty()) else {
        return "Unknown program".into();
    };
    let product = text.split_whitespace().next().unwrap_or_default();
    if let Some(version) = product.strip_prefix("kms-cli/") {
        return format!("kms {version}");
    }
    let marked = |marks: &[(&str, &'static str)]| {
        marks.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name)
    };
    match (product.starts_with("Mozilla/"), marked(&BROWSERS), marked(&SYSTEMS)) {
        (true, Some(browser), Some(system)) => format!("{browser} on {system}"),
        (true, Some(browser), None) => browser.into(),
        _ => text.chars().filter(|character| !character.is_control()).take(LONGEST).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_have_the_names_that_people_know_them_by() {
        let linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)";
        let cases = [
            ("kms-cli/0.1.0", "kms 0.1.0"),
            (&format!("{linux} Chrome/140.0.0.0 Safari/537.36"), "Chrome on Linux"),
            (&format!("{linux} Chrome/140.0.0.0 Safari/537.36 Edg/140.0"), "Edge on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; rv:143.0) Gecko/20100101 Firefox/143.0",
                "Firefox on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like \
              Gecko) Version/18.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, \
              like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.14.1", "curl/8.14.1"),
            ("", "Unknown program"),
        ];
        for (text, expected) in cases {
            assert_eq!(name(Some(text)), expected, "{text}");
        }
        assert_eq!(name(None), "Unknown program");
        assert_eq!(name(Some(&"x".repeat(500))).len(), LONGEST);
    }
}
