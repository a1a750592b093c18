//! A code over the fields of a database row that grants rights, so that a row edited behind the
//! server's back is noticed when it is used.
//!
//! Every field is written with a tag and a length, so no two lists of fields share an encoding.
//! The order of the calls is part of what is covered.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::error::CryptoError;
use crate::key::Key;
use crate::lookup::bytes_of;

/// The instance's key for row authentication.
pub struct RowKey(hmac::Key);

impl RowKey {
    /// Takes over the key.
    #[expect(clippy::needless_pass_by_value, reason = "the key must not stay in use elsewhere")]
    pub fn new(key: Key) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    /// Begins the code of a row of `table`; the fields follow in a fixed order.
    pub fn mac(&self, table: &'static str) -> RowMac {
        RowMac(hmac::Context::with_key(&self.0)).text(table)
    }
}

/// A code in the making.
#[must_use]
pub struct RowMac(hmac::Context);

const ABSENT: u8 = 0;
const UUID: u8 = 1;
const TEXT: u8 = 2;
const INT: u8 = 3;
const FLAG: u8 = 4;
const BYTES: u8 = 5;

impl RowMac {
    /// Covers an id.
    pub fn uuid(self, value: Uuid) -> Self {
        self.field(UUID, value.as_bytes())
    }

    /// Covers an id that may be absent; a present one counts as [`uuid`](Self::uuid) does.
    pub fn opt_uuid(self, value: Option<Uuid>) -> Self {
        match value {
            Some(value) => self.uuid(value),
            None => self.field(ABSENT, &[]),
        }
    }

    /// Covers a text.
    pub fn text(self, value: &str) -> Self {
        self.field(TEXT, value.as_bytes())
    }

    /// Covers a text that may be absent; absent and empty differ.
    pub fn opt_text(self, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(value),
            None => self.field(ABSENT, &[]),
        }
    }

    /// Covers a number.
    pub fn int(self, value: i64) -> Self {
        self.field(INT, &value.to_be_bytes())
    }

    /// Covers a yes or no.
    pub fn flag(self, value: bool) -> Self {
        self.field(FLAG, &[u8::from(value)])
    }

    /// Covers bytes, such as a hash.
    pub fn bytes(self, value: &[u8]) -> Self {
        self.field(BYTES, value)
    }

    /// The code to store with the row.
    pub fn finish(self) -> [u8; 32] {
        bytes_of(&self.0.sign())
    }

    /// Compares with the code stored with the row, in constant time; fails with
    /// [`CryptoError::Tampered`].
    pub fn verify(self, stored: &[u8]) -> Result<(), CryptoError> {
        let genuine: bool = self.finish().ct_eq(stored).into();
        if genuine { Ok(()) } else { Err(CryptoError::Tampered) }
    }

    fn field(mut self, kind: u8, content: &[u8]) -> Self {
        self.0.update(&[kind]);
        self.0.update(&(content.len() as u64).to_be_bytes());
        self.0.update(content);
        self
    }
}
