//! Proof Key for Code Exchange (RFC 7636), method `S256`: whoever trades a code shows the text whose
//! hash came with the request for it.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// Characters of a challenge: 32 bytes in base64url.
const CHALLENGE: usize = 43;

/// Whether a text can be a challenge: base64url of 32 bytes and nothing else.
pub fn is_challenge(text: &str) -> bool {
    text.len() == CHALLENGE && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether a text can be a verifier: 43 to 128 of the characters that RFC 7636, section 4.1 names.
pub fn is_verifier(text: &SecretString) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let text = text.expose_secret();
    (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved)
}

/// Whether `challenge` was made of `verifier`, in time that depends on neither.
pub fn verify(verifier: &SecretString, challenge: &str) -> bool {
    let made = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose_secret().as_bytes()));
    is_verifier(verifier) && made.as_bytes().ct_eq(challenge.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_holds() {
        assert!(is_challenge(CHALLENGE));
        assert!(verify(&VERIFIER.into(), CHALLENGE));
    }

    #[test]
    fn l2_another_text_does_not_hold() {
        for wrong in [&VERIFIER[..42], &VERIFIER.to_lowercase(), CHALLENGE, "", &"a".repeat(129)] {
            assert!(!verify(&wrong.into(), CHALLENGE), "{wrong}");
        }
        for other in ["", VERIFIER, &CHALLENGE[..42], &format!("{CHALLENGE}=")] {
            assert!(!verify(&VERIFIER.into(), other), "{other}");
        }
    }

    #[test]
    fn verifiers_and_challenges_have_their_length_and_characters() {
        for text in ["a".repeat(43), "~.-_".repeat(32)] {
            assert!(is_verifier(&text.clone().into()), "{text}");
        }
        for text in ["a".repeat(42), "a".repeat(129), format!("{}+", "a".repeat(43)), "é".into()] {
            assert!(!is_verifier(&text.clone().into()), "{text}");
        }
        // The last one has bits that no 32 bytes have.
        let bits = format!("{}B", &CHALLENGE[..42]);
        for text in ["", "a", &format!("{CHALLENGE}="), &CHALLENGE.replace('-', "+"), &bits] {
            assert!(!is_challenge(text), "{text}");
        }
    }
}
