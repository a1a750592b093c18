//! A person's login and session: one call per route.
//!
//! The order of a login: [`Client::login_with_password`], then [`Client::select_organization`]
//! with the token of the former; where that asks for a second factor, [`Client::verify_mfa`] with
//! the token that it gave, then [`Client::select_organization`] once more. Each call is made by a
//! client that carries the token of the step before, see [`Client::with_token`].

use kms_api::{
    OrganizationId,
    auth::srp::{LEGACY_ENCRYPTION_SCHEME, SrpHello, SrpHelloResponse, SrpProof, SrpProofResponse},
    auth::user::{
        Done, MfaVerified, PasswordLogin, PasswordLoginResponse, Refreshed, SelectOrganization,
        SelectedOrganization, VerifyMfa, VerifyRecoveryCode,
    },
    organizations::AccessibleOrganizationsResponse,
    routes,
    users::UserResponse,
};
use reqwest::Method;
use secrecy::SecretString;

use super::srp::Handshake;
use crate::{Client, Error, WithRefresh, http::Auth};

/// E-mail address and password were right.
#[derive(Debug)]
pub struct PasswordAccepted {
    /// An access token that stands for no organization yet. Where a second factor is asked for, it
    /// is good for giving that and for nothing else.
    pub token: SecretString,
    /// Whether a second factor is asked for now, before an organization was chosen. Only older
    /// compatible servers do so.
    pub second_factor: bool,
}

impl Client {
    /// Logs a person in with an e-mail address and a password.
    ///
    /// A server that says it can't check the password itself gets the proof of SRP in its place;
    /// any other refusal is final, so that a wrong password costs one attempt.
    pub async fn login_with_password(
        &self,
        email: &str,
        password: &SecretString,
    ) -> Result<WithRefresh<PasswordAccepted>, Error> {
        let body = PasswordLogin { email: email.to_owned(), password: password.clone() };
        let login = self.post_anonymously_for_session(routes::USER_LOGIN, &body).await;
        match login {
            Ok(login) => {
                let PasswordLoginResponse { access_token } = login.answer;
                let answer = PasswordAccepted { token: access_token.into(), second_factor: false };
                Ok(WithRefresh { answer, refresh_token: login.refresh_token })
            }
            Err(Error::Status { body, .. }) if body.error == LEGACY_ENCRYPTION_SCHEME => {
                self.login_with_srp(email, password).await
            }
            Err(error) => Err(error),
        }
    }

    /// Proves by SRP that the password is known. The password itself goes along only if the server
    /// insists: some versions demand it to move the account to their present scheme.
    async fn login_with_srp(
        &self,
        email: &str,
        password: &SecretString,
    ) -> Result<WithRefresh<PasswordAccepted>, Error> {
        let handshake = Handshake::new();
        let hello = SrpHello { email: email.to_owned(), client_public_key: handshake.public_key() };
        let server: SrpHelloResponse =
            self.post_anonymously(routes::USER_LOGIN_SRP_1, &hello).await?;
        let proof = handshake.proof(email, password, &server).map_err(|cause| {
            Error::UnexpectedAnswer { origin: self.origin().clone(), cause: cause.into() }
        })?;
        let mut body = SrpProof { email: email.to_owned(), client_proof: proof, password: None };
        let mut login: Result<WithRefresh<SrpProofResponse>, _> =
            self.post_anonymously_for_session(routes::USER_LOGIN_SRP_2, &body).await;
        if login.as_ref().is_err_and(misses_password) {
            body.password = Some(password.clone());
            login = self.post_anonymously_for_session(routes::USER_LOGIN_SRP_2, &body).await;
        }
        let WithRefresh { answer, refresh_token } = login?;
        let answer =
            PasswordAccepted { token: answer.token.into(), second_factor: answer.mfa_enabled };
        Ok(WithRefresh { answer, refresh_token })
    }

    /// Lists the organizations that the person is a member of, each with its sub-organizations.
    /// Older compatible servers do not know the route (status 404).
    pub async fn list_accessible_organizations(
        &self,
    ) -> Result<AccessibleOrganizationsResponse, Error> {
        self.get(routes::ACCESSIBLE_ORGANIZATIONS, &()).await
    }

    /// Chooses the organization or sub-organization to act in. Where the answer asks for a second
    /// factor, its token is good for giving that and for nothing else.
    pub async fn select_organization(
        &self,
        organization: OrganizationId,
    ) -> Result<WithRefresh<SelectedOrganization>, Error> {
        let body = SelectOrganization { organization_id: organization, user_agent: None };
        self.send_for_session(routes::SELECT_ORGANIZATION, &body).await
    }

    /// Has the code of a second factor mailed (again).
    pub async fn send_mfa_code(&self) -> Result<Done, Error> {
        self.call(Method::POST, routes::MFA_SEND).await
    }

    /// Gives a code of the second factor.
    pub async fn verify_mfa(&self, body: &VerifyMfa) -> Result<WithRefresh<MfaVerified>, Error> {
        self.send_for_session(routes::MFA_VERIFY, body).await
    }

    /// Gives a recovery code in place of the second factor.
    pub async fn verify_recovery_code(
        &self,
        code: &SecretString,
    ) -> Result<WithRefresh<MfaVerified>, Error> {
        let body = VerifyRecoveryCode { recovery_code: code.clone() };
        self.send_for_session(routes::MFA_VERIFY_RECOVERY_CODE, &body).await
    }

    /// Asks whether the person's token is good; an error says that it is not, or why nobody knows.
    pub async fn check_auth(&self) -> Result<Done, Error> {
        self.call(Method::POST, routes::CHECK_AUTH).await
    }

    /// Trades a refresh token for a new access token. Where the answer has a new refresh token,
    /// the given one ends: keep the new one before anything else is done.
    pub async fn refresh(
        &self,
        refresh_token: &SecretString,
    ) -> Result<WithRefresh<Refreshed>, Error> {
        self.post_refresh_token(routes::REFRESH, refresh_token, Auth::None).await
    }

    /// Ends the session of a refresh token. The client's access token goes along, since some
    /// compatible servers ask for it.
    pub async fn logout(&self, refresh_token: &SecretString) -> Result<Done, Error> {
        Ok(self.post_refresh_token(routes::LOGOUT, refresh_token, Auth::Token).await?.answer)
    }

    /// Reads the person that the token stands for.
    pub async fn me(&self) -> Result<UserResponse, Error> {
        self.get(routes::USERS_ME, &()).await
    }
}

/// Whether a body was refused because it has no `password`: the proof was not looked at.
fn misses_password(error: &Error) -> bool {
    let Error::Status { body, .. } = error else { return false };
    let issues = body.message.as_array();
    issues.is_some_and(|issues| issues.iter().any(|issue| issue["path"][0] == "password"))
}
