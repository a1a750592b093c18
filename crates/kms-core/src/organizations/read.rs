//! What people see of their organizations.

use kms_api::{
    OrganizationId, Timestamp,
    organizations::{
        AccessibleOrganization, AccessibleOrganizationsResponse, AccessibleSubOrganization,
        EnvironmentName, Organization, OrganizationResponse, OrganizationWorkspace,
        OrganizationWorkspacesResponse, OrganizationsResponse,
    },
    projects::ListProjectsQuery,
};
use kms_store::organizations::{self, OrganizationMembershipRow, OrganizationRow};
use uuid::Uuid;

use super::{not_found, own, to_wire};
use crate::{Caller, Core, Result, SignedIn, access::is_acting_member};

/// An organization that somebody may act in, and the membership that says so.
pub(super) type Place = (OrganizationRow, OrganizationMembershipRow);

impl Core {
    /// The root organizations that a person may act in; none needs to be chosen yet.
    pub async fn list_organizations(&self, person: &SignedIn) -> Result<OrganizationsResponse> {
        let places = self.places_within_reach(person).await?;
        let roots = places.into_iter().filter(|(row, _)| row.root_id.is_none());
        let organizations = roots.map(|(row, membership)| Organization {
            user_role: Some(membership.role),
            user_joined_at: Some(Timestamp(membership.created_at)),
            ..to_wire(row)
        });
        Ok(OrganizationsResponse { organizations: organizations.collect() })
    }

    /// The same, each with the sub-organizations that the person may act in, by name.
    pub async fn list_accessible_organizations(
        &self,
        person: &SignedIn,
    ) -> Result<AccessibleOrganizationsResponse> {
        let mut places = self.places_within_reach(person).await?;
        places.sort_by(|(a, _), (b, _)| (&a.name, a.id).cmp(&(&b.name, b.id)));
        let below = |root: OrganizationId| {
            let below = places.iter().filter(move |(row, _)| row.root_id == Some(root));
            below.map(|(row, _)| AccessibleSubOrganization {
                id: row.id,
                name: row.name.clone(),
                slug: row.slug.clone(),
            })
        };
        let roots = places.iter().filter(|(row, _)| row.root_id.is_none());
        let organizations = roots.map(|(row, membership)| AccessibleOrganization {
            id: row.id,
            name: row.name.clone(),
            slug: row.slug.clone(),
            created_at: Timestamp(row.created_at),
            user_joined_at: Some(Timestamp(membership.created_at)),
            sub_organizations: below(row.id).collect(),
        });
        Ok(AccessibleOrganizationsResponse { organizations: organizations.collect() })
    }

    /// The organization that the caller acts in.
    pub async fn get_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Result<OrganizationResponse> {
        own(caller, id)?;
        let row = organizations::find(&self.store, id).await?.ok_or_else(|| not_found(id))?;
        Ok(OrganizationResponse { organization: to_wire(row) })
    }

    /// The projects of the organization that the caller is a member of.
    pub async fn list_organization_workspaces(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Result<OrganizationWorkspacesResponse> {
        own(caller, id)?;
        let projects = self.list_projects(caller, &ListProjectsQuery::default()).await?.projects;
        let workspaces = projects.into_iter().map(|project| OrganizationWorkspace {
            id: project.id,
            name: project.name,
            slug: project.slug,
            organization: project.org_id,
            environments: project
                .environments
                .into_iter()
                .map(|row| EnvironmentName { name: row.name, slug: row.slug })
                .collect(),
        });
        Ok(OrganizationWorkspacesResponse { workspaces: workspaces.collect() })
    }

    /// All organizations and sub-organizations that somebody may act in and that their login
    /// reaches: what came through one organization's provider knows of no other (attack H6).
    async fn places_within_reach(&self, person: &SignedIn) -> Result<Vec<Place>> {
        let bounds = self.bounds_of(person).await?;
        let mut places = self.places_of("user", person.user.id.uuid()).await?;
        places.retain(|(row, _)| bounds.is_none_or(|root| row.root_id.unwrap_or(row.id) == root));
        Ok(places)
    }

    /// All organizations and sub-organizations that a principal may act in.
    pub(crate) async fn places_of(&self, kind: &str, principal: Uuid) -> Result<Vec<Place>> {
        let memberships = organizations::memberships_of(&self.store, principal, kind).await?;
        let rows = organizations::of_principal(&self.store, principal, kind).await?;
        let mut places = Vec::new();
        for row in rows {
            let membership = memberships.iter().find(|membership| membership.org_id == row.id);
            let Some(membership) = membership else { continue };
            if is_acting_member(&self.keys.rows, row.id, membership)? {
                places.push((row, membership.clone()));
            }
        }
        Ok(places)
    }
}
