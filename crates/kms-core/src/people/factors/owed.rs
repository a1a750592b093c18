//! Who owes a second factor: the one policy behind every route and every refresh (attack H5).

use kms_store::{organizations::OrganizationRow, users::UserRow};

use super::{APP, MAIL};

/// The second factor that a person owes before they act below a root organization; none where
/// none is asked for, or where the one that is was given.
///
/// The organization decides before the person does. Where neither chose a method, the app is
/// asked for if there is one.
pub(in crate::people) fn owed(
    user: &UserRow,
    root: &OrganizationRow,
    has_app: bool,
    given: Option<&str>,
) -> Option<&'static str> {
    if !root.enforce_mfa && !user.is_mfa_enabled {
        return None;
    }
    let by_organization = root.selected_mfa_method.as_deref().filter(|_| root.enforce_mfa);
    let by_person = user.selected_mfa_method.as_deref().filter(|_| user.is_mfa_enabled);
    let method = method(by_organization.or(by_person), has_app);
    (given != Some(method)).then_some(method)
}

/// The method that is asked for where this one was chosen, or none was.
pub(super) fn method(chosen: Option<&str>, has_app: bool) -> &'static str {
    match chosen {
        Some(MAIL) => MAIL,
        // Methods that this server does not have yet fall to the stronger one.
        Some(_) => APP,
        None if has_app => APP,
        None => MAIL,
    }
}
