//! A row's code covers every field, and no two rows share one.

use kms_crypto::{CryptoError, Key, RowKey, RowMac, SeededEntropy};
use proptest::prelude::*;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq)]
enum Field {
    Uuid(u128),
    Text(String),
    Int(i64),
    Flag(bool),
    NoUuid,
    NoText,
}

impl Field {
    fn add(&self, mac: RowMac) -> RowMac {
        match self {
            Self::Uuid(value) => mac.uuid(Uuid::from_u128(*value)),
            Self::Text(value) => mac.text(value),
            Self::Int(value) => mac.int(*value),
            Self::Flag(value) => mac.flag(*value),
            Self::NoUuid => mac.opt_uuid(None),
            Self::NoText => mac.opt_text(None),
        }
    }

    /// Absent is absent, whatever is absent: a column keeps its type.
    fn canonical(&self) -> Self {
        if *self == Self::NoText { Self::NoUuid } else { self.clone() }
    }
}

fn key() -> RowKey {
    RowKey::new(Key::generate(&SeededEntropy::new(1)))
}

fn mac(key: &RowKey, fields: &[Field]) -> RowMac {
    fields.iter().fold(key.mac("memberships"), |mac, field| field.add(mac))
}

fn field() -> impl Strategy<Value = Field> {
    prop_oneof![
        (0u128..3).prop_map(Field::Uuid),
        "[ab\0\u{1}]{0,3}".prop_map(Field::Text),
        (-2i64..3).prop_map(Field::Int),
        any::<bool>().prop_map(Field::Flag),
        Just(Field::NoUuid),
        Just(Field::NoText),
    ]
}

proptest! {
    #[test]
    fn k8_different_rows_have_different_codes(
        a in proptest::collection::vec(field(), 0..4),
        b in proptest::collection::vec(field(), 0..4),
    ) {
        let key = key();
        let same = a.iter().map(Field::canonical).eq(b.iter().map(Field::canonical));
        prop_assert_eq!(mac(&key, &a).finish() == mac(&key, &b).finish(), same);
    }
}

#[test]
fn k8_an_edited_row_is_detected() {
    let key = key();
    let (user, project) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let row = |role: &str| key.mac("memberships").uuid(user).uuid(project).text(role).flag(true);
    let stored = row("viewer").finish();
    assert_eq!(row("viewer").verify(&stored), Ok(()));
    assert_eq!(row("admin").verify(&stored), Err(CryptoError::Tampered));
    assert_eq!(row("viewer").verify(&stored[..16]), Err(CryptoError::Tampered));
    assert_eq!(row("viewer").verify(&[]), Err(CryptoError::Tampered));
    assert_eq!(row("viewer").verify(&[0; 32]), Err(CryptoError::Tampered));
}

#[test]
fn k8_a_code_holds_for_its_table_and_key_only() {
    let key = key();
    let stored = key.mac("roles").int(1).finish();
    assert!(key.mac("role").int(1).verify(&stored).is_err());
    let other = RowKey::new(Key::generate(&SeededEntropy::new(2)));
    assert!(other.mac("roles").int(1).verify(&stored).is_err());
}

#[test]
fn k8_text_does_not_move_between_neighbouring_fields() {
    let key = key();
    let stored = key.mac("t").text("ab").text("c").finish();
    assert!(key.mac("t").text("a").text("bc").verify(&stored).is_err());
    assert!(key.mac("t").text("abc").text("").verify(&stored).is_err());
    assert!(key.mac("t").text("abc").opt_text(None).verify(&stored).is_err());
}

#[test]
fn a_present_option_counts_as_its_value() {
    let key = key();
    let id = Uuid::from_u128(1);
    let stored = key.mac("t").uuid(id).text("x").finish();
    assert_eq!(key.mac("t").opt_uuid(Some(id)).opt_text(Some("x")).verify(&stored), Ok(()));
}
