//! What a certificate says about itself, for people. Nothing here decides whether it is good.

use kms_api::Timestamp;
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// A certificate that a server has shown. What could not be read of it is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for: the common name, else the organization.
    pub subject: Option<String>,
    /// Who issued it.
    pub issuer: Option<String>,
    /// Until when it is good.
    pub ends_at: Option<Timestamp>,
}

impl Certificate {
    pub(crate) fn of(der: &CertificateDer<'_>) -> Self {
        let read = EndEntityCert::try_from(der).ok();
        let name = |of: fn(&EndEntityCert<'_>) -> Option<String>| read.as_ref().and_then(of);
        Self {
            subject: name(|it| common_name(it.subject())),
            issuer: name(|it| common_name(it.issuer())),
            ends_at: ends_at(der),
        }
    }
}

/// The common name, else the organization, of a distinguished name in DER.
pub(crate) fn common_name(name: &[u8]) -> Option<String> {
    // X.520 attribute types 2.5.4.3 and 2.5.4.10, each as a whole object identifier.
    const TYPES: [[u8; 5]; 2] = [[6, 3, 0x55, 4, 3], [6, 3, 0x55, 4, 10]];
    TYPES.iter().find_map(|oid| {
        let at = name.windows(oid.len()).rposition(|window| window == oid)? + oid.len();
        // A string's tag, a length below 128, the text. Longer names are no names to show.
        let (length, text) = name.get(at + 1..)?.split_first()?;
        let text = text.get(..usize::from(*length))?;
        std::str::from_utf8(text).ok().map(str::to_owned)
    })
}

/// `notAfter` (RFC 5280, section 4.1.2.5).
fn ends_at(der: &[u8]) -> Option<Timestamp> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let mut certificate = inside(&mut &*der, SEQUENCE)?;
    let mut fields = inside(&mut certificate, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        element(&mut fields)?;
    }
    // The serial number, the algorithm of the signature, and the issuer.
    for _ in 0..3 {
        element(&mut fields)?;
    }
    let mut validity = inside(&mut fields, SEQUENCE)?;
    element(&mut validity)?;
    let (tag, text) = element(&mut validity)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

fn inside<'a>(bytes: &mut &'a [u8], wanted: u8) -> Option<&'a [u8]> {
    element(bytes).filter(|(tag, _)| *tag == wanted).map(|(_, content)| content)
}

/// Takes tag and content of the first element.
fn element<'a>(bytes: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&[tag, first], mut rest) = bytes.split_first_chunk::<2>()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    *bytes = after;
    Some((tag, content))
}

/// Both forms of a time; of two digits for a year, those from 50 on are of the former century.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let full = match tag {
        0x17 if text.get(..2)? < "50" => format!("20{text}"),
        0x17 => format!("19{text}"),
        0x18 => text.to_owned(),
        _ => return None,
    };
    let part = |from: usize| full.get(from..from + 2);
    let (year, month, day) = (full.get(..4)?, part(4)?, part(6)?);
    let (hour, minute, second) = (part(8)?, part(10)?, part(12)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_from_its_last_part() {
        let attribute = |kind: u8, text: &str| {
            let mut der = vec![6, 3, 0x55, 4, kind, 0x0c, u8::try_from(text.len()).unwrap()];
            der.extend_from_slice(text.as_bytes());
            der
        };
        let name = [attribute(10, "Corp"), attribute(3, "Corp Root CA")].concat();
        assert_eq!(common_name(&name).as_deref(), Some("Corp Root CA"));
        assert_eq!(common_name(&attribute(10, "Corp")).as_deref(), Some("Corp"));
        assert_eq!(common_name(&attribute(6, "DE")), None);
        assert_eq!(common_name(&[6, 3, 0x55, 4, 3, 0x0c, 200, b'x']), None);
        assert_eq!(common_name(&[6, 3, 0x55, 4, 3]), None);
    }

    #[test]
    fn both_forms_of_a_time_are_read() {
        let is = |tag, text: &str, expected: &str| {
            assert_eq!(time(tag, text), Some(expected.parse().unwrap()), "{text}");
        };
        is(0x17, "270102030405Z", "2027-01-02T03:04:05Z");
        is(0x17, "990102030405Z", "1999-01-02T03:04:05Z");
        is(0x18, "20510102030405Z", "2051-01-02T03:04:05Z");
        assert_eq!(time(0x17, "27010203Z"), None);
        assert_eq!(time(0x0c, "270102030405Z"), None);
    }

    #[test]
    fn what_is_no_certificate_tells_nothing() {
        for bytes in [&b""[..], &[0x30], &[0x30, 0x84, 1], &[0x30, 0x89, 0, 0], &[0x30, 2, 0x30, 9]]
        {
            assert_eq!(ends_at(bytes), None);
        }
    }
}
