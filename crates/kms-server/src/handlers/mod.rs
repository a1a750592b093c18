//! One file per noun or endpoint, under the version it serves; each lists its own routes.

mod docs;
mod status;
mod v1;
mod v2;

use crate::route::Route;

/// The table. A noun adds one line.
pub(crate) fn routes() -> Vec<Route> {
    let nouns = [
        docs::routes(), //
        status::routes(),
    ];
    nouns.into_iter().flatten().collect()
}
