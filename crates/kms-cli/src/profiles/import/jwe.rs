//! The file vault of the compatible CLI: compact JWE with `PBES2-HS256+A128KW` and `A256GCM`
//! (RFC 7516, RFC 7518 §4.8).

use aes::{
    Aes128, Block,
    cipher::{BlockDecrypt as _, KeyInit as _},
};
use aes_gcm::{
    Aes256Gcm,
    aead::{Aead as _, Payload},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use zeroize::Zeroizing;

const ALGORITHM: &str = "PBES2-HS256+A128KW";
/// More rounds than anybody uses would stall us for minutes.
const MAX_ROUNDS: u32 = 10_000_000;

#[derive(Deserialize)]
struct Header {
    alg: String,
    enc: String,
    p2c: u32,
    p2s: String,
}

/// Opens it; an error says why not, and quotes nothing.
pub(super) fn open(
    sealed: &[u8],
    passphrase: &SecretString,
) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    const FORM: &str = "it is not sealed in the way of the compatible CLI";
    let text = std::str::from_utf8(sealed).map_err(|_| FORM)?.trim();
    let parts: Vec<&str> = text.split('.').collect();
    let [header, key, nonce, content, tag] = parts.as_slice() else { return Err(FORM) };
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| FORM);
    let associated = *header;
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| FORM)?;
    if header.alg != ALGORITHM || header.enc != "A256GCM" || header.p2c > MAX_ROUNDS {
        return Err(FORM);
    }
    let salt = [ALGORITHM.as_bytes(), &[0], &decode(&header.p2s)?].concat();
    let mut wrapping = Zeroizing::new([0_u8; 16]);
    let secret = passphrase.expose_secret().as_bytes();
    pbkdf2::pbkdf2_hmac::<Sha256>(secret, &salt, header.p2c, &mut *wrapping);
    let key = unwrap(&wrapping, &decode(key)?).ok_or("that is not its passphrase")?;
    let cipher = Aes256Gcm::new_from_slice(&key).map_err(|_| FORM)?;
    let nonce: [u8; 12] = decode(nonce)?.try_into().map_err(|_| FORM)?;
    let sealed = [decode(content)?, decode(tag)?].concat();
    let payload = Payload { msg: &sealed, aad: associated.as_bytes() };
    let plain = cipher.decrypt(&nonce.into(), payload).map_err(|_| "it was changed")?;
    Ok(Zeroizing::new(plain))
}

/// AES key unwrap (RFC 3394); `None` if the wrapping key is another.
fn unwrap(key: &[u8; 16], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const CHECK: [u8; 8] = [0xa6; 8];
    if wrapped.len() != 40 {
        return None;
    }
    let cipher = Aes128::new(key.into());
    let mut check: [u8; 8] = wrapped[..8].try_into().ok()?;
    let mut plain = Zeroizing::new(wrapped[8..].to_vec());
    let count = plain.len() / 8;
    for step in (1..=6 * count).rev() {
        let place = (step - 1) % count * 8;
        let counter = u64::from_be_bytes(check) ^ u64::try_from(step).ok()?;
        let mut block = Block::default();
        block[..8].copy_from_slice(&counter.to_be_bytes());
        block[8..].copy_from_slice(&plain[place..place + 8]);
        cipher.decrypt_block(&mut block);
        check.copy_from_slice(&block[..8]);
        plain[place..place + 8].copy_from_slice(&block[8..]);
    }
    (check == CHECK).then_some(plain)
}
