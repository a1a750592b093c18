//! Machine identities.

mod read;
#[cfg(test)]
mod tests;
mod write;

use kms_api::{
    IdentityId, OrganizationId, Timestamp,
    identities::{Identity, IdentityMetadata, OrganizationIdentity},
};
use kms_store::{
    Tx,
    identities::{self, IdentityRow, MemberRow},
    organizations,
};

use crate::{
    Caller, Core, Error, Result,
    access::{
        Action, Attributes, Subject, identity_facts_mac, identity_mac, organization_membership_mac,
        organization_role,
    },
};

/// The kind of principal, as stored with memberships.
const KIND: &str = "identity";

/// A machine identity to make.
pub(crate) struct NewIdentity {
    /// Its home organization.
    pub(crate) organization: OrganizationId,
    /// Its name.
    pub(crate) name: String,
    /// Its role in the organization, a built-in slug.
    pub(crate) role: String,
    /// Whether a delete is refused.
    pub(crate) has_delete_protection: bool,
    /// What describes it.
    pub(crate) metadata: Option<Vec<IdentityMetadata>>,
    /// Whether it administers the instance.
    pub(crate) is_instance_admin: bool,
}

impl Core {
    /// Adds an identity with a role in its organization, both authenticated.
    pub(crate) async fn insert_identity(
        &self,
        tx: &mut Tx,
        new: NewIdentity,
    ) -> Result<IdentityRow> {
        let now = self.now().micros();
        let mut row = IdentityRow {
            id: self.new_id(),
            org_id: new.organization,
            name: new.name,
            has_delete_protection: new.has_delete_protection,
            metadata: new.metadata.as_deref().map(metadata_to_json).transpose()?,
            epoch: 1,
            is_instance_admin: new.is_instance_admin,
            created_at: now,
            updated_at: now,
            mac: Vec::new(),
            facts_mac: None,
        };
        row.mac = identity_mac(&self.keys.rows, &row).finish().to_vec();
        self.authenticate_facts(&mut row);
        identities::insert(tx, &row).await?;
        let member = (KIND, row.id.uuid());
        self.insert_organization_member(tx, new.organization, member, &new.role).await?;
        Ok(row)
    }

    /// Writes the authentication of what rules may refer to.
    fn authenticate_facts(&self, row: &mut IdentityRow) {
        row.facts_mac = Some(identity_facts_mac(&self.keys.rows, row).finish().to_vec());
    }

    /// An identity of the caller's organization that the caller may do something about.
    ///
    /// One of another organization answers like one that does not exist (attack T1).
    pub(crate) async fn identity_for(
        &self,
        caller: &Caller,
        id: IdentityId,
        action: Action,
    ) -> Result<IdentityRow> {
        let text = id.to_string();
        let about = Attributes { identity_id: Some(&text), ..Attributes::default() };
        caller.rules.require(action, Subject::Identity, &about)?;
        let row = identities::find(&self.store, caller.organization, id).await?;
        let row = row.ok_or_else(|| unknown_identity(id))?;
        identity_mac(&self.keys.rows, &row).verify(&row.mac)?;
        Ok(row)
    }

    /// The same, for what would let the caller act as the identity or take something from it: the
    /// caller must hold everything that the identity holds, everywhere (attack T4).
    pub(crate) async fn identity_to_manage(
        &self,
        caller: &Caller,
        id: IdentityId,
        action: Action,
    ) -> Result<IdentityRow> {
        let identity = self.identity_for(caller, id, action).await?;
        if identity.is_instance_admin && !caller.instance_admin {
            return Err(Error::PermissionBoundary { missing: vec!["instance:admin".into()] });
        }
        for membership in organizations::memberships_of(&self.store, id.uuid(), KIND).await? {
            organization_membership_mac(&self.keys.rows, &membership).verify(&membership.mac)?;
            caller.rules.require_covers(&*organization_role(&membership.role)?)?;
        }
        for held in identities::project_roles(&self.store, id).await? {
            let granted = self.rules_of_role(&held.role, held.custom.0.as_ref())?;
            match self.project_access(caller, held.project_id).await {
                Ok(access) => access.rules.require_covers(&granted)?,
                // Nothing is held where the caller is no member.
                Err(Error::NotFound(_) | Error::Forbidden { .. }) => {
                    crate::access::RuleSet::default().require_covers(&granted)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(identity)
    }
}

/// One text for an identity that does not exist and one of another organization.
pub(crate) fn unknown_identity(id: IdentityId) -> Error {
    Error::not_found(format!("Failed to find identity with id {id}"))
}

fn metadata_to_json(metadata: &[IdentityMetadata]) -> Result<String> {
    serde_json::to_string(metadata).map_err(|error| Error::Internal(Box::new(error)))
}

/// An identity with the names of its auth methods.
fn to_wire(row: &IdentityRow, auth_methods: Vec<String>) -> Identity {
    let metadata = row.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok());
    Identity {
        id: row.id,
        name: row.name.clone(),
        has_delete_protection: row.has_delete_protection,
        org_id: Some(row.org_id),
        auth_method: auth_methods.first().cloned(),
        auth_methods,
        created_at: Some(Timestamp(row.created_at)),
        updated_at: Some(Timestamp(row.updated_at)),
        metadata,
    }
}

/// Members from rows of which each identity has one for every auth method, side by side.
fn members_to_wire(rows: &[MemberRow]) -> Vec<OrganizationIdentity> {
    let of_one = rows.chunk_by(|a, b| a.identity.id == b.identity.id);
    of_one.filter_map(member_to_wire).collect()
}

pub(crate) fn member_to_wire(rows: &[MemberRow]) -> Option<OrganizationIdentity> {
    let first = rows.first()?;
    let methods = rows.iter().filter_map(|row| row.method.clone()).collect();
    Some(OrganizationIdentity {
        id: first.membership.id,
        role: first.membership.role.clone(),
        role_id: None,
        org_id: first.membership.org_id,
        created_at: Timestamp(first.membership.created_at),
        updated_at: Timestamp(first.membership.updated_at),
        identity_id: first.identity.id,
        last_login_auth_method: first.membership.last_login_method.clone(),
        last_login_time: first.membership.last_login_at.map(Timestamp),
        identity: to_wire(&first.identity, methods),
    })
}
