//! Routes below `/api/v2`.

pub(super) mod folders;
mod mfa;
mod organizations;
mod passwords;
pub(super) mod secret_imports;
mod service_tokens;
mod users;
mod workspaces;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = organizations::routes();
    routes.extend(workspaces::routes());
    routes.extend(folders::routes());
    routes.extend(secret_imports::routes());
    routes.extend(users::routes());
    routes.extend(mfa::routes());
    routes.extend(passwords::routes());
    routes.extend(service_tokens::routes());
    routes
}
