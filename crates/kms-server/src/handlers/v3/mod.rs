//! Routes below `/api/v3`.

mod auth;
mod secret_tags;
mod secrets;
mod signup;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = auth::routes();
    routes.extend(signup::routes());
    routes.extend(secrets::routes());
    routes.extend(secret_tags::routes());
    routes
}
