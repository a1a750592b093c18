//! Attack R4: values in a program's output, however it is cut and in the forms that are known.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kms_api::SecretValue;
use kms_cli::mask::{MARK, Mask, Masker};
use proptest::prelude::*;

fn mask(values: &[&str]) -> Mask {
    let values: Vec<SecretValue> = values.iter().map(|value| (*value).into()).collect();
    Mask::new(values.iter().map(|value| ("NAME", value)))
}

fn pieces<'p>(mut masker: Masker, pieces: impl IntoIterator<Item = &'p [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces {
        masker.push(piece, &mut out);
    }
    masker.finish(&mut out);
    out
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn whole(values: &[&str], output: &str) -> String {
    text(pieces(mask(values).start(), [output.as_bytes()]))
}

#[test]
fn r4_a_value_is_hidden_wherever_the_output_is_cut() {
    let mask = mask(&["s3cr3t-value", "another one", "cr3t"]);
    let output = b"a s3cr3t-value, another one and s3cr3t-vs3cr3t-value; s3c another on";
    let expected = "a *****, ***** and s3*****-v*****; s3c another on";
    for first in 0..=output.len() {
        for second in first..=output.len() {
            let parts = [&output[..first], &output[first..second], &output[second..]];
            assert_eq!(text(pieces(mask.start(), parts)), expected, "{first} {second}");
        }
    }
    assert_eq!(text(pieces(mask.start(), output.chunks(1))), expected);
}

#[test]
fn r4_values_that_overlap_leave_nothing_of_either() {
    assert_eq!(whole(&["abcdef", "defghi"], "xabcdefghix"), "x*****x");
    assert_eq!(whole(&["abcd", "xabcdy"], "xabcdz abcd"), "x*****z *****");
    assert_eq!(whole(&["abab"], "ababab!abababab"), "*****!*****");
    assert_eq!(whole(&["abcd"], "abcdabcd"), "**********");
    for size in 1..=12 {
        let mask = mask(&["abcdef", "defghi", "ghijkl"]);
        let output = b"-abcdefghijkl-abcdefgh-";
        let masked = text(pieces(mask.start(), output.chunks(size)));
        assert_eq!(masked, "-*****-*****gh-", "{size}");
    }
}

#[test]
fn r4_known_encodings_are_hidden_at_every_offset() {
    let value = "p\u{e4}ss \"w\u{f6}rd\"/+?&<x>\n2nd line of it";
    let url: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let hex = value.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let json = serde_json::to_string(value).unwrap();
    let json = json.trim_matches('"').to_owned();
    let encode = |before: &str, after: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.encode(format!("{before}{value}{after}"))
    };
    let mask = mask(&[value]);
    for form in [value.to_owned(), url, hex.to_uppercase(), hex, json, encode("", "")] {
        let output = format!("before {form} after");
        for cut in 0..=output.len() {
            let (first, second) = output.as_bytes().split_at(cut);
            let masked = text(pieces(mask.start(), [first, second]));
            assert_eq!(masked, "before ***** after", "{form} {cut}");
        }
    }
    for (before, after) in [("u:", ""), ("x", "yz"), ("ab", "c"), ("user", ":more")] {
        let masked = text(pieces(mask.start(), [encode(before, after).as_bytes()]));
        // What stands around it in one character with it may stay: no more than two of each side.
        let shown = masked.replace("*****", "").len();
        let around = (before.len() + after.len()) * 8 / 6 + 8;
        assert!(masked.contains("*****") && shown <= around, "{masked}");
    }
}

#[test]
fn r4_a_value_of_several_lines_is_hidden_line_by_line() {
    let value = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n";
    let tty = value.replace('\n', "\r\n");
    assert_eq!(whole(&[value], &tty), "*****\r\n*****\r\n*****\r\n*****\r\n");
    assert_eq!(whole(&[value], "  hkiG9w0BAQEFAASC"), "  *****");
}

#[test]
fn r4_what_is_around_a_value_need_not_be_printed_with_it() {
    assert_eq!(whole(&["secret\n"], "secret\r\n"), "*****\r\n");
    assert_eq!(whole(&["secret\r\n"], "x:secret@h"), "x:*****@h");
    assert_eq!(whole(&["secret\n"], "secret!"), "*****!");
    assert_eq!(whole(&["\n  se cret \t"], "[se cret]"), "[*****]");
    // And encoded.
    assert_eq!(whole(&["secret\n"], "<c2VjcmV0>"), "<*****>");
    assert_eq!(whole(&["sec/ret\n"], "sec%2Fret@"), "*****@");
    assert_eq!(whole(&["secret\n"], "<736563726574>"), "<*****>");
    assert_eq!(whole(&["s\"cret\n"], r#"{"a":"s\"cret"}"#), r#"{"a":"*****"}"#);
}

#[test]
fn r4_short_values_are_named_and_left_alone() {
    let values = ["abc", "", "abcd", " xyz\n"].map(SecretValue::from);
    let names = ["SHORT", "EMPTY", "LONG", "SHORT_LINE"];
    let mask = Mask::new(names.into_iter().zip(&values));
    assert_eq!(mask.too_short, ["SHORT", "SHORT_LINE"]);
    assert_eq!(text(pieces(mask.start(), ["abc abcd".as_bytes()])), "abc *****");
}

#[test]
fn r4_a_question_is_shown_before_it_is_answered_and_the_value_is_not() {
    let mask = mask(&["? yes, it is"]);
    let (mut masker, mut out) = (mask.start(), Vec::new());
    masker.push(b"Go on? ", &mut out);
    assert_eq!(out, b"Go on");
    masker.release(&mut out);
    assert_eq!(out, b"Go on? ");
    masker.push(b"yes, it i", &mut out);
    masker.release(&mut out);
    assert_eq!(out, b"Go on? ", "what may be most of a value is not shown");
    masker.push(b"s!", &mut out);
    assert_eq!(text(out), "Go on? *****!");
}

#[test]
fn r4_a_value_that_comes_byte_by_byte_is_not_shown_piece_by_piece() {
    let mask = mask(&["plainsecretvalue"]);
    let (mut masker, mut out) = (mask.start(), Vec::new());
    for byte in b"-plainsecretvalue-" {
        masker.push(&[*byte], &mut out);
        masker.release(&mut out);
    }
    assert_eq!(text(out), "-pla*****-");
    let mut out = Vec::new();
    for byte in b"plainsecretvexed" {
        masker.push(&[*byte], &mut out);
        masker.release(&mut out);
    }
    assert_eq!(text(out), "plainsecretvexed", "what turns out to be none is shown");
}

#[test]
fn many_and_large_values_are_hidden_too() {
    let values: Vec<String> = (0..10_000).map(|n| format!("value-number-{n:05}-{n:x}")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let mask = mask(&values);
    assert!(mask.is_plain);
    let output = format!("<{}>", values.join("|"));
    let masked = text(pieces(mask.start(), output.as_bytes().chunks(4_096)));
    assert_eq!(masked, format!("<{}>", vec!["*****"; 10_000].join("|")));
}

/// Whoever may write a secret must not thereby keep a program from starting.
#[test]
fn r4_values_that_repeat_themselves_are_looked_for_in_reasonable_time() {
    for value in ["x".repeat(100_000), "ab".repeat(50_000), "abcabd".repeat(15_000)] {
        let started = std::time::Instant::now();
        let output = format!("<{}{value}>", &value[..4_000]);
        let masked = pieces(mask(&[&value]).start(), output.as_bytes().chunks(1_000));
        assert!(masked.starts_with(b"<") && masked.ends_with(b"*****>"));
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}

/// The slow way: every byte that is part of any form of any value is hidden.
fn oracle(values: &[String], output: &[u8]) -> Vec<u8> {
    let mut hidden = vec![false; output.len()];
    let mut ends = vec![false; output.len() + 1];
    for value in values.iter().filter(|value| value.len() >= 4) {
        for at in 0..output.len() {
            if output[at..].starts_with(value.as_bytes()) {
                hidden[at..at + value.len()].fill(true);
                // Two that touch without sharing a byte have a mark each.
                ends[at + 1..at + value.len()].fill(true);
            }
        }
    }
    let mut out = Vec::new();
    for at in 0..output.len() {
        if !hidden[at] {
            out.push(output[at]);
        } else if at == 0 || !hidden[at - 1] || !ends[at] {
            out.extend_from_slice(MARK);
        }
    }
    out
}

fn cut<'o>(mut rest: &'o [u8], sizes: &[usize]) -> Vec<&'o [u8]> {
    let mut parts = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (part, after) = rest.split_at((*size).min(rest.len()));
        parts.push(part);
        rest = after;
    }
    parts
}

proptest! {
    #[test]
    fn r4_any_values_in_any_pieces_are_hidden_as_the_slow_way_hides_them(
        values in prop::collection::vec("[ab]{1,6}", 1..4),
        output in "[abc]{0,60}",
        sizes in prop::collection::vec(1_usize..7, 1..8),
    ) {
        let names: Vec<&str> = values.iter().map(String::as_str).collect();
        let masked = pieces(mask(&names).start(), cut(output.as_bytes(), &sizes));
        prop_assert_eq!(masked, oracle(&values, output.as_bytes()));
    }

    // Long values let most of the output be passed over.
    #[test]
    fn r4_long_values_are_hidden_among_what_is_passed_over(
        values in prop::collection::vec("[abc]{4,40}", 1..4),
        output in prop::collection::vec((0_usize..8, "[abcd]{0,40}", 0_usize..40), 0..12),
        sizes in prop::collection::vec(1_usize..80, 1..8),
    ) {
        let names: Vec<&str> = values.iter().map(String::as_str).collect();
        let mut text = String::new();
        for (index, noise, from) in &output {
            // A value, or an end of one, among other things.
            let value = names.get(*index).copied().unwrap_or_default();
            text.extend([value, noise, value.get(*from..).unwrap_or_default()]);
        }
        let masked = pieces(mask(&names).start(), cut(text.as_bytes(), &sizes));
        prop_assert_eq!(masked, oracle(&values, text.as_bytes()));
    }
}
