//! Programs, their owners and others at authorization codes.

mod codes;
mod standing;

use kms_api::{
    OrganizationId,
    auth::user::PasswordLogin,
    oauth::{CLI_CLIENT, TokenRequest, TokenResponse},
};
use kms_store::Source as _;
use secrecy::ExposeSecret as _;

use super::{LoginRequest, OAuthError};
use crate::{
    Result, SignedIn,
    people::tests::{EMAIL, Login, PASSWORD, login_of},
    testing::{
        World,
        machines::{HOME, from},
    },
};

const ISSUER: &str = "https://kms.example.test";
const HERE: &str = "http://127.0.0.1:50123/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The request of a program that has [`VERIFIER`].
fn asked() -> LoginRequest {
    let pairs = [
        ("response_type", "code"),
        ("client_id", CLI_CLIENT),
        ("redirect_uri", HERE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s7"),
        ("host", "laptop"),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    LoginRequest::read(&pairs, ISSUER).unwrap()
}

/// What the program trades a code with.
fn trade(code: &str) -> TokenRequest {
    TokenRequest {
        grant_type: "authorization_code".into(),
        client_id: Some(CLI_CLIENT.into()),
        code: Some(code.into()),
        redirect_uri: Some(HERE.into()),
        code_verifier: Some(VERIFIER.into()),
        device_code: None,
        refresh_token: None,
    }
}

fn renewal(refresh: &str) -> TokenRequest {
    TokenRequest {
        grant_type: "refresh_token".into(),
        refresh_token: Some(refresh.into()),
        code: None,
        code_verifier: None,
        redirect_uri: None,
        ..trade("")
    }
}

fn login(answer: TokenResponse) -> Login {
    Login { access: answer.access_token, refresh: answer.refresh_token }
}

/// The RFC's word for why there are no tokens.
#[track_caller]
fn word<T>(result: Result<T, OAuthError>) -> &'static str {
    match result {
        Ok(_) => panic!("it was let through"),
        Err(error) => error.code().unwrap_or_else(|| panic!("another error: {error}")),
    }
}

impl World {
    /// Ada at a page, logged in.
    async fn at_page(&self) -> SignedIn {
        self.ada().await;
        let body = PasswordLogin { email: EMAIL.into(), password: PASSWORD.into() };
        let page = self.core.page_login(&body, None, &from(HOME)).await.unwrap();
        self.core.authenticate_page(page.token.expose_secret(), from(HOME)).await.unwrap()
    }

    async fn confirm(&self, page: &SignedIn, organization: OrganizationId) -> Result<String> {
        let address = self.core.confirm_login(page, &asked(), organization).await?;
        let rest = address.strip_prefix(&format!("{HERE}?code=")).expect("an address with a code");
        let (code, rest) = rest.split_once('&').unwrap();
        assert_eq!(rest, "state=s7&iss=https%3A%2F%2Fkms%2Eexample%2Etest");
        Ok(code.to_owned())
    }

    /// A code for our organization.
    async fn code(&self, page: &SignedIn) -> String {
        self.confirm(page, self.ours.organization).await.unwrap()
    }

    async fn tokens_for(&self, body: &TokenRequest) -> Result<TokenResponse, OAuthError> {
        self.core.token(body, &from(HOME)).await
    }

    /// The last audit records of a kind: their organization and what they say.
    async fn records(&self, kind: &'static str) -> Vec<(uuid::Uuid, String)> {
        let sql = "SELECT org_id, event_metadata FROM audit_logs WHERE event_type = $1
            ORDER BY created_at, seq";
        (&self.store).fetch_all(sql, (kind,)).await.unwrap()
    }
}
