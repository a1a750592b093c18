//! Routes below `/api/v4`.

pub(super) mod secrets;
pub(super) mod transfers;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = secrets::routes();
    routes.extend(transfers::routes());
    routes
}
