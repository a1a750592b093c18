//! A person's login and session: one call per route.
//!
//! The order of a login: [`Client::login_with_password`], then [`Client::select_organization`]
//! with the token of the former; where that asks for a second factor, [`Client::verify_mfa`] with
//! the token that it gave, then [`Client::select_organization`] once more. Each call is made by a
//! client that carries the token of the step before, see [`Client::with_token`].

use kms_api::{
    OrganizationId,
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

use crate::{Client, Error, WithRefresh, http::Auth};

impl Client {
    /// Logs a person in. The token of the answer stands for no organization yet.
    pub async fn login_with_password(
        &self,
        email: &str,
        password: &SecretString,
    ) -> Result<WithRefresh<PasswordLoginResponse>, Error> {
        let body = PasswordLogin { email: email.to_owned(), password: password.clone() };
        self.post_anonymously_for_session(routes::USER_LOGIN, &body).await
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
