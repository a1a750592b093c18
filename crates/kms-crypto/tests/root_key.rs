//! Which root keys are accepted, and the contract that every root-key provider keeps.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up must fail")]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kms_crypto::envelope::KeyContext;
use kms_crypto::root::{Fingerprint, LocalRootKey, RootKeyProvider};
use kms_crypto::{Coordinates, Key, RootKeyError, SeededEntropy, ValueKind, open, seal};
use secrecy::ExposeSecret;
use uuid::Uuid;

const SAMPLE: &str = "6c1fe4e407b8911c104518103505b218";

const COUNT: [u8; 32] = {
    let mut count = [0; 32];
    let mut i = 1;
    while i < count.len() {
        count[i] = count[i - 1] + 1;
        i += 1;
    }
    count
};

fn refusal(text: &str) -> Option<RootKeyError> {
    LocalRootKey::parse(text).err()
}

#[test]
fn k3_published_samples_are_refused_in_every_spelling() {
    for sample in [SAMPLE, "f13dbc92aaaf86fa7cb0ed8ac3265f47"] {
        for text in [
            sample.to_owned(),
            sample.to_uppercase(),
            format!("  {sample}\n"),
            hex::encode(sample),
            STANDARD.encode(sample),
            URL_SAFE_NO_PAD.encode(sample),
            format!("{sample}{sample}"),
        ] {
            assert_eq!(refusal(&text), Some(RootKeyError::Weak), "{text}");
        }
    }
    for sample in [
        "5lrMXKKWCVocS/uerPsl7V+TX/aaUaI7iDkgl3tSmLE=",
        "VVHnGZ0w98WLgISK4XSJcagezuG6EWRFTk48KE4Y5Mw=",
    ] {
        let bytes = STANDARD.decode(sample).unwrap();
        for text in [sample.to_owned(), hex::encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            assert_eq!(refusal(&text), Some(RootKeyError::Weak), "{text}");
        }
    }
}

#[test]
fn k3_patterns_are_refused() {
    let mut keys: Vec<[u8; 32]> = (0..=255).map(|byte| [byte; 32]).collect();
    for step in 1..=255u8 {
        keys.push(COUNT.map(|i| step.wrapping_mul(i).wrapping_add(7)));
    }
    keys.push(COUNT.map(|i| (i % 16).wrapping_mul(37)));
    keys.push(COUNT.map(|i| (i % 15).wrapping_mul(101)));
    keys.push(*b"correct horse battery staple! 42");
    keys.push(*b"0123456789abcdefFEDCBA9876543210");
    for key in keys {
        assert_eq!(refusal(&hex::encode(key)), Some(RootKeyError::Weak), "{key:?}");
        assert_eq!(refusal(&STANDARD.encode(key)), Some(RootKeyError::Weak), "{key:?}");
    }
}

#[test]
fn k3_keys_of_another_length_and_other_texts_are_refused() {
    let bytes: Vec<u8> = (0..64u8).map(|i| i.wrapping_mul(i).wrapping_add(91)).collect();
    for length in [1, 16, 24, 31, 33, 48, 64] {
        let text = STANDARD.encode(&bytes[..length]);
        assert_eq!(refusal(&text), Some(RootKeyError::WrongLength { bytes: length }), "{length}");
    }
    for text in ["", "   ", "not a key!", "6c1fe4e4 07b8911c", "=", "\u{e9}", "0x00"] {
        assert!(
            matches!(
                refusal(text),
                Some(RootKeyError::Malformed | RootKeyError::WrongLength { .. })
            ),
            "{text}"
        );
    }
    assert_eq!(refusal(""), Some(RootKeyError::Malformed));
}

#[test]
fn k3_random_keys_are_accepted() {
    for seed in 0..2_000 {
        let key = LocalRootKey::generate(&SeededEntropy::new(seed));
        assert!(LocalRootKey::parse(key.to_text().expose_secret()).is_ok(), "seed {seed}");
    }
}

#[test]
fn d6_a_refused_key_is_not_repeated_in_the_error() {
    let canary = "CANARY-0123456789";
    let error = LocalRootKey::parse(canary).err().unwrap();
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}

#[test]
fn a_fingerprint_round_trips_and_tells_keys_apart() {
    let fingerprint = LocalRootKey::generate(&SeededEntropy::new(1)).fingerprint();
    let text = fingerprint.to_string();
    assert_eq!(text.len(), 16);
    assert!(text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    assert_eq!(Fingerprint::parse(&text), Ok(fingerprint));
    assert_ne!(fingerprint, LocalRootKey::generate(&SeededEntropy::new(2)).fingerprint());
    for other in ["", "0123456789abcde", "0123456789ABCDEF", "0123456789abcdef0", "zz"] {
        assert_eq!(Fingerprint::parse(other), Err(RootKeyError::Malformed), "{other}");
    }
}

#[test]
fn a_fingerprint_is_no_part_of_the_key() {
    let key = LocalRootKey::generate(&SeededEntropy::new(1));
    assert!(!key.to_text().expose_secret().contains(&key.fingerprint().to_string()));
}

/// What any provider must do; a remote one is held to the same.
fn keeps_the_provider_contract(provider: &dyn RootKeyProvider, other: &dyn RootKeyProvider) {
    let entropy = SeededEntropy::new(9);
    let place = Coordinates {
        organization: Uuid::nil(),
        project: Uuid::nil(),
        environment: Uuid::nil(),
        folder: Uuid::nil(),
        secret: Uuid::nil(),
        kind: ValueKind::Metadata,
        version: 0,
        authenticated: false,
    };
    let key = Key::generate(&entropy);
    let witness = seal(&key, &place, b"witness", &entropy).unwrap();
    let context = KeyContext { purpose: "token-signing", owner: Uuid::nil(), version: 3 };

    let wrapped = provider.wrap(&context, &key, &entropy).unwrap();
    let back = provider.unwrap(&context, wrapped.as_bytes()).unwrap();
    assert_eq!(&open(&back, &place, &witness).unwrap()[..], b"witness");

    let again = provider.wrap(&context, &key, &entropy).unwrap();
    assert_ne!(wrapped.as_bytes(), again.as_bytes());

    for wrong in [
        KeyContext { purpose: "token-signin", ..context },
        KeyContext { owner: Uuid::from_u128(1), ..context },
        KeyContext { version: 2, ..context },
    ] {
        assert!(provider.unwrap(&wrong, wrapped.as_bytes()).is_err(), "{wrong:?}");
    }
    assert!(other.unwrap(&context, wrapped.as_bytes()).is_err());
    assert!(provider.unwrap(&context, &[]).is_err());
    assert_eq!(provider.fingerprint(), provider.fingerprint());
    assert_ne!(provider.fingerprint(), other.fingerprint());
}

#[test]
fn a_local_root_key_keeps_the_provider_contract() {
    keeps_the_provider_contract(
        &LocalRootKey::generate(&SeededEntropy::new(1)),
        &LocalRootKey::generate(&SeededEntropy::new(2)),
    );
}

#[test]
fn k4_another_root_key_is_known_by_its_fingerprint_before_anything_opens() {
    let (right, wrong) = (
        LocalRootKey::generate(&SeededEntropy::new(1)),
        LocalRootKey::generate(&SeededEntropy::new(2)),
    );
    let stored = Fingerprint::parse(&right.fingerprint().to_string()).unwrap();
    assert_eq!(LocalRootKey::parse(right.to_text().expose_secret()).unwrap().fingerprint(), stored);
    assert_ne!(wrong.fingerprint(), stored);
}
