//! The login page of a compatible server, which hands the session it has made to a program that
//! listens on this machine (wire contract, clients, section 4.7).
//!
//! Nothing ties what arrives to the login that was asked for, so none of it counts before the server
//! has said that the token is good ([`Client::accept_handover`]).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kms_api::{handover::HandOver, routes};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::{Client, Error};

/// What was handed over, not yet verified.
pub struct HandedOver {
    token: SecretString,
    email: String,
    refresh_token: Option<SecretString>,
}

impl fmt::Debug for HandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandedOver").finish_non_exhaustive()
    }
}

/// A session that the server knows.
#[derive(Debug)]
pub struct VerifiedHandover {
    /// Carries the access token.
    pub client: Client,
    /// The access token.
    pub access_token: SecretString,
    /// The refresh token, where the page had one.
    pub refresh_token: Option<SecretString>,
    /// The person's e-mail address: the server's word where it has one, else the page's.
    pub email: String,
}

impl HandedOver {
    /// Reads what a page posts: exactly this shape.
    pub fn posted(body: &[u8]) -> Option<Self> {
        // An array would do for a struct.
        if !body.trim_ascii_start().starts_with(b"{") {
            return None;
        }
        let HandOver { token, email, private_key, refresh_token } =
            serde_json::from_slice(body).ok()?;
        drop(Zeroizing::new(private_key));
        if token.is_empty() || email.is_empty() {
            return None;
        }
        let refresh_token = refresh_token.filter(|token| !token.is_empty()).map(Into::into);
        Some(Self { token: token.into(), email, refresh_token })
    }

    /// Reads the text that a page shows where it could not post: base64 of the same.
    pub fn pasted(text: &str) -> Option<Self> {
        let text: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
        let body = Zeroizing::new(STANDARD.decode(&*text).ok()?);
        Self::posted(&body)
    }
}

impl Client {
    /// Where a browser logs in and hands over to a port of this machine.
    pub fn handover_address(&self, port: u16) -> String {
        self.origin().join(&format!("{}?callback_port={port}", routes::LOGIN))
    }

    /// Asks the server whether what was handed over is a session of its own.
    pub async fn accept_handover(&self, handed: HandedOver) -> Result<VerifiedHandover, Error> {
        let HandedOver { token, email, refresh_token } = handed;
        let client = self.with_token(&token)?;
        client.check_auth().await?;
        // Only for the address; older servers keep it elsewhere.
        let email = client.me().await.map_or(email, |answer| answer.user.email);
        Ok(VerifiedHandover { client, access_token: token, refresh_token, email })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l1_only_the_one_shape_is_a_session() {
        let good = r#"{"JTWToken":"t","email":"a@b.c","privateKey":""}"#;
        assert!(HandedOver::posted(good.as_bytes()).is_some());
        let with_refresh = r#"{"JTWToken":"t","email":"a@b.c","privateKey":"","RefreshToken":"r"}"#;
        assert!(HandedOver::posted(with_refresh.as_bytes()).unwrap().refresh_token.is_some());
        for bad in [
            "",
            "null",
            "[]",
            r#"["t","a@b.c",""]"#,
            r#"{"JTWToken":"t","email":"a@b.c"}"#,
            r#"{"JTWToken":"","email":"a@b.c","privateKey":""}"#,
            r#"{"JTWToken":"t","email":"","privateKey":""}"#,
            r#"{"JWTToken":"t","email":"a@b.c","privateKey":""}"#,
            r#"{"JTWToken":"t","email":"a@b.c","privateKey":"","more":1}"#,
            r#"{"JTWToken":"t","JTWToken":"u","email":"a@b.c","privateKey":""}"#,
            r#"{"JTWToken":1,"email":"a@b.c","privateKey":""}"#,
        ] {
            assert!(HandedOver::posted(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_pasted_text_is_base64_of_the_same() {
        let text = STANDARD.encode(r#"{"JTWToken":"t","email":"a@b.c","privateKey":""}"#);
        let (first, rest) = text.split_at(10);
        assert!(HandedOver::pasted(&format!(" {first}\n{rest} ")).is_some());
        assert!(HandedOver::pasted("not base64!").is_none());
        assert!(HandedOver::pasted("dGV4dA==").is_none());
    }
}
