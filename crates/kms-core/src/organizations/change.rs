//! Making, changing and deleting organizations.

use kms_api::{
    OrganizationId,
    organizations::{
        CreateOrganization, OrganizationResponse, OrganizationWritten, UpdateOrganization,
    },
};
use kms_store::{
    StoreError, Tx,
    organizations::{self, OrganizationRow},
};

use super::{MAX_NAME, not_found, organization_name, own, to_wire};
use crate::{
    Caller, Core, Error, Result, SignedIn,
    access::{Action, Attributes, Subject, organization_mac, organization_role},
    audit::{AuditActor, Event},
    text,
};

/// The second factors that an organization may ask for.
const MFA_METHODS: [&str; 3] = ["email", "totp", "webauthn"];
/// The longest time that a person's session may be allowed to last: a year.
const MAX_SESSION_SECONDS: i64 = 365 * 86_400;

impl Core {
    /// Makes a root organization of which a person becomes the administrator.
    pub async fn create_organization(
        &self,
        person: &SignedIn,
        body: &CreateOrganization,
    ) -> Result<OrganizationResponse> {
        let name = organization_name("name", &body.name)?;
        Self::require_no_provider(person)?;
        let mut tx = self.store.begin().await?;
        let row = self.insert_organization(&mut tx, &name).await?;
        let owner = ("user", person.user.id.uuid());
        self.insert_organization_member(&mut tx, row.id, owner, "admin").await?;
        self.touches_rights(&mut tx);
        let actor = AuditActor {
            kind: "user",
            id: Some(person.user.id.uuid()),
            metadata: person.actor_metadata.clone(),
        };
        let event = event("create-org", &row);
        tx.audit(self.record_of(row.id, &actor, &person.origin, &event));
        tx.commit().await?;
        Ok(OrganizationResponse { organization: to_wire(row) })
    }

    /// Changes the organization that the caller acts in.
    pub async fn update_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
        body: &UpdateOrganization,
    ) -> Result<OrganizationWritten> {
        own(caller, id)?;
        caller.rules.require(Action::Edit, Subject::Settings, &Attributes::default())?;
        let mut tx = self.store.begin().await?;
        let mut row = organizations::find(&mut tx, id).await?.ok_or_else(|| not_found(id))?;
        self.apply(caller, &mut row, body)?;
        if row.auth_enforced && body.auth_enforced.is_some() {
            self.require_enforceable(&mut tx, id).await?;
        }
        self.update_row(&mut tx, &mut row).await?;
        let event = Event::new("update-org").details([
            ("name", row.name.clone().into()),
            ("slug", row.slug.clone().into()),
            ("defaultMembershipRole", row.default_role.clone().into()),
            ("enforceMfa", row.enforce_mfa.into()),
            ("selectedMfaMethod", row.selected_mfa_method.clone().into()),
            ("userTokenExpiration", row.user_token_expiration.clone().into()),
            ("authEnforced", row.auth_enforced.into()),
            ("bypassOrgAuthEnabled", row.bypass_org_auth.into()),
            ("allowDeviceLogin", row.device_login.into()),
        ]);
        tx.audit(self.record(caller, &event));
        tx.commit().await?;
        let message = "Successfully changed organization name".into();
        Ok(OrganizationWritten { message, organization: to_wire(row) })
    }

    /// Deletes the organization that the caller acts in, a root, with its sub-organizations and
    /// everything in them. Its keys go with it, so that no copy of a value can be opened again.
    pub async fn delete_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Result<OrganizationResponse> {
        own(caller, id)?;
        caller.rules.require(Action::Delete, Subject::Settings, &Attributes::default())?;
        let mut tx = self.store.begin().await?;
        let row = organizations::find(&mut tx, id).await?.ok_or_else(|| not_found(id))?;
        if row.root_id.is_some() {
            return Err(Error::bad_request(
                "A sub-organization is deleted from its root organization",
            ));
        }
        self.delete_row(&mut tx, caller, &row).await?;
        tx.audit(self.record(caller, &event("delete-org", &row)));
        tx.commit().await?;
        Ok(OrganizationResponse { organization: to_wire(row) })
    }

    /// Writes an organization that was changed.
    pub(crate) async fn update_row(&self, tx: &mut Tx, row: &mut OrganizationRow) -> Result<()> {
        // What somebody else than the server wrote is not made genuine by a change beside it.
        let stored = organizations::find(&mut *tx, row.id).await?;
        self.require_genuine_organization(&stored.ok_or_else(|| not_found(row.id))?)?;
        if row.mac.is_empty() {
            let (id, entropy) = (row.id, self.entropy());
            let key = self.keys.rewrap_organization_key(id, &row.wrapped_key, entropy)?;
            row.wrapped_key = key.as_bytes().to_vec();
        }
        row.updated_at = self.now().micros();
        row.mac = organization_mac(&self.keys.rows, row).finish().to_vec();
        match organizations::update(tx, row).await {
            Err(StoreError::Duplicate) => Err(slug_is_taken()),
            Ok(false) => Err(not_found(row.id)),
            Ok(true) => {
                self.touches_rights(tx);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an organization with all that it has.
    pub(super) async fn delete_row(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        row: &OrganizationRow,
    ) -> Result<()> {
        // Whoever administers one organization must not end who administers the instance (T4).
        if !caller.instance_admin
            && organizations::count_instance_admins(&mut *tx, row.id).await? > 0
        {
            return Err(Error::PermissionBoundary { missing: vec!["instance:admin".into()] });
        }
        if !organizations::delete(tx, row.id).await? {
            return Err(not_found(row.id));
        }
        self.touches_rights(tx);
        Ok(())
    }

    fn apply(
        &self,
        caller: &Caller,
        row: &mut OrganizationRow,
        body: &UpdateOrganization,
    ) -> Result<()> {
        if let Some(name) = &body.name {
            row.name = organization_name("name", name)?;
        }
        if let Some(slug) = &body.slug {
            row.slug = text::slug("slug", slug, 1, MAX_NAME)?;
        }
        if let Some(role) = &body.default_membership_role_slug {
            // Who may not give a role may not have it given either (attack T4).
            caller.rules.require_covers(&*organization_role(role)?)?;
            row.default_role.clone_from(role);
        }
        let policy = [
            ("enforceMfa", body.enforce_mfa.is_some()),
            ("selectedMfaMethod", body.selected_mfa_method.is_some()),
            ("userTokenExpiration", body.user_token_expiration.is_some()),
            ("authEnforced", body.auth_enforced.is_some()),
            ("bypassOrgAuthEnabled", body.bypass_org_auth_enabled.is_some()),
            ("allowDeviceLogin", body.allow_device_login.is_some()),
        ];
        let set = policy.into_iter().find(|(_, is_set)| *is_set);
        if let Some((field, _)) = set.filter(|_| row.root_id.is_some()) {
            return Err(Error::field(field, "is decided by the root organization"));
        }
        if let Some(method) = &body.selected_mfa_method {
            let known = MFA_METHODS.contains(&method.as_str());
            if !known {
                let rule = format!("must be one of {}", MFA_METHODS.join(", "));
                return Err(Error::field("selectedMfaMethod", rule));
            }
            row.selected_mfa_method = Some(method.clone());
        }
        if let Some(expiration) = &body.user_token_expiration {
            session_seconds(expiration).ok_or_else(|| {
                let rule = "must be a number from 1 and `m`, `h`, `d` or `w`, up to a year";
                Error::field("userTokenExpiration", rule)
            })?;
            row.user_token_expiration = Some(expiration.clone());
        }
        if body.auth_enforced.is_some() || body.bypass_org_auth_enabled.is_some() {
            caller.rules.require(Action::Edit, Subject::Sso, &Attributes::default())?;
        }
        row.auth_enforced = body.auth_enforced.unwrap_or(row.auth_enforced);
        row.bypass_org_auth = body.bypass_org_auth_enabled.unwrap_or(row.bypass_org_auth);
        row.device_login = body.allow_device_login.unwrap_or(row.device_login);
        row.enforce_mfa = body.enforce_mfa.unwrap_or(row.enforce_mfa);
        let by_mail = !matches!(row.selected_mfa_method.as_deref(), Some("totp" | "webauthn"));
        let needs_mail = row.enforce_mfa && by_mail;
        if needs_mail && body.enforce_mfa == Some(true) && !self.options.mailer.is_configured() {
            return Err(Error::bad_request(
                "Codes by mail need a mail server; configure one or choose `totp` or `webauthn`",
            ));
        }
        Ok(())
    }
}

/// How long an organization lets sessions last, in seconds; none for what is no such time.
pub(crate) fn session_seconds(text: &str) -> Option<i64> {
    let unit = match text.as_bytes().last()? {
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        b'w' => 7 * 86_400,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = number.parse::<i64>().ok()?.checked_mul(unit)?;
    (1..=MAX_SESSION_SECONDS).contains(&seconds).then_some(seconds)
}

pub(super) fn slug_is_taken() -> Error {
    Error::bad_request("Organization with slug already exist")
}

pub(super) fn event(kind: &'static str, row: &OrganizationRow) -> Event {
    Event::new(kind).details([
        ("organizationId", row.id.to_string().into()),
        ("name", row.name.clone().into()),
        ("slug", row.slug.clone().into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_sessions_last_is_a_number_and_a_unit() {
        for (text, seconds) in [("1m", 60), ("8h", 28_800), ("30d", 2_592_000), ("2w", 1_209_600)] {
            assert_eq!(session_seconds(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "h",
            "0h",
            "-1h",
            "1s",
            "1y",
            "366d",
            "1.5h",
            "h1",
            "1 h",
            "١h",
            "9999999999999999999w",
        ] {
            assert_eq!(session_seconds(text), None, "{text}");
        }
    }
}
