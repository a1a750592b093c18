//! Organizations, sub-organizations, and the people in them.

use kms_api::{
    accounts::{
        AccountCompleted, CompleteInvitation, InvitationVerified, Invite, Invited, VerifyInvitation,
    },
    organizations::{
        CreateOrganization, CreateSubOrganization, ListSubOrganizationsQuery, OrganizationResponse,
        OrganizationUsersResponse, OrganizationsResponse, SubOrganizationsResponse,
    },
    routes,
};
use reqwest::Method;

use crate::{Client, Error, WithRefresh, http::path};

impl Client {
    /// Lists the organizations that the person may act in.
    pub async fn list_organizations(&self) -> Result<OrganizationsResponse, Error> {
        self.get(routes::ORGANIZATIONS, &()).await
    }

    /// Creates an organization; the person becomes its administrator.
    pub async fn create_organization(
        &self,
        body: &CreateOrganization,
    ) -> Result<OrganizationResponse, Error> {
        self.send(Method::POST, routes::ORGANIZATIONS_V2, body).await
    }

    /// Lists the sub-organizations of the organization of the token.
    pub async fn list_sub_organizations(
        &self,
        query: &ListSubOrganizationsQuery,
    ) -> Result<SubOrganizationsResponse, Error> {
        self.get(routes::SUB_ORGANIZATIONS, query).await
    }

    /// Creates a sub-organization of the organization of the token.
    pub async fn create_sub_organization(
        &self,
        body: &CreateSubOrganization,
    ) -> Result<OrganizationResponse, Error> {
        self.send(Method::POST, routes::SUB_ORGANIZATIONS, body).await
    }

    /// Lists the people of an organization.
    pub async fn list_organization_users(
        &self,
        organization: &str,
    ) -> Result<OrganizationUsersResponse, Error> {
        self.get(&path(routes::ORGANIZATION_MEMBERSHIPS, &[&organization])?, &()).await
    }

    /// Invites people to an organization.
    pub async fn invite(&self, body: &Invite) -> Result<Invited, Error> {
        self.send(Method::POST, routes::INVITE, body).await
    }

    /// Accepts an invitation. Somebody without an account gets a token to complete one with, see
    /// [`Self::complete_invitation`].
    pub async fn verify_invitation(
        &self,
        body: &VerifyInvitation,
    ) -> Result<InvitationVerified, Error> {
        self.post_anonymously(routes::INVITE_VERIFY, body).await
    }

    /// Completes the account of somebody who was invited, by a client that carries the token of
    /// [`Self::verify_invitation`]. The server logs its owner in with that; the session is ended,
    /// since a login chooses an organization and asks for a second factor.
    pub async fn complete_invitation(&self, body: &CompleteInvitation) -> Result<(), Error> {
        let request = self.send_for_session(routes::COMPLETE_INVITATION, body);
        let WithRefresh { answer: AccountCompleted { token, .. }, refresh_token } = request.await?;
        if let Some(refresh_token) = refresh_token {
            // The account is complete, whatever becomes of the session.
            let _ = self.with_token(&token.into())?.logout(&refresh_token).await;
        }
        Ok(())
    }
}
