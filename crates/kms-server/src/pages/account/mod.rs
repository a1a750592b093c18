//! A person's own account: what it is, and the pages that change it.
//!
//! Each of them is a file of its own. Looking takes a browser that is signed in; changing how one
//! logs in takes more ([`super::Recent`]).

mod authenticator;
mod password;
mod program;
mod qr;
mod recovery;
mod second_factor;
mod sessions;
mod welcome;

use askama::Template;
use axum::extract::State;
use kms_api::organizations::AccessibleOrganization;

pub(super) use welcome::PAGE as WELCOME;

use super::{Page, Visitor};
use crate::{ApiError, AppState, route::Route};

#[derive(Template)]
#[template(path = "account/overview.html")]
struct Overview {
    name: String,
    email: String,
    is_email_verified: bool,
    organizations: Vec<AccessibleOrganization>,
    sessions: usize,
    passkeys: usize,
    has_app: bool,
    second_factor: &'static str,
}

pub(super) fn routes() -> Vec<Route> {
    let pages = [
        vec![Route::get("/account", show, "Shows a person's own account")],
        sessions::routes(),
        password::routes(),
        authenticator::routes(),
        recovery::routes(),
        second_factor::routes(),
        welcome::routes(),
    ];
    pages.into_iter().flatten().collect()
}

async fn show(Visitor(signed_in): Visitor, State(app): State<AppState>) -> Result<Page, ApiError> {
    let user = app.core.own_account(&signed_in).await?.user;
    let names = [user.first_name.as_deref(), user.last_name.as_deref()];
    let method = user.selected_mfa_method.as_deref().filter(|_| user.is_mfa_enabled);
    Page::new(&Overview {
        name: names.into_iter().flatten().collect::<Vec<_>>().join(" "),
        second_factor: match method {
            Some("totp") => "Asked for always: a code of your authenticator app",
            Some("email") => "Asked for always: a code that is mailed",
            Some(_) => "Asked for always: a passkey",
            None => "Asked for where an organization does",
        },
        email: user.email,
        is_email_verified: user.is_email_verified,
        organizations: app.core.list_accessible_organizations(&signed_in).await?.organizations,
        sessions: app.core.list_sessions(&signed_in).await?.len(),
        passkeys: app.core.passkeys(&signed_in).await?.len(),
        has_app: app.core.totp_state(&signed_in).await?.is_verified,
    })
}
