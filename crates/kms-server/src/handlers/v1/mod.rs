//! Routes below `/api/v1`.

mod audit;
mod environments;
mod memberships;
mod organizations;
mod projects;
mod workspaces;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = organizations::routes();
    routes.extend(audit::routes());
    routes.extend(projects::routes());
    routes.extend(workspaces::routes());
    routes.extend(environments::routes());
    routes.extend(memberships::routes());
    routes
}
