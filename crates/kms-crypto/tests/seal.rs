//! Values open where they were sealed and nowhere else.

use std::collections::HashSet;

use kms_crypto::{Coordinates, CryptoError, Key, OsEntropy, SeededEntropy, ValueKind, open, seal};
use proptest::prelude::*;
use uuid::Uuid;

const KINDS: [ValueKind; 3] = [ValueKind::SharedSecret, personal(7), ValueKind::Metadata];

const fn personal(owner: u128) -> ValueKind {
    ValueKind::PersonalSecret { owner: Uuid::from_u128(owner) }
}

fn at(id: u128) -> Coordinates {
    Coordinates {
        organization: Uuid::from_u128(id),
        project: Uuid::from_u128(id + 1),
        environment: Uuid::from_u128(id + 2),
        folder: Uuid::from_u128(id + 3),
        secret: Uuid::from_u128(id + 4),
        kind: ValueKind::SharedSecret,
        version: 1,
        authenticated: true,
    }
}

/// Coordinates that differ from `at(1)` in one thing each, exchanges of two ids included.
fn neighbours() -> Vec<Coordinates> {
    let base = at(1);
    let other = Uuid::from_u128(99);
    let mut all = vec![
        base,
        Coordinates { organization: other, ..base },
        Coordinates { project: other, ..base },
        Coordinates { environment: other, ..base },
        Coordinates { folder: other, ..base },
        Coordinates { secret: other, ..base },
        Coordinates { authenticated: false, ..base },
        Coordinates { authenticated: false, kind: personal(7), ..base },
        Coordinates { kind: personal(0), ..base },
        Coordinates { kind: personal(7), ..base },
        Coordinates { kind: ValueKind::Metadata, ..base },
        Coordinates { organization: base.project, project: base.organization, ..base },
        Coordinates { project: base.environment, environment: base.project, ..base },
        Coordinates { environment: base.folder, folder: base.environment, ..base },
        Coordinates { folder: base.secret, secret: base.folder, ..base },
    ];
    all.extend([0, 2, -1, 256, i64::MIN, i64::MAX].map(|version| Coordinates { version, ..base }));
    all
}

#[test]
fn k1_every_pair_of_swapped_ciphertexts_is_refused() {
    let entropy = SeededEntropy::new(1);
    let key = Key::generate(&entropy);
    let places = neighbours();
    let sealed: Vec<_> =
        places.iter().map(|place| seal(&key, place, b"value", &entropy).unwrap()).collect();
    for (i, ciphertext) in sealed.iter().enumerate() {
        for (j, place) in places.iter().enumerate() {
            let result = open(&key, place, ciphertext).map(|plaintext| plaintext.to_vec());
            let expected =
                if i == j { Ok(b"value".to_vec()) } else { Err(CryptoError::Authentication) };
            assert_eq!(result, expected, "sealed at {:?}, opened at {place:?}", places[i]);
        }
    }
}

#[test]
fn k1_an_older_version_does_not_pass_for_the_current_one() {
    let entropy = SeededEntropy::new(1);
    let key = Key::generate(&entropy);
    let old = seal(&key, &at(1), b"old", &entropy).unwrap();
    let current = Coordinates { version: 2, ..at(1) };
    assert_eq!(open(&key, &current, &old).err(), Some(CryptoError::Authentication));
}

#[test]
fn k1_parts_of_two_ciphertexts_do_not_combine() {
    let entropy = SeededEntropy::new(1);
    let key = Key::generate(&entropy);
    let a = seal(&key, &at(1), b"value a", &entropy).unwrap();
    let b = seal(&key, &at(1), b"value b", &entropy).unwrap();
    for cut in 2..a.len() {
        let spliced = [&a[..cut], &b[cut..]].concat();
        assert!(open(&key, &at(1), &spliced).is_err(), "cut at {cut}");
    }
}

#[test]
fn k7_without_the_project_key_nothing_opens() {
    let entropy = SeededEntropy::new(1);
    let (key, other) = (Key::generate(&entropy), Key::generate(&entropy));
    let sealed = seal(&key, &at(1), b"value", &entropy).unwrap();
    assert_eq!(open(&other, &at(1), &sealed).err(), Some(CryptoError::Authentication));
}

#[test]
fn k2_many_seals_of_one_value_repeat_no_salt() {
    let key = Key::generate(&OsEntropy);
    let salts: HashSet<Vec<u8>> = (0..20_000)
        .map(|_| seal(&key, &at(1), b"value", &OsEntropy).unwrap()[1..33].to_vec())
        .collect();
    assert_eq!(salts.len(), 20_000);
}

/// Two machines resumed from one snapshot draw the same bytes.
#[test]
fn k2_cloned_entropy_repeats_a_salt_only_for_the_same_value_at_the_same_place() {
    let key = Key::generate(&SeededEntropy::new(1));
    let on_a_clone = |place: &Coordinates, value: &[u8]| {
        seal(&key, place, value, &SeededEntropy::new(42)).unwrap()
    };
    let mut salts = HashSet::new();
    let mut messages = 0;
    for place in neighbours() {
        for value in [&b"one"[..], b"two", b""] {
            assert!(salts.insert(on_a_clone(&place, value)[1..33].to_vec()));
            messages += 1;
        }
    }
    assert_eq!(salts.len(), messages);
    assert_eq!(on_a_clone(&at(1), b"one"), on_a_clone(&at(1), b"one"));
}

#[test]
fn foreign_formats_are_named_as_such() {
    let key = Key::generate(&SeededEntropy::new(1));
    let mut sealed = seal(&key, &at(1), b"", &SeededEntropy::new(2)).unwrap();
    assert_eq!(sealed.len(), kms_crypto::seal::SEAL_OVERHEAD);
    assert!(open(&key, &at(1), &sealed).unwrap().is_empty());
    sealed[0] = 2;
    assert_eq!(open(&key, &at(1), &sealed).err(), Some(CryptoError::Format));
    assert_eq!(open(&key, &at(1), &[]).err(), Some(CryptoError::Format));
    assert_eq!(open(&key, &at(1), &sealed[..48]).err(), Some(CryptoError::Format));
}

fn coordinates() -> impl Strategy<Value = Coordinates> {
    // Few distinct ids, so that pairs often differ in one field only.
    let ids = proptest::array::uniform5(0u128..3);
    (ids, 0usize..3, prop_oneof![0i64..3, any::<i64>()], any::<bool>()).prop_map(
        |(ids, kind, version, authenticated)| {
            let [organization, project, environment, folder, secret] = ids.map(Uuid::from_u128);
            Coordinates {
                organization,
                project,
                environment,
                folder,
                secret,
                kind: KINDS[kind],
                version,
                authenticated,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_was_sealed_opens(
        value in proptest::collection::vec(any::<u8>(), 0..2000),
        place in coordinates(),
        seed: u64,
    ) {
        let entropy = SeededEntropy::new(seed);
        let key = Key::generate(&entropy);
        let sealed = seal(&key, &place, &value, &entropy).unwrap();
        prop_assert_eq!(&open(&key, &place, &sealed).unwrap()[..], &value[..]);
    }

    #[test]
    fn k1_a_value_opens_at_equal_coordinates_only(a in coordinates(), b in coordinates()) {
        let entropy = SeededEntropy::new(3);
        let key = Key::generate(&entropy);
        let sealed = seal(&key, &a, b"value", &entropy).unwrap();
        prop_assert_eq!(open(&key, &b, &sealed).is_ok(), a == b);
    }

    #[test]
    fn arbitrary_bytes_never_open(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let key = Key::generate(&SeededEntropy::new(3));
        prop_assert!(open(&key, &at(1), &bytes).is_err());
    }
}
