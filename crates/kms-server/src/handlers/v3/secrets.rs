//! `/api/v3/secrets`: the older paths of the handlers of v4, whose types read both spellings.

use kms_api::routes as paths;

use crate::{handlers::v4::secrets as v4, route::Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::SECRETS_V3, v4::list, "Lists the secrets of a folder"),
        Route::get(paths::SECRET_V3, v4::get, "Shows a secret"),
        Route::post(paths::SECRET_V3, v4::create, "Creates a secret"),
        Route::patch(paths::SECRET_V3, v4::update, "Changes a secret"),
        Route::delete(paths::SECRET_V3, v4::delete, "Deletes a secret"),
        Route::get(paths::SECRET_BY_ID_V3, v4::get_by_id, "Shows a secret by its id"),
        Route::post(paths::SECRETS_BATCH_V3, v4::create_many, "Creates secrets, all or none"),
        Route::patch(paths::SECRETS_BATCH_V3, v4::update_many, "Changes secrets, all or none"),
        Route::delete(paths::SECRETS_BATCH_V3, v4::delete_many, "Deletes secrets, all or none"),
    ]
}
