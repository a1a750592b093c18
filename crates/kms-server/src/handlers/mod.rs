//! One file per noun or endpoint, under the version it serves; each lists its own routes.

mod docs;
mod oauth;
mod status;
mod v1;
mod v2;
mod v3;
mod v4;

use crate::route::Route;

/// The table. A noun adds one line.
pub(crate) fn routes() -> Vec<Route> {
    let nouns = [
        docs::routes(), //
        oauth::routes(),
        status::routes(),
        v1::routes(),
        v2::routes(),
        v3::routes(),
        v4::routes(),
    ];
    nouns.into_iter().flatten().collect()
}
