//! Routes below `/api/v3`.

mod auth;
mod secrets;
mod signup;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = auth::routes();
    routes.extend(signup::routes());
    routes.extend(secrets::routes());
    routes
}
