//! Routes below `/api/v4`.

pub(super) mod secrets;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    secrets::routes()
}
