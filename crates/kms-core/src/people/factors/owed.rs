//! Who owes a second factor: the one policy behind every route and every refresh (attack H5).

use kms_store::{organizations::OrganizationRow, passkeys::HeldRow, users::UserRow};

use super::{APP, MAIL};
use crate::people::PASSKEY;

/// The second factor that a person owes before they act below a root organization; none where
/// none is asked for, or where the one that is was given.
///
/// The organization decides before the person does. Where neither chose a method, the app is
/// asked for if there is one, and a passkey before mail. A passkey that was given is enough
/// whatever is asked for: its device recognised its user.
///
/// `by_provider` says that they came through the organization's identity provider: what the person
/// asks of their own logins is then the provider's to ask. Whoever acts by a login of their own
/// where that is the exception owes one in any case.
pub(in crate::people) fn owed(
    user: &UserRow,
    root: &OrganizationRow,
    held: HeldRow,
    by_provider: bool,
    given: Option<&str>,
) -> Option<&'static str> {
    let asks_own = user.is_mfa_enabled && !by_provider;
    let is_exception = root.auth_enforced && !by_provider;
    if !root.enforce_mfa && !asks_own && !is_exception {
        return None;
    }
    if given == Some(PASSKEY) {
        return None;
    }
    let by_organization = root.selected_mfa_method.as_deref().filter(|_| root.enforce_mfa);
    let by_person = user.selected_mfa_method.as_deref().filter(|_| asks_own);
    let method = method(by_organization.or(by_person), held);
    (given != Some(method)).then_some(method)
}

/// The method that is asked for where this one was chosen, or none was.
pub(super) fn method(chosen: Option<&str>, held: HeldRow) -> &'static str {
    match chosen {
        Some(MAIL) => MAIL,
        Some(PASSKEY) => PASSKEY,
        // A method that this server does not know falls to a strong one.
        Some(_) => APP,
        None if held.has_app => APP,
        None if held.has_passkeys => PASSKEY,
        None => MAIL,
    }
}
