//! Memberships of identities in projects.

use kms_api::{
    memberships::{
        IdentityMembershipBody, IdentityMembershipResponse, IdentityMembershipsResponse,
        ListMembershipsQuery,
    },
    routes,
};
use reqwest::Method;

use crate::{Client, Error, http::path};

impl Client {
    /// Lists one page of the identities that are members of a project.
    pub async fn list_identity_memberships(
        &self,
        project: &str,
        query: &ListMembershipsQuery,
    ) -> Result<IdentityMembershipsResponse, Error> {
        self.get(&path(routes::PROJECT_IDENTITIES, &[&project])?, query).await
    }

    /// Makes an identity a member of a project.
    pub async fn add_identity_membership(
        &self,
        project: &str,
        identity: &str,
        body: &IdentityMembershipBody,
    ) -> Result<IdentityMembershipResponse, Error> {
        let path = path(routes::PROJECT_IDENTITY, &[&project, &identity])?;
        self.send(Method::POST, &path, body).await
    }

    /// Replaces the roles of an identity in a project.
    pub async fn update_identity_membership(
        &self,
        project: &str,
        identity: &str,
        body: &IdentityMembershipBody,
    ) -> Result<IdentityMembershipResponse, Error> {
        let path = path(routes::PROJECT_IDENTITY, &[&project, &identity])?;
        self.send(Method::PATCH, &path, body).await
    }

    /// Ends the membership of an identity in a project.
    pub async fn remove_identity_membership(
        &self,
        project: &str,
        identity: &str,
    ) -> Result<IdentityMembershipResponse, Error> {
        let path = path(routes::PROJECT_IDENTITY, &[&project, &identity])?;
        self.call(Method::DELETE, &path).await
    }
}
