//! Sub-organizations: one level below a root, with projects, members and identities of their own.

use kms_api::{
    OrganizationId,
    organizations::{
        CreateSubOrganization, ListSubOrganizationsQuery, OrganizationResponse,
        SubOrganizationsResponse, UpdateSubOrganization,
    },
};
use kms_store::{
    StoreError,
    organizations::{self, OrganizationRow},
};

use super::{
    MAX_NAME,
    change::{event, slug_is_taken},
    not_found, to_wire,
};
use crate::{
    Caller, Core, Error, Result,
    access::{Action, Attributes, Subject, organization_mac},
    text,
};

/// The role of whoever makes a sub-organization or joins one by their own right.
const ADMIN: &str = "admin";
/// Sub-organizations on one page, at most and when nothing is said.
const MAX_PAGE: i64 = 1_000;

impl Core {
    /// Makes a sub-organization of the root that the caller acts in; the caller administers it.
    pub async fn create_sub_organization(
        &self,
        caller: &Caller,
        body: &CreateSubOrganization,
    ) -> Result<OrganizationResponse> {
        may(caller, Action::Create)?;
        let name = text::slug("name", &body.name, 1, MAX_NAME)?;
        let slug = body.slug.as_deref().map(|slug| text::slug("slug", slug, 1, MAX_NAME));
        let slug = slug.transpose()?.unwrap_or_else(|| name.clone());
        let mut tx = self.store.begin().await?;
        let root = organizations::find(&mut tx, caller.organization).await?;
        let root = root.ok_or_else(|| not_found(caller.organization))?;
        if root.root_id.is_some() {
            return Err(Error::bad_request("A sub-organization cannot have sub-organizations"));
        }
        let mut row = OrganizationRow {
            parent_id: Some(root.id),
            root_id: Some(root.id),
            tree_id: root.id.uuid(),
            ..self.new_organization(name, slug)?
        };
        row.mac = organization_mac(&self.keys.rows, &row).finish().to_vec();
        match organizations::insert(&mut tx, &row).await {
            Err(StoreError::Duplicate) => return Err(slug_is_taken()),
            other => other?,
        }
        let creator = (caller.actor.kind(), caller.actor.id());
        self.insert_organization_member(&mut tx, row.id, creator, ADMIN).await?;
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("create-sub-organization", &row)));
        tx.commit().await?;
        Ok(OrganizationResponse { organization: to_wire(row) })
    }

    /// One page of the sub-organizations of the root that the caller acts in, by name.
    pub async fn list_sub_organizations(
        &self,
        caller: &Caller,
        query: &ListSubOrganizationsQuery,
    ) -> Result<SubOrganizationsResponse> {
        may(caller, Action::Read)?;
        let offset = text::number("offset", query.offset.as_deref(), 0, 0, i64::MAX)?;
        let limit = text::number("limit", query.limit.as_deref(), MAX_PAGE, 1, MAX_PAGE)?;
        let mut rows = organizations::below(&self.store, caller.organization).await?;
        if query.is_accessible.is_some_and(|only| only.0) {
            let places = self.places_of(caller.actor.kind(), caller.actor.id()).await?;
            rows.retain(|row| places.iter().any(|(place, _)| place.id == row.id));
        }
        let total_count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let page = rows.into_iter().skip(from).take(usize::try_from(limit).unwrap_or_default());
        Ok(SubOrganizationsResponse { organizations: page.map(to_wire).collect(), total_count })
    }

    /// Changes a sub-organization of the root that the caller acts in.
    pub async fn update_sub_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
        body: &UpdateSubOrganization,
    ) -> Result<OrganizationResponse> {
        may(caller, Action::Edit)?;
        let mut tx = self.store.begin().await?;
        let mut row = below(caller, organizations::find(&mut tx, id).await?, id)?;
        if let Some(name) = &body.name {
            row.name = text::slug("name", name, 1, MAX_NAME)?;
        }
        if let Some(slug) = &body.slug {
            row.slug = text::slug("slug", slug, 1, MAX_NAME)?;
        }
        self.update_row(&mut tx, &mut row).await?;
        tx.audit(self.record(caller, &event("update-sub-organization", &row)));
        tx.commit().await?;
        Ok(OrganizationResponse { organization: to_wire(row) })
    }

    /// Deletes a sub-organization of the root that the caller acts in, with everything in it.
    pub async fn delete_sub_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Result<OrganizationResponse> {
        may(caller, Action::Delete)?;
        let mut tx = self.store.begin().await?;
        let row = below(caller, organizations::find(&mut tx, id).await?, id)?;
        self.delete_row(&mut tx, caller, &row).await?;
        tx.audit(self.record(caller, &event("delete-sub-organization", &row)));
        tx.commit().await?;
        Ok(OrganizationResponse { organization: to_wire(row) })
    }

    /// Makes the caller an administrator of a sub-organization of the root that the caller acts
    /// in: for those who may go wherever they want below it.
    pub async fn join_sub_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Result<OrganizationResponse> {
        may(caller, Action::DirectAccess)?;
        let mut tx = self.store.begin().await?;
        let row = below(caller, organizations::find(&mut tx, id).await?, id)?;
        let principal = (caller.actor.kind(), caller.actor.id());
        match self.insert_organization_member(&mut tx, id, principal, ADMIN).await {
            Err(StoreError::Duplicate) => {
                return Err(Error::bad_request("Already a member of the sub-organization"));
            }
            other => other?,
        };
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("join-sub-organization", &row)));
        // Those who work there find it in their own log too.
        let actor = crate::audit::AuditActor {
            kind: caller.actor.kind(),
            id: Some(caller.actor.id()),
            metadata: caller.actor_metadata.clone(),
        };
        let joined = event("join-sub-organization", &row);
        tx.audit(self.record_of(row.id, &actor, &caller.origin, &joined));
        tx.commit().await?;
        Ok(OrganizationResponse { organization: to_wire(row) })
    }
}

fn may(caller: &Caller, action: Action) -> Result<()> {
    caller.rules.require(action, Subject::SubOrganization, &Attributes::default())
}

/// A sub-organization below the organization of the token; every other organization answers as
/// one that is not there (attack T1).
fn below(
    caller: &Caller,
    row: Option<OrganizationRow>,
    id: OrganizationId,
) -> Result<OrganizationRow> {
    row.filter(|row| row.root_id == Some(caller.organization)).ok_or_else(|| not_found(id))
}
