//! `Key,Value` and one record per secret (RFC 4180 quoting, LF line ends).
//!
//! A value that starts with `=`, `+`, `-` or `@` is written as it is, since a CSV reader must
//! read back what was stored; a spreadsheet would take it for a formula, so open such a file
//! with formulas switched off. NUL is refused: most readers stop at it.

use secrecy::zeroize::Zeroizing;

use super::{Pair, Refusal, refuse};

pub(super) fn write(pairs: &[Pair<'_>]) -> Result<Zeroizing<String>, Vec<Refusal>> {
    refuse(pairs, |pair| {
        let nul = pair.name.contains('\0') || pair.value.contains('\0');
        nul.then_some("holds a NUL character, in its name or its value")
    })?;
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let records = pairs.iter().map(|pair| [pair.name, pair.value]);
    for record in std::iter::once(["Key", "Value"]).chain(records) {
        writer.write_record(record).expect("records of two fields into memory");
    }
    let bytes = writer.into_inner().expect("memory needs no flushing");
    let text = String::from_utf8(bytes).expect("made of text and ASCII");
    Ok(Zeroizing::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_quotes_is_quoted() {
        let pairs = [("A", "one"), ("B", "a,b"), ("C", "say \"x\"\n"), ("D", "=1+1")];
        let pairs = pairs.map(|(name, value)| Pair { name, value });
        let text = write(&pairs).unwrap();
        assert_eq!(text.as_str(), "Key,Value\nA,one\nB,\"a,b\"\nC,\"say \"\"x\"\"\n\"\nD,=1+1\n");
    }
}
