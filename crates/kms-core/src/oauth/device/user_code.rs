//! The short code that a person reads on one device and types on another.

use kms_crypto::{Entropy, random_bytes};

/// Consonants, which make no words, without the ones taken for something else (RFC 8628, section
/// 6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a code: 34 bits and a half. Enough for minutes and a few tries.
const LETTERS: usize = 8;

/// See the module. Deliberately without `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct UserCode([u8; LETTERS]);

impl UserCode {
    /// Draws a code, every letter as likely as any other.
    pub(super) fn draw(entropy: &dyn Entropy) -> Self {
        let mut letters = [0; LETTERS];
        let mut filled = 0;
        while filled < LETTERS {
            let [byte] = random_bytes(entropy);
            let letters_in_byte = 256 / ALPHABET.len() * ALPHABET.len();
            if usize::from(byte) < letters_in_byte {
                letters[filled] = ALPHABET[usize::from(byte) % ALPHABET.len()];
                filled += 1;
            }
        }
        Self(letters)
    }

    /// Reads what somebody typed, whatever its case, spaces and dashes; nothing where it can be no
    /// code of ours.
    pub(super) fn read(text: &str) -> Option<Self> {
        let is_between = |char: &char| {
            char.is_whitespace() || matches!(char, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
        };
        let mut letters = text.chars().filter(|char| !is_between(char));
        let mut read = [0; LETTERS];
        for slot in &mut read {
            let letter = u8::try_from(letters.next()?).ok()?.to_ascii_uppercase();
            *slot = ALPHABET.contains(&letter).then_some(letter)?;
        }
        letters.next().is_none().then_some(Self(read))
    }

    /// The code as it is shown.
    pub(super) fn shown(self) -> String {
        let letters = self.0.map(char::from);
        let (first, second) = letters.split_at(LETTERS / 2);
        format!("{}-{}", String::from_iter(first), String::from_iter(second))
    }

    /// The code as it is hashed.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use kms_crypto::SeededEntropy;

    use super::*;

    #[test]
    fn every_letter_of_the_twenty_is_drawn_about_as_often() {
        let entropy = SeededEntropy::new(3);
        let mut drawn = HashMap::new();
        for _ in 0..5_000 {
            for letter in UserCode::draw(&entropy).0 {
                *drawn.entry(letter).or_insert(0) += 1;
            }
        }
        assert_eq!(drawn.len(), ALPHABET.len());
        for (letter, times) in drawn {
            assert!((1_800..=2_200).contains(&times), "{}: {times}", char::from(letter));
        }
    }

    #[test]
    fn a_code_is_read_whatever_its_case_spaces_and_dashes() {
        let code = UserCode(*b"BCDFGHJK");
        assert_eq!(code.shown(), "BCDF-GHJK");
        for text in [
            "BCDF-GHJK",
            "bcdfghjk",
            " bCdF  ghJk\n",
            "b-c-d-f-g-h-j-k",
            "BCDF\u{2013}GHJK",
            "BCDF\u{a0}GHJK",
            "BCDF\u{2212}GHJK",
        ] {
            assert!(UserCode::read(text) == Some(code), "{text:?}");
        }
        for text in ["", "BCDF", "BCDF-GHJKL", "BCDF-GHJA", "BCDF-GHJ0", "ЬCDF-GHJK", "BCDF_GHJK"]
        {
            assert!(UserCode::read(text).is_none(), "{text:?}");
        }
    }
}
