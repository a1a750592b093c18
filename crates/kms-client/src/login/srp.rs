//! SRP-6a as older compatible servers speak it: the group of 4096 bits with generator 5 (RFC 5054,
//! appendix A), SHA-256, and the proof `M1 = H(A | B | K)`, which is not the one of RFC 2945.
//!
//! The server's half there is the npm package `jsrp`. It pads `A` and `B` to the length of the
//! group before it hashes them; the compatible CLI does not, which is the same unless the first
//! byte is zero. We never send such an `A`, and take `B` as the bytes that were sent, which is
//! what `jsrp` hashed.

use crypto_bigint::{
    Odd, U256, U1024, U4096,
    modular::{FixedMontyForm, FixedMontyParams},
};
use kms_api::auth::srp::SrpHelloResponse;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Bytes of a number of the group.
const LENGTH: usize = 512;

/// `N`.
const PRIME: &str = "\
    FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22\
    514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6\
    F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3D\
    C2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB\
    9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E8603\
    9B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
    15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D\
    B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864\
    D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB31\
    43DB5BFCE0FD108E4B82D120A92108011A723C12A787E6D788719A10BDBA5B2699C327186AF4E23C\
    1A946834B6150BDA2583E9CA2AD44CE8DBBBC2DB04DE8EF92E8EFC141FBECAA6287C59474E6BC05D\
    99B2964FA090C3A2233BA186515BE7ED1F612970CEE2D7AFB81BDD762170481CD0069127D5B05AA9\
    93B4EA988D8FDDC186FFB7DC90A6C08F4DF435C934063199FFFFFFFFFFFFFFFF";
const GENERATOR: u8 = 5;

type Number = FixedMontyForm<{ U4096::LIMBS }>;

/// The client's half of one login.
pub(super) struct Handshake {
    group: FixedMontyParams<{ U4096::LIMBS }>,
    /// `a`.
    secret: Zeroizing<[u8; 32]>,
    /// `A`, padded.
    public: [u8; LENGTH],
}

/// Why the server's half cannot be answered. Going on would tell something about the password to
/// whoever sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadServer {
    #[error("its salt is not hexadecimal")]
    Salt,
    #[error("its public key is not hexadecimal, or too long")]
    PublicKey,
    #[error("its public key is out of range")]
    OutOfRange,
    #[error("its public key leads to a shared secret that is none")]
    Scrambler,
}

impl Handshake {
    /// Draws the secret.
    pub(super) fn new() -> Self {
        loop {
            let handshake = Self::with_secret(rand::random());
            if handshake.public[0] != 0 {
                return handshake;
            }
        }
    }

    fn with_secret(secret: [u8; 32]) -> Self {
        let prime = Odd::new(U4096::from_be_hex(PRIME)).expect("the prime is odd");
        let group = FixedMontyParams::new(prime);
        let secret = Zeroizing::new(secret);
        let a = U256::from_be_slice(secret.as_slice());
        let public = padded(&number(&group, &U4096::from_u8(GENERATOR)).pow(&a).retrieve());
        Self { group, secret, public }
    }

    /// `A` in lower-case hexadecimal.
    pub(super) fn public_key(&self) -> String {
        hex::encode(self.public)
    }

    /// Proves, in lower-case hexadecimal, that the password is known.
    pub(super) fn proof(
        &self,
        email: &str,
        password: &SecretString,
        server: &SrpHelloResponse,
    ) -> Result<String, BadServer> {
        let salt = hex::decode(&server.salt).map_err(|_| BadServer::Salt)?;
        let sent = hex::decode(&server.server_public_key).map_err(|_| BadServer::PublicKey)?;
        let shared = self.shared_key(&private_key(email, password, &salt), &sent)?;
        Ok(hex::encode(hash(&[&self.public, &sent, shared.as_slice()])))
    }

    /// `K`, the hash of `S = (B - k g^x) ^ (a + u x)`.
    fn shared_key(&self, x: &[u8; 32], sent: &[u8]) -> Result<Zeroizing<[u8; 32]>, BadServer> {
        if sent.len() > LENGTH {
            return Err(BadServer::PublicKey);
        }
        let mut bytes = [0; LENGTH];
        bytes[LENGTH - sent.len()..].copy_from_slice(sent);
        let server_key = U4096::from_be_slice(&bytes);
        if bool::from(server_key.is_zero()) || &server_key >= self.group.modulus().as_ref() {
            return Err(BadServer::OutOfRange);
        }
        let u = U256::from_be_slice(&hash(&[&self.public, sent]));
        if bool::from(u.is_zero()) {
            return Err(BadServer::Scrambler);
        }
        let generator = number(&self.group, &U4096::from_u8(GENERATOR));
        let x = U256::from_be_slice(x);
        let k = number(&self.group, &self.multiplier());
        let base = number(&self.group, &server_key) - k * generator.pow(&x);
        let a: U1024 = U256::from_be_slice(self.secret.as_slice()).resize();
        let exponent =
            Zeroizing::new(a.wrapping_add(&u.resize::<{ U1024::LIMBS }>().wrapping_mul(&x)));
        let secret = Zeroizing::new(padded(&base.pow(&*exponent).retrieve()));
        Ok(Zeroizing::new(hash(&[secret.as_slice()])))
    }

    /// `k = H(N | g)`, both padded.
    fn multiplier(&self) -> U4096 {
        let prime = padded(self.group.modulus().as_ref());
        let generator = padded(&U4096::from_u8(GENERATOR));
        U256::from_be_slice(&hash(&[&prime, &generator])).resize()
    }
}

/// `x = H(salt | H(email ":" password))`.
fn private_key(email: &str, password: &SecretString, salt: &[u8]) -> Zeroizing<[u8; 32]> {
    let inner = hash(&[email.as_bytes(), b":", password.expose_secret().as_bytes()]);
    Zeroizing::new(hash(&[salt, Zeroizing::new(inner).as_slice()]))
}

fn number(group: &FixedMontyParams<{ U4096::LIMBS }>, value: &U4096) -> Number {
    FixedMontyForm::new(value, group)
}

fn padded(value: &U4096) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes.copy_from_slice(value.to_be_bytes().as_ref());
    bytes
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// What the published package answered; `conformance/node/srp.test.js` keeps it so.
    #[derive(Deserialize)]
    struct Vector {
        email: String,
        password: String,
        a: String,
        salt: String,
        #[serde(rename = "A")]
        client_key: String,
        #[serde(rename = "B")]
        server_key: String,
        #[serde(rename = "K")]
        shared_key: String,
        #[serde(rename = "M1")]
        proof: String,
    }

    fn vectors() -> Vec<Vector> {
        serde_json::from_str(include_str!("srp.json")).unwrap()
    }

    fn secret(hex_text: &str) -> [u8; 32] {
        hex::decode(hex_text).unwrap().try_into().unwrap()
    }

    fn answer(salt: &str, server_key: &str) -> SrpHelloResponse {
        SrpHelloResponse { server_public_key: server_key.into(), salt: salt.into() }
    }

    #[test]
    fn the_published_package_agrees() {
        let vectors = vectors();
        assert!(vectors.len() >= 4);
        for vector in vectors {
            let handshake = Handshake::with_secret(secret(&vector.a));
            assert_eq!(handshake.public_key(), vector.client_key);
            let password = vector.password.as_str().into();
            let salt = hex::decode(&vector.salt).unwrap();
            let x = private_key(&vector.email, &password, &salt);
            let sent = hex::decode(&vector.server_key).unwrap();
            let shared = handshake.shared_key(&x, &sent).unwrap();
            assert_eq!(hex::encode(&*shared), vector.shared_key);
            let server = answer(&vector.salt, &vector.server_key);
            assert_eq!(handshake.proof(&vector.email, &password, &server).unwrap(), vector.proof);
        }
    }

    /// Computed independently of the package, from the formulas.
    #[test]
    fn the_formulas_agree() {
        let handshake = Handshake::with_secret([0x11; 32]);
        let password = "correct horse battery staple".into();
        let salt: Vec<u8> = (0..32).collect();
        let x = private_key("alice@example.com", &password, &salt);
        assert_eq!(
            hex::encode(&*x),
            "4b4e3cd1d64b0c67909c563a93a56345a97efc4d8568568620c9aaa9ab510290"
        );
        assert_eq!(
            hex::encode(&padded(&handshake.multiplier())[480..]),
            "3509477ea9fca66eadb7cf7b1bd0eb508f54d3989a9c988006a7d0b338374dd2"
        );
        assert_eq!(
            hex::encode(hash(&[&handshake.public])),
            "50dac2551f54313f04b95c8d0949c26396f893dca8def9f9ceb00bd67def051d"
        );
        // B = k v + g^b with b = 32 bytes of 0x22.
        let group = &handshake.group;
        let generator = number(group, &U4096::from_u8(GENERATOR));
        let verifier = generator.pow(&U256::from_be_slice(&*x));
        let b = generator.pow(&U256::from_be_slice(&[0x22; 32]));
        let server_key = (number(group, &handshake.multiplier()) * verifier + b).retrieve();
        let server_key = padded(&server_key);
        assert_eq!(
            hex::encode(hash(&[&server_key])),
            "046408750c94b93d08237178b27ff4f7b46a33901264754e6af54d725fc62f25"
        );
        let server = answer(&hex::encode(&salt), &hex::encode(server_key));
        assert_eq!(
            handshake.proof("alice@example.com", &password, &server).unwrap(),
            "b17044e6ce4b24289a5a395dd00b9a5475a22f1d995b8583cade6781e565bcc3"
        );
    }

    #[test]
    fn a_server_key_that_gives_the_secret_away_is_refused() {
        let handshake = Handshake::with_secret([0x11; 32]);
        let zero = "00".repeat(LENGTH);
        let over = "FF".repeat(LENGTH);
        let long = format!("01{zero}");
        for (key, expected) in [
            (zero.as_str(), BadServer::OutOfRange),
            ("", BadServer::OutOfRange),
            (PRIME, BadServer::OutOfRange),
            (over.as_str(), BadServer::OutOfRange),
            (long.as_str(), BadServer::PublicKey),
            ("xyz", BadServer::PublicKey),
        ] {
            let result = handshake.proof("a@b.c", &"p".into(), &answer("00", key));
            assert_eq!(result.unwrap_err(), expected);
        }
        let result = handshake.proof("a@b.c", &"p".into(), &answer("zz", "01"));
        assert_eq!(result.unwrap_err(), BadServer::Salt);
    }

    #[test]
    fn every_login_has_a_secret_of_its_own() {
        let (one, two) = (Handshake::new(), Handshake::new());
        assert_ne!(one.public_key(), two.public_key());
        assert_eq!(one.public_key().len(), 2 * LENGTH);
    }
}
