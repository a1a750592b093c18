//! What is sealed of a secret: value, comment, metadata and tags in one blob.
//!
//! ```text
//! payload  = byte 1 | body, without tags
//!          | byte 2 | body | u32 count | count * 16 bytes id of a tag
//! body     = text value | text comment | u32 count | count * metadata
//! metadata = text key | text value | byte is_encrypted
//! text     = u32 length | UTF-8 bytes                                   all numbers big-endian
//! ```

use kms_api::{SecretValue, TagId, secrets::SecretMetadata};
use kms_crypto::CryptoError;
use secrecy::zeroize::Zeroizing;
use uuid::Uuid;

const UNTAGGED: u8 = 1;
const TAGGED: u8 = 2;

/// What is sealed of a secret.
#[derive(Clone, Debug, Default)]
pub(super) struct Payload {
    pub(super) value: SecretValue,
    pub(super) comment: String,
    pub(super) metadata: Vec<SecretMetadata>,
    /// Ids of tags; there may be no such tags any more.
    pub(super) tags: Vec<TagId>,
}

impl Payload {
    /// The bytes to seal, in one allocation that is wiped.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let texts = self.metadata.iter().map(|entry| 9 + entry.key.len() + entry.value.len());
        let tags = if self.tags.is_empty() { 0 } else { 4 + 16 * self.tags.len() };
        let body = 12 + self.value.expose().len() + self.comment.len() + texts.sum::<usize>();
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + body + tags));
        bytes.push(if self.tags.is_empty() { UNTAGGED } else { TAGGED });
        put(&mut bytes, self.value.expose());
        put(&mut bytes, &self.comment);
        count(&mut bytes, self.metadata.len());
        for entry in &self.metadata {
            put(&mut bytes, &entry.key);
            put(&mut bytes, &entry.value);
            bytes.push(u8::from(entry.is_encrypted));
        }
        if !self.tags.is_empty() {
            count(&mut bytes, self.tags.len());
            for tag in &self.tags {
                bytes.extend_from_slice(tag.uuid().as_bytes());
            }
        }
        bytes
    }

    /// Reads what [`Payload::encode`] made; anything else is [`CryptoError::Format`].
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CryptoError> {
        let mut rest = Rest(bytes);
        let payload = rest.payload().filter(|_| rest.0.is_empty());
        payload.ok_or(CryptoError::Format)
    }
}

fn count(bytes: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("texts and lists are limited far below 4 GiB");
    bytes.extend_from_slice(&number.to_be_bytes());
}

fn put(bytes: &mut Vec<u8>, text: &str) {
    count(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

/// What has not been read yet.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn payload(&mut self) -> Option<Payload> {
        let format = self.byte()?;
        let value = SecretValue::from(self.text()?);
        let comment = self.text()?.to_owned();
        let entries = self.number()?;
        // Not reserved ahead: the count is only believed as far as there are bytes.
        let mut metadata = Vec::new();
        for _ in 0..entries {
            let (key, value) = (self.text()?.to_owned(), self.text()?.to_owned());
            let is_encrypted = match self.byte()? {
                0 => false,
                1 => true,
                _ => return None,
            };
            metadata.push(SecretMetadata { key, value, is_encrypted });
        }
        let tags = match format {
            UNTAGGED => Vec::new(),
            TAGGED => self.tags()?,
            _ => return None,
        };
        Some(Payload { value, comment, metadata, tags })
    }

    fn tags(&mut self) -> Option<Vec<TagId>> {
        let mut tags = Vec::new();
        for _ in 0..self.number()? {
            tags.push(Uuid::from_slice(self.take(16)?).ok()?.into());
        }
        Some(tags)
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'b str> {
        let length = self.number()?;
        std::str::from_utf8(self.take(usize::try_from(length).ok()?)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload() -> Payload {
        let entry = |key: &str, is_encrypted| SecretMetadata {
            key: key.into(),
            value: "ü\0".into(),
            is_encrypted,
        };
        Payload {
            value: "line\n🐎".into(),
            comment: "c".into(),
            metadata: vec![entry("a", true), entry("", false)],
            tags: vec![Uuid::from_u128(1).into(), Uuid::max().into()],
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let untagged = Payload { tags: Vec::new(), ..payload() };
        for written in [payload(), untagged, Payload::default()] {
            let bytes = written.encode();
            assert_eq!(bytes.len(), bytes.capacity(), "nothing was copied to make room");
            let read = Payload::decode(&bytes).unwrap();
            assert_eq!(read.value.expose(), written.value.expose());
            assert_eq!(read.comment, written.comment);
            assert_eq!(read.metadata, written.metadata);
            assert_eq!(read.tags, written.tags);
        }
    }

    #[test]
    fn nothing_else_is_read() {
        let bytes = payload().encode();
        for end in 0..bytes.len() {
            assert!(Payload::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(Payload::decode(&longer).is_err());
        let mut other_format = bytes.to_vec();
        other_format[0] = 3;
        assert!(Payload::decode(&other_format).is_err());
        assert!(Payload::decode(&[1, 255, 255, 255, 255]).is_err());
    }
}
