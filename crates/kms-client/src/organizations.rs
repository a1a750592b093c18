//! Organizations, sub-organizations, and the people in them.

use kms_api::{
    accounts::{Invite, Invited},
    organizations::{
        CreateOrganization, CreateSubOrganization, ListSubOrganizationsQuery, OrganizationResponse,
        OrganizationUsersResponse, OrganizationsResponse, SubOrganizationsResponse,
    },
    routes,
};
use reqwest::Method;

use crate::{Client, Error, http::path};

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
}
