//! Routes below `/api/v3`.

mod secrets;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    secrets::routes()
}
