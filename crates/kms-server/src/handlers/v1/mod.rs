//! Routes below `/api/v1`.

mod admin;
mod admin_users;
mod audit;
mod auth;
mod environments;
mod events;
mod folders;
mod identities;
mod invitations;
mod memberships;
mod organizations;
mod projects;
mod recovery;
mod roles;
mod secret_imports;
mod secret_versions;
mod single_sign_on;
mod sub_organizations;
mod tags;
mod totp;
mod workspaces;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = admin::routes();
    routes.extend(admin_users::routes());
    routes.extend(recovery::routes());
    routes.extend(organizations::routes());
    routes.extend(single_sign_on::routes());
    routes.extend(invitations::routes());
    routes.extend(sub_organizations::routes());
    routes.extend(audit::routes());
    routes.extend(auth::routes());
    routes.extend(identities::routes());
    routes.extend(projects::routes());
    routes.extend(workspaces::routes());
    routes.extend(environments::routes());
    routes.extend(events::routes());
    routes.extend(memberships::routes());
    routes.extend(roles::routes());
    routes.extend(folders::routes());
    routes.extend(secret_versions::routes());
    routes.extend(tags::routes());
    routes.extend(secret_imports::routes());
    routes.extend(totp::routes());
    routes
}
