//! Reading identities.

use kms_api::{
    IdentityId, OrganizationId, Timestamp,
    identities::{
        IdentitiesResponse, IdentityDetails, IdentityDetailsResponse, ListIdentitiesQuery,
        OrganizationIdentitiesResponse, OrganizationIdentity, OrganizationIdentityResponse,
        OrganizationName,
    },
    memberships::{IdentityMembership, IdentityMembershipsResponse, ProjectName},
};
use kms_store::{
    identities::{self, ProjectMembershipRow},
    memberships::RoleRow,
    organizations,
};

use super::{member_to_wire, members_to_wire, unknown_identity, write::own_organization};
use crate::{
    Actor, Caller, Core, Error, Result,
    access::{Action, Attributes, Subject},
    memberships::roles_to_wire,
    text,
};

/// Identities in one answer, at most and when nothing is said.
const MAX_PAGE: i64 = 1_000;

impl Core {
    /// An identity of the caller's organization.
    pub async fn get_identity(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<OrganizationIdentityResponse> {
        require_read(caller, id)?;
        let rows = identities::member(&self.store, caller.organization, id).await?;
        let identity = member_to_wire(&rows).ok_or_else(|| unknown_identity(id))?;
        Ok(OrganizationIdentityResponse { identity })
    }

    /// One page of the identities of the caller's organization, by name.
    pub async fn list_identities(
        &self,
        caller: &Caller,
        query: &ListIdentitiesQuery,
    ) -> Result<IdentitiesResponse> {
        caller.rules.require_some(Action::Read, Subject::Identity)?;
        if let Some(id) = &query.org_id {
            own_organization(caller, "orgId", id)?;
        }
        let offset = text::number("offset", query.offset.as_deref(), 0, 0, i64::MAX)?;
        let limit = text::number("limit", query.limit.as_deref(), MAX_PAGE, 1, MAX_PAGE)?;
        let pattern = pattern_of(query.search.as_deref());
        let (store, org) = (&self.store, caller.organization);
        let rows = identities::members(store, org, &pattern, limit, offset).await?;
        let total_count = identities::count(store, org, &pattern).await?;
        let readable =
            |identity: &OrganizationIdentity| require_read(caller, identity.identity_id).is_ok();
        let identities = members_to_wire(&rows).into_iter().filter(readable).collect();
        Ok(IdentitiesResponse { identities, total_count })
    }

    /// The same on the older route, which names the organization in its path.
    pub async fn list_organization_identities(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        query: &ListIdentitiesQuery,
    ) -> Result<OrganizationIdentitiesResponse> {
        let query = ListIdentitiesQuery { org_id: Some(organization.to_string()), ..query.clone() };
        let IdentitiesResponse { identities, total_count } =
            self.list_identities(caller, &query).await?;
        Ok(OrganizationIdentitiesResponse { identity_memberships: identities, total_count })
    }

    /// The memberships of an identity in projects.
    pub async fn list_projects_of_identity(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<IdentityMembershipsResponse> {
        let member = self.get_identity(caller, id).await?.identity;
        let rows = identities::project_memberships(&self.store, caller.organization, id).await?;
        let of_one = rows.chunk_by(|a, b| a.role.membership_id == b.role.membership_id);
        let identity_memberships: Vec<_> =
            of_one.filter_map(|rows| project_membership(&member, rows)).collect();
        let total_count = i64::try_from(identity_memberships.len()).unwrap_or(i64::MAX);
        Ok(IdentityMembershipsResponse { identity_memberships, total_count })
    }

    /// Who the calling identity is.
    pub async fn identity_details(&self, caller: &Caller) -> Result<IdentityDetailsResponse> {
        let Actor::Identity(identity) = &caller.actor else {
            return Err(Error::forbidden("Only machine identities have details"));
        };
        let organization = organizations::find(&self.store, caller.organization).await?;
        let organization = organization
            .ok_or_else(|| Error::unauthorized("Identity is not a member of the organization"))?;
        Ok(IdentityDetailsResponse {
            identity_details: IdentityDetails {
                organization: OrganizationName {
                    id: organization.id,
                    name: organization.name,
                    slug: organization.slug,
                },
                identity_id: identity.id,
                identity_name: identity.name.to_string(),
                auth_method: identity.auth_method.to_string(),
            },
        })
    }
}

fn require_read(caller: &Caller, id: IdentityId) -> Result<()> {
    let id = id.to_string();
    let about = Attributes { identity_id: Some(&id), ..Attributes::default() };
    caller.rules.require(Action::Read, Subject::Identity, &about)
}

/// The `LIKE` pattern of names that hold a text, whatever its case.
fn pattern_of(search: Option<&str>) -> String {
    let mut pattern = String::from("%");
    for character in search.unwrap_or_default().chars().flat_map(char::to_lowercase) {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

fn project_membership(
    member: &OrganizationIdentity,
    rows: &[ProjectMembershipRow],
) -> Option<IdentityMembership> {
    let first = rows.first()?;
    let roles: Vec<RoleRow> = rows.iter().map(|row| row.role.clone()).collect();
    Some(IdentityMembership {
        id: first.role.membership_id,
        project_id: first.project_id,
        identity_id: member.identity_id,
        created_at: Timestamp(first.created_at),
        updated_at: Timestamp(first.updated_at),
        roles: roles_to_wire(&roles, first.role.membership_id),
        last_login_auth_method: member.last_login_auth_method.clone(),
        last_login_time: member.last_login_time,
        identity: Some(member.identity.clone()),
        project: Some(ProjectName { id: first.project_id, name: first.project_name.clone() }),
    })
}
