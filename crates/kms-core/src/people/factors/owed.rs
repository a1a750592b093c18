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
pub(in crate::people) fn owed(
    user: &UserRow,
    root: &OrganizationRow,
    held: HeldRow,
    given: Option<&str>,
) -> Option<&'static str> {
    if !root.enforce_mfa && !user.is_mfa_enabled {
        return None;
    }
    if given == Some(PASSKEY) {
        return None;
    }
    let by_organization = root.selected_mfa_method.as_deref().filter(|_| root.enforce_mfa);
    let by_person = user.selected_mfa_method.as_deref().filter(|_| user.is_mfa_enabled);
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
