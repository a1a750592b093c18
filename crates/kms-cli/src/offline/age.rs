//! Ages, as people write and read them.

/// Reads a number and a unit (`s`, `m`, `h` or `d`) as seconds.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    let rule = "an age is a number and a unit, such as 90s, 15m, 12h or 7d";
    let (number, unit) =
        text.trim().split_at_checked(text.trim().len().saturating_sub(1)).ok_or(rule)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(rule.into()),
    };
    let number: u32 = number.parse().map_err(|_| rule)?;
    i64::from(number).checked_mul(seconds).ok_or_else(|| rule.into())
}

/// How long ago something was, in one unit.
pub(super) fn ago(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..60 => return "less than a minute ago".into(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_numbers_with_a_unit() {
        for (text, seconds) in
            [("0s", 0), ("90s", 90), (" 15m ", 900), ("12h", 43_200), ("7d", 604_800)]
        {
            assert_eq!(parse(text), Ok(seconds), "{text}");
        }
        for text in ["", "s", "7", "7w", "-1s", "1.5h", "99999999999d", "7\u{e4}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn people_read_one_unit() {
        for (seconds, text) in [
            (-5, "less than a minute ago"),
            (59, "less than a minute ago"),
            (60, "1 minute ago"),
            (7_300, "2 hours ago"),
            (90_000, "1 day ago"),
            (600_000, "6 days ago"),
        ] {
            assert_eq!(ago(seconds), text);
        }
    }
}
