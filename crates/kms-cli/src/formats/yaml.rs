//! One map whose every name and value a YAML 1.1 or 1.2 reader reads back as that string.
//!
//! What YAML 1.1 takes for something else (`yes`, `0x1F`, `1:30`, dates, `=`) stands in double
//! quotes, values with line breaks in literal blocks; long values are not folded. Everything
//! can be carried, NUL and other control characters by escapes.

use std::collections::BTreeMap;

use secrecy::zeroize::Zeroizing;

use super::Pair;

pub(super) fn write(pairs: &[Pair<'_>]) -> Zeroizing<String> {
    let map: BTreeMap<&str, &str> = pairs.iter().map(|pair| (pair.name, pair.value)).collect();
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let text = serde_saphyr::to_string_with_options(&map, options)
        .expect("a map of strings is always YAML");
    Zeroizing::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_yaml_reads_as_another_type_is_quoted() {
        let values = ["yes", "0x1F", "null", "2024-01-31", "1:30", "=", "", "1_000", "~"];
        for value in values {
            let text = write(&[Pair { name: "K", value }]);
            assert_eq!(text.as_str(), format!("K: \"{value}\"\n"));
        }
        let text = write(&[Pair { name: "no", value: "plain text" }]);
        assert_eq!(text.as_str(), "\"no\": plain text\n");
    }

    #[test]
    fn nothing_to_write_is_an_empty_map() {
        assert_eq!(write(&[]).trim_end(), "{}");
    }
}
