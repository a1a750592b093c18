//! The version that a server of our kind tells with every answer.

use kms_api::status::VERSION_HEADER;
use reqwest::header::HeaderMap;

/// No version is longer; what is, is something else.
const LONGEST: usize = 32;

/// The version of the server that sent these headers. None if it told none, or what no version
/// looks like: it is shown to people.
pub(crate) fn of(headers: &HeaderMap) -> Option<String> {
    plain(headers.get(VERSION_HEADER)?.to_str().ok()?)
}

/// The text, if it looks like a version.
pub(crate) fn plain(text: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    let begins = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
    (begins && text.len() <= LONGEST && text.bytes().all(is_plain)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn l11_only_what_looks_like_a_version_is_one() {
        let of = |text: &[u8]| {
            let value = HeaderValue::from_bytes(text).unwrap();
            super::of(&[(VERSION_HEADER.parse().unwrap(), value)].into_iter().collect())
        };
        assert_eq!(of(b"1.2.3-rc.1+a").as_deref(), Some("1.2.3-rc.1+a"));
        for text in [&b""[..], b"v1", b"1.2; rm", b"1.2 now", b"1\xe2\x80\xae2", &[b'1'; 33]] {
            assert_eq!(of(text), None);
        }
        assert_eq!(super::of(&HeaderMap::new()), None);
    }
}
