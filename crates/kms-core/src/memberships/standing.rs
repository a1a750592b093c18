//! Memberships that somebody changes: compared with the caller's rights before the write begins, since
//! that takes time, and held against the comparison inside of it.

use kms_api::MembershipId;
use kms_store::{
    Tx,
    memberships::{self, RoleRow},
};
use uuid::Uuid;

use super::NewRole;
use crate::{
    Core, Error, Result,
    access::{ProjectAccess, RuleSet},
};

/// A membership that the caller may change, as it was when that was found.
pub(super) struct Standing {
    kind: &'static str,
    principal: Uuid,
    rows: Vec<RoleRow>,
}

impl Standing {
    /// The membership, if there is one.
    pub(super) fn membership(&self) -> Option<MembershipId> {
        self.rows.first().map(|row| row.membership_id)
    }
}

impl Core {
    /// Refuses unless the caller holds all that a membership gives, and all that it withholds and
    /// the roles that come `next` do not (attack T4). What ends by itself withholds nothing for good.
    pub(super) async fn membership_to_change(
        &self,
        access: &ProjectAccess,
        (kind, principal): (&'static str, Uuid),
        next: &[NewRole],
    ) -> Result<Standing> {
        let (org, project) = (access.project.org_id, access.id());
        let rows = memberships::roles_of(&self.store, org, project, kind, principal).await?;
        let held = self.rules_ever_of(&rows)?;
        for role in &held {
            access.rules.require_covers(role)?;
        }
        let lasting = next.iter().filter(|role| role.temporary.is_none());
        let kept = RuleSet::joined(lasting.map(|role| &role.rules));
        access.rules.require_covers(&RuleSet::joined(&held).lifted_by(&kept))?;
        Ok(Standing { kind, principal, rows })
    }

    /// Refuses when a membership is no longer what was compared. Nothing else changes it in this
    /// write once its project is locked.
    pub(super) async fn require_standing(
        &self,
        tx: &mut Tx,
        access: &ProjectAccess,
        standing: &Standing,
    ) -> Result<()> {
        let (org, project) = (access.project.org_id, access.id());
        let Standing { kind, principal, rows } = standing;
        let now = memberships::roles_of(tx, org, project, kind, *principal).await?;
        if rows.iter().map(marks).eq(now.iter().map(marks)) {
            return Ok(());
        }
        Err(Error::Unavailable("The membership changed meanwhile; try again"))
    }
}

/// What tells one state of a role of a membership from another: the authentication of its rows.
fn marks(row: &RoleRow) -> (MembershipId, Option<&[u8]>, Option<&[u8]>) {
    let custom = row.custom.0.as_ref().map(|custom| custom.mac.as_slice());
    (row.membership_id, row.role_mac.as_deref(), custom)
}
