//! Organizations, sub-organizations and their members.

mod change;
mod identities;
mod members;
mod read;
mod sub;

use kms_api::{MembershipId, OrganizationId, Timestamp, organizations::Organization};
use kms_store::{
    StoreError, Tx,
    organizations::{self, OrganizationMembershipRow, OrganizationRow},
};
use uuid::Uuid;

use crate::{
    Caller, Core, Error, Result,
    access::{ACCEPTED, organization_mac, organization_membership_mac},
    text,
};

pub(crate) use change::session_seconds;
pub(crate) use members::Joining;

/// The longest name and slug, in characters.
const MAX_NAME: usize = 64;
/// What a new member is unless somebody says otherwise.
const DEFAULT_ROLE: &str = "member";

impl Core {
    /// Adds a root organization with a key of its own.
    pub(crate) async fn insert_organization(
        &self,
        tx: &mut Tx,
        name: &str,
    ) -> Result<OrganizationRow> {
        let row =
            self.new_organization(name.to_owned(), organization_slug(name, &self.slug_tail()));
        let mut row = row?;
        row.mac = organization_mac(&self.keys.rows, &row).finish().to_vec();
        organizations::insert(tx, &row).await?;
        Ok(row)
    }

    /// Fails when an organization's row was changed by somebody else than the server.
    ///
    /// A row of before such rows were authenticated counts as it is, and its key says that it is
    /// one: emptying the column of a later row does not make it one.
    pub(crate) fn require_genuine_organization(&self, row: &OrganizationRow) -> Result<()> {
        if row.mac.is_empty() && self.keys.is_of_before(row.id, &row.wrapped_key) {
            return Ok(());
        }
        Ok(organization_mac(&self.keys.rows, row).verify(&row.mac)?)
    }

    /// A root organization that is not stored yet, with a key of its own.
    fn new_organization(&self, name: String, slug: String) -> Result<OrganizationRow> {
        let id = self.new_id();
        let key = self.keys.new_organization_key(id, self.entropy())?;
        let now = self.now().micros();
        Ok(OrganizationRow {
            id,
            parent_id: None,
            root_id: None,
            tree_id: Uuid::nil(),
            name,
            slug,
            wrapped_key: key.as_bytes().to_vec(),
            default_role: DEFAULT_ROLE.to_owned(),
            enforce_mfa: false,
            selected_mfa_method: None,
            user_token_expiration: None,
            auth_enforced: false,
            bypass_org_auth: false,
            device_login: true,
            created_at: now,
            updated_at: now,
            mac: Vec::new(),
        })
    }

    /// Makes a principal an active member of an organization, authenticated.
    pub(crate) async fn insert_organization_member(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        principal: (&str, Uuid),
        role: &str,
    ) -> Result<MembershipId, StoreError> {
        let joining = Joining { organization, principal, role, status: ACCEPTED };
        Ok(self.insert_membership(tx, &joining).await?.id)
    }

    /// Adds a membership in an organization, authenticated; [`StoreError::Duplicate`] when there
    /// is one.
    pub(crate) async fn insert_membership(
        &self,
        tx: &mut Tx,
        joining: &Joining<'_>,
    ) -> Result<OrganizationMembershipRow, StoreError> {
        let Joining { organization, principal: (kind, principal), role, status } = *joining;
        let now = self.now().micros();
        let mut row = OrganizationMembershipRow {
            id: self.new_id(),
            org_id: organization,
            principal_kind: kind.to_owned(),
            principal_id: principal,
            role: role.to_owned(),
            status: status.to_owned(),
            is_active: true,
            last_login_method: None,
            last_login_at: None,
            created_at: now,
            updated_at: now,
            mac: Vec::new(),
        };
        row.mac = organization_membership_mac(&self.keys.rows, &row).finish().to_vec();
        organizations::insert_membership(tx, &row).await?;
        Ok(row)
    }
}

/// Only the organization of the token is there; every other answers as one that is not (T1).
fn own(caller: &Caller, id: OrganizationId) -> Result<()> {
    if caller.organization == id { Ok(()) } else { Err(not_found(id)) }
}

pub(crate) fn not_found(id: OrganizationId) -> Error {
    Error::not_found(format!("Organization with ID '{id}' not found"))
}

/// A name of letters, digits, hyphens, underscores and spaces (wire contract, conventions).
pub(crate) fn organization_name(field: &str, name: &str) -> Result<String> {
    let allowed = |character: char| character.is_alphanumeric() || "-_ ".contains(character);
    let name = text::name(field, name, MAX_NAME)?;
    if !name.chars().all(allowed) {
        return Err(Error::field(
            field,
            "must be letters, digits, hyphens, underscores and spaces",
        ));
    }
    Ok(name)
}

fn organization_slug(name: &str, tail: &str) -> String {
    let has_letters = name.chars().any(|character| character.is_ascii_alphanumeric());
    text::slug_from(if has_letters { name } else { "organization" }, tail)
}

pub(crate) fn to_wire(row: OrganizationRow) -> Organization {
    Organization {
        id: row.id,
        name: row.name,
        slug: row.slug,
        customer_id: None,
        created_at: Timestamp(row.created_at),
        updated_at: Timestamp(row.updated_at),
        auth_enforced: row.auth_enforced,
        bypass_org_auth_enabled: row.bypass_org_auth,
        scim_enabled: false,
        kms_default_key_id: None,
        default_membership_role: row.default_role,
        enforce_mfa: row.enforce_mfa,
        selected_mfa_method: row.selected_mfa_method,
        user_token_expiration: row.user_token_expiration,
        allow_device_login: row.device_login,
        root_org_id: row.root_id,
        parent_org_id: row.parent_id,
        user_role: None,
        user_joined_at: None,
    }
}

#[cfg(test)]
mod tests;
