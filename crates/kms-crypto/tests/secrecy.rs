//! Nothing prints, copies or compares secrets in a way it must not.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up must fail")]

use std::fmt::Debug;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use kms_crypto::{
    ChainKey, CryptoError, Key, LocalRootKey, LookupHash, LookupKey, RootKeyError, RootKeyProvider,
    RowKey, RowMac, SeededEntropy, TokenError, TokenKeys, WrappedKey,
};

/// Answers at compile time whether a type has a trait: the inherent constant wins when it does.
struct Probe<T>(PhantomData<T>);

macro_rules! probe {
    ($constant:ident, $fallback:ident, $($bound:tt)+) => {
        impl<T: $($bound)+> Probe<T> {
            const $constant: bool = true;
        }
        trait $fallback {
            const $constant: bool = false;
        }
        impl<T> $fallback for Probe<T> {}
    };
}

probe!(DEBUG, NoDebug, Debug);
probe!(CLONE, NoClone, Clone);
probe!(EQ, NoEq, PartialEq);
probe!(SERIALIZE, NoSerialize, serde::Serialize);

#[test]
fn d5_keys_cannot_be_printed_copied_compared_or_serialized() {
    macro_rules! assert_closed {
        ($($key:ty),+) => {$(
            const { assert!(!Probe::<$key>::DEBUG) };
            const { assert!(!Probe::<$key>::CLONE) };
            const { assert!(!Probe::<$key>::EQ) };
            const { assert!(!Probe::<$key>::SERIALIZE) };
        )+};
    }
    assert_closed!(
        Key,
        LocalRootKey,
        LookupKey,
        RowKey,
        RowMac,
        ChainKey,
        TokenKeys,
        SeededEntropy
    );
    const { assert!(Probe::<u8>::DEBUG && Probe::<u8>::CLONE) };
    const { assert!(Probe::<u8>::EQ && Probe::<u8>::SERIALIZE) };
}

#[test]
fn j12_lookup_hashes_and_wrapped_keys_have_no_ordinary_comparison() {
    const { assert!(!Probe::<LookupHash>::EQ) };
    const { assert!(!Probe::<WrappedKey>::EQ) };
}

#[test]
fn d5_debug_output_never_shows_the_canary() {
    // The canary's bytes and every usual way to print them.
    let canary = *b"CANARY-CANARY-CANARY-CANARY-3210";
    let fragments =
        ["CANARY".to_owned(), hex::encode("CANARY"), hex::encode_upper("CANARY"), "67, 65".into()];
    let root = LocalRootKey::generate(&SeededEntropy::new(1));
    let lookup = LookupKey::new(Key::from_bytes(canary));
    let printed = [
        format!("{:?} {:#?}", LookupHash(canary), LookupHash(canary)),
        format!("{:?}", lookup.hash("CANARY-purpose", "CANARY-secret")),
        format!("{:?} {:#?}", WrappedKey(canary.to_vec()), WrappedKey(canary.to_vec())),
        format!("{:?} {}", root.fingerprint(), root.fingerprint()),
        format!("{:?}", root.to_text()),
        format!("{:?}", LocalRootKey::parse("CANARY").err()),
    ];
    for text in &printed {
        for fragment in &fragments {
            assert!(!text.contains(fragment), "{text}");
        }
    }
    assert!(format!("{canary:?}").contains(&fragments[3]), "the fragments do catch a leak");
}

#[test]
fn d6_error_texts_are_fixed() {
    for text in [
        CryptoError::Authentication.to_string(),
        CryptoError::Tampered.to_string(),
        RootKeyError::Weak.to_string(),
        TokenError::InvalidSignature.to_string(),
    ] {
        assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
    }
}

fn sources(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Lines of `source`, tests and comments aside, that compare something named like a secret.
fn ordinary_comparisons(source: &str) -> Vec<&str> {
    const NAMES: [&str; 8] =
        ["hash", "mac", "tag", "digest", "secret", "signature", "stored", "expose"];
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let compares = |line: &str| line.contains("==") || line.contains("!=") || line.contains(".eq(");
    let named = |line: &str| NAMES.iter().any(|name| line.to_lowercase().contains(name));
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .filter(|line| compares(line) && named(line))
        // The name of a password's algorithm is no secret.
        .filter(|line| !line.contains("hash.algorithm == ARGON2ID_IDENT"))
        .collect()
}

#[test]
fn j12_no_source_compares_secrets_in_the_ordinary_way() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 10);
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        assert_eq!(ordinary_comparisons(&source), [""; 0], "{}", file.display());
    }
}

#[test]
fn j12_the_search_for_ordinary_comparisons_finds_them() {
    for line in ["if hash.0 == stored {", "mac != other", "tag.eq(&expected)", "x == LookupHash(y)"]
    {
        assert_eq!(ordinary_comparisons(line), [line]);
    }
    assert!(ordinary_comparisons("if length == 3 {").is_empty());
    assert!(ordinary_comparisons("// hash == stored").is_empty());
}

#[test]
fn secrets_are_exposed_in_the_listed_places_only() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut exposing: Vec<_> = files
        .iter()
        .filter(|file| {
            let source = std::fs::read_to_string(file).unwrap();
            source.split("#[cfg(test)]").next().unwrap().contains(".expose_secret()")
        })
        .map(|file| file.file_name().unwrap().to_str().unwrap())
        .collect();
    exposing.sort_unstable();
    assert_eq!(exposing, ["password.rs", "pkce.rs", "totp.rs"]);
}
