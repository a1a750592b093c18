//! `/api/v1/secret-imports`: the older paths of the handlers of v2, whose types read both spellings.

use kms_api::routes as paths;

use crate::{handlers::v2::secret_imports as v2, route::Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::SECRET_IMPORTS_V1, v2::list, "Lists the imports of a folder"),
        Route::post(paths::SECRET_IMPORTS_V1, v2::create, "Imports the secrets of another folder"),
        Route::get(paths::SECRET_IMPORT_V1, v2::get, "Shows an import"),
        Route::patch(
            paths::SECRET_IMPORT_V1,
            v2::update,
            "Changes source or position of an import",
        ),
        Route::delete(paths::SECRET_IMPORT_V1, v2::delete, "Removes an import"),
        Route::get(paths::SECRET_IMPORTS_SECRETS_V1, v2::secrets, "Lists imported secrets"),
        Route::get(paths::SECRET_IMPORTS_RAW_V1, v2::secrets, "Lists imported secrets"),
    ]
}
