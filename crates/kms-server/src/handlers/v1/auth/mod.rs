//! Logging in, and how identities may.

mod access_tokens;
mod client_secrets;
mod external;
mod sessions;
mod token_auth;
mod universal_auth;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = universal_auth::routes();
    routes.extend(client_secrets::routes());
    routes.extend(token_auth::routes());
    routes.extend(external::routes());
    routes.extend(access_tokens::routes());
    routes.extend(sessions::routes());
    routes
}
