//! Routes below `/api/v3`.

mod auth;
mod secrets;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = auth::routes();
    routes.extend(secrets::routes());
    routes
}
