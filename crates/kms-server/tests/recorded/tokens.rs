//! Tokens that the older server was shown and that must not be believed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// What a forger makes of a good token; nothing where that needs the server's own key.
pub(crate) fn spoil(token: &str, how: &str) -> Option<String> {
    let (signed, _) = token.rsplit_once('.').unwrap();
    let (_, payload) = signed.split_once('.').unwrap();
    match how {
        "forged" => Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode([7; 32]))),
        "unsigned" => {
            let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
            Some(format!("{header}.{payload}."))
        }
        "signedByUs" => None,
        _ => panic!("no such forgery: {how}"),
    }
}
