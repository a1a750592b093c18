//! Roles that a project makes itself.

use std::sync::Arc;

use kms_api::permissions::Rule;
use kms_crypto::{RowKey, RowMac};
use kms_store::roles::CustomRoleRow;

use super::{RuleSet, builtin::CUSTOM, project_role};
use crate::{Core, Error, Result};

/// The authentication of a role's row. What people call it grants nothing.
pub(crate) fn custom_role_mac(key: &RowKey, row: &CustomRoleRow) -> RowMac {
    key.mac("project_roles")
        .uuid(row.id.uuid())
        .uuid(row.org_id.uuid())
        .uuid(row.project_id.uuid())
        .text(&row.slug)
        .text(&row.permissions)
}

impl Core {
    /// The rules of a role of a membership: a built-in one, or one of the project's own.
    pub(crate) fn rules_of_role(
        &self,
        role: &str,
        custom: Option<&CustomRoleRow>,
    ) -> Result<Arc<RuleSet>> {
        match custom {
            None if role == CUSTOM => Err(Error::Internal("a role that is held is gone".into())),
            None => project_role(role),
            Some(row) => Ok(Arc::new(RuleSet::new(self.rules_of_custom(row)?))),
        }
    }

    /// The rules of a project's own role; fails when the server did not write them.
    pub(crate) fn rules_of_custom(&self, row: &CustomRoleRow) -> Result<Vec<Rule>> {
        custom_role_mac(&self.keys.rows, row).verify(&row.mac)?;
        serde_json::from_str(&row.permissions).map_err(|error| Error::Internal(Box::new(error)))
    }
}
