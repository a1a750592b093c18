//! Routes below `/api/v2`.

pub(super) mod folders;
mod organizations;
mod users;
mod workspaces;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = organizations::routes();
    routes.extend(workspaces::routes());
    routes.extend(folders::routes());
    routes.extend(users::routes());
    routes
}
