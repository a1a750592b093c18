//! Making, changing and deleting identities.

use kms_api::{
    IdentityId, OrganizationId,
    identities::{CreateIdentity, Identity, IdentityMetadata, IdentityResponse, UpdateIdentity},
};
use kms_store::{
    identities::{self, IdentityRow, MemberRow},
    organization_memberships,
};

use super::{NewIdentity, metadata_to_json, to_wire, unknown_identity};
use crate::{
    Caller, Core, Error, Result,
    access::{
        Action, Attributes, Subject, identity_facts_mac, identity_mac, organization_membership_mac,
        organization_role,
    },
    audit::Event,
    text,
};

/// The longest name, in characters.
const MAX_NAME: usize = 255;
/// The longest key and value of metadata, in characters.
const MAX_METADATA: usize = 1_024;
/// Keys and values that one identity has, at most.
const MAX_METADATA_PAIRS: usize = 100;
/// What an identity is in its organization unless somebody says otherwise.
const DEFAULT_ROLE: &str = "no-access";

impl Core {
    /// Makes an identity in the caller's organization.
    pub async fn create_identity(
        &self,
        caller: &Caller,
        body: &CreateIdentity,
    ) -> Result<IdentityResponse> {
        caller.rules.require(Action::Create, Subject::Identity, &Attributes::default())?;
        if let Some(id) = &body.organization_id {
            own_organization(caller, "organizationId", id)?;
        }
        let name = text::name("name", &body.name, MAX_NAME)?;
        check_metadata(body.metadata.as_deref())?;
        let role = body.role.as_deref().unwrap_or(DEFAULT_ROLE);
        caller.rules.require_covers(&*organization_role(role)?)?;
        let new = NewIdentity {
            organization: caller.organization,
            name,
            role: role.to_owned(),
            has_delete_protection: body.has_delete_protection.unwrap_or(false),
            metadata: body.metadata.clone(),
            is_instance_admin: false,
        };
        let mut tx = self.store.begin().await?;
        let row = self.insert_identity(&mut tx, new).await?;
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("create-identity", &row, Some(role))));
        tx.commit().await?;
        Ok(IdentityResponse { identity: to_wire(&row, Vec::new()) })
    }

    /// Changes an identity and its role in the organization.
    pub async fn update_identity(
        &self,
        caller: &Caller,
        id: IdentityId,
        body: &UpdateIdentity,
    ) -> Result<IdentityResponse> {
        self.identity_to_manage(caller, id, Action::Edit).await?;
        if let Some(role) = &body.role {
            caller.rules.require_covers(&*organization_role(role)?)?;
        }
        check_metadata(body.metadata.as_deref())?;
        let now = self.now().micros();
        let mut tx = self.store.begin().await?;
        let members = identities::member(&mut tx, caller.organization, id).await?;
        let MemberRow { identity: mut row, mut membership, .. } =
            members.first().cloned().ok_or_else(|| unknown_identity(id))?;
        let told = self.tells_facts(&row, body)?;
        identity_mac(&self.keys.rows, &row).verify(&row.mac)?;
        organization_membership_mac(&self.keys.rows, &membership).verify(&membership.mac)?;
        if let Some(name) = &body.name {
            row.name = text::name("name", name, MAX_NAME)?;
        }
        if let Some(metadata) = &body.metadata {
            row.metadata = Some(metadata_to_json(metadata)?);
        }
        row.has_delete_protection = body.has_delete_protection.unwrap_or(row.has_delete_protection);
        row.updated_at = now;
        row.mac = identity_mac(&self.keys.rows, &row).finish().to_vec();
        if told {
            self.authenticate_facts(&mut row);
        }
        if !identities::update(&mut tx, &row).await? {
            return Err(unknown_identity(id));
        }
        if let Some(role) = &body.role {
            membership.role.clone_from(role);
            membership.updated_at = now;
            let mac = organization_membership_mac(&self.keys.rows, &membership);
            membership.mac = mac.finish().to_vec();
            organization_memberships::update(&mut tx, &membership).await?;
        }
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("update-identity", &row, body.role.as_deref())));
        tx.commit().await?;
        Ok(IdentityResponse { identity: with_methods(&row, members) })
    }

    /// Whether rules may refer to an identity's name and metadata after a change. What stays as it
    /// is must have been authentic before: a change must not sign what it did not look at
    /// (attack K8).
    fn tells_facts(&self, row: &IdentityRow, body: &UpdateIdentity) -> Result<bool> {
        let Some(mac) = &row.facts_mac else {
            return Ok(body.name.is_some() && body.metadata.is_some());
        };
        identity_facts_mac(&self.keys.rows, row).verify(mac)?;
        Ok(true)
    }

    /// Deletes an identity and all that it has; its tokens end at once.
    pub async fn delete_identity(
        &self,
        caller: &Caller,
        id: IdentityId,
    ) -> Result<IdentityResponse> {
        self.identity_to_manage(caller, id, Action::Delete).await?;
        let mut tx = self.store.begin().await?;
        let members = identities::member(&mut tx, caller.organization, id).await?;
        let row = members.first().map(|member| member.identity.clone());
        let row = row.ok_or_else(|| unknown_identity(id))?;
        if row.has_delete_protection {
            return Err(Error::bad_request("Identity has delete protection"));
        }
        if !identities::delete(&mut tx, caller.organization, id).await? {
            return Err(unknown_identity(id));
        }
        self.touches_rights(&mut tx);
        tx.audit(self.record(caller, &event("delete-identity", &row, None)));
        tx.commit().await?;
        Ok(IdentityResponse { identity: with_methods(&row, members) })
    }
}

/// The organization named in a request must be that of the token; every other answers as one
/// that does not exist (attack T1).
pub(super) fn own_organization(caller: &Caller, field: &str, id: &str) -> Result<()> {
    let id: OrganizationId = id.parse().map_err(|_| Error::field(field, "Invalid uuid"))?;
    if id == caller.organization {
        return Ok(());
    }
    Err(Error::not_found(format!("Organization with ID '{id}' not found")))
}

fn check_metadata(metadata: Option<&[IdentityMetadata]>) -> Result<()> {
    let metadata = metadata.unwrap_or_default();
    if metadata.len() > MAX_METADATA_PAIRS {
        let rule = format!("must have at most {MAX_METADATA_PAIRS} entries");
        return Err(Error::field("metadata", rule));
    }
    for IdentityMetadata { key, value } in metadata {
        for part in [key, value] {
            if part.is_empty() {
                return Err(Error::field("metadata", "keys and values need a character at least"));
            }
            text::note("metadata", part, MAX_METADATA)?;
        }
    }
    Ok(())
}

fn with_methods(row: &IdentityRow, members: Vec<MemberRow>) -> Identity {
    to_wire(row, members.into_iter().filter_map(|member| member.method).collect())
}

fn event(kind: &'static str, row: &IdentityRow, role: Option<&str>) -> Event {
    Event::new(kind).details([
        ("identityId", row.id.to_string().into()),
        ("name", row.name.as_str().into()),
        ("role", role.into()),
        ("hasDeleteProtection", row.has_delete_protection.into()),
    ])
}
