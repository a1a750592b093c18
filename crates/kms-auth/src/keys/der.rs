//! As much of DER (ITU-T X.690) as it takes to find a public key in its usual wrappings.

use super::{KeyError, VerifyingKey};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed: the version of a certificate.
const VERSION: u8 = 0xa0;

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// A reader of elements one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next element: its tag and its content.
    fn next(&mut self) -> Result<(u8, &'a [u8]), KeyError> {
        let (&[tag, first], rest) = self.0.split_first_chunk().ok_or(KeyError::Malformed)?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (length, rest) =
                    rest.split_at_checked(usize::from(first & 0x7f)).ok_or(KeyError::Malformed)?;
                let value = length.iter().fold(0, |value, byte| value << 8 | usize::from(*byte));
                (value, rest)
            }
            _ => return Err(KeyError::Malformed),
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(KeyError::Malformed)?;
        self.0 = rest;
        Ok((tag, content))
    }

    /// The content of the next element, which must have the tag.
    fn expect(&mut self, tag: u8) -> Result<&'a [u8], KeyError> {
        self.next().and_then(
            |(is, content)| if is == tag { Ok(content) } else { Err(KeyError::Malformed) },
        )
    }
}

/// The key in a `SubjectPublicKeyInfo` (RFC 5280, RFC 5480, RFC 8410).
pub(super) fn public_key_info(der: &[u8]) -> Result<VerifyingKey, KeyError> {
    let mut info = Reader(Reader(der).expect(SEQUENCE)?);
    info_in(&mut info)
}

fn info_in(info: &mut Reader<'_>) -> Result<VerifyingKey, KeyError> {
    let mut algorithm = Reader(info.expect(SEQUENCE)?);
    let Some((0, key)) = info.expect(BIT_STRING)?.split_first() else {
        return Err(KeyError::Malformed);
    };
    match algorithm.expect(OBJECT)? {
        RSA => rsa_public_key(key),
        EC => match algorithm.expect(OBJECT)? {
            P256 if key.len() == 65 => VerifyingKey::ec(key),
            P384 if key.len() == 97 => VerifyingKey::ec(key),
            P256 | P384 => Err(KeyError::Malformed),
            _ => Err(KeyError::Type),
        },
        ED25519 => VerifyingKey::ed25519(key),
        _ => Err(KeyError::Type),
    }
}

/// The key in an `RSAPublicKey` (RFC 8017).
pub(super) fn rsa_public_key(der: &[u8]) -> Result<VerifyingKey, KeyError> {
    let mut key = Reader(Reader(der).expect(SEQUENCE)?);
    let (modulus, exponent) = (key.expect(INTEGER)?, key.expect(INTEGER)?);
    VerifyingKey::rsa(modulus, exponent)
}

/// The key in a certificate (RFC 5280). Only the key is taken: who vouches for it is known
/// otherwise, and whether it is still used is said by the place that publishes it.
pub(super) fn certificate(der: &[u8]) -> Result<VerifyingKey, KeyError> {
    let mut certificate = Reader(Reader(der).expect(SEQUENCE)?);
    let mut fields = Reader(certificate.expect(SEQUENCE)?);
    fields.expect(VERSION)?;
    fields.expect(INTEGER)?;
    // Algorithm, issuer, validity, subject.
    for _ in 0..4 {
        fields.expect(SEQUENCE)?;
    }
    let mut info = Reader(fields.expect(SEQUENCE)?);
    info_in(&mut info)
}
