//! `GET /api/docs/json`: the OpenAPI document.

use axum::extract::State;
use serde_json::Value;

use crate::{ApiError, AppState, Json, openapi, route::Route};

const DOCUMENT: &str = "/api/docs/json";

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get(DOCUMENT, document, "Describes this API")]
}

async fn document(State(_): State<AppState>) -> Result<Json<Value>, ApiError> {
    Ok(Json(openapi::document(&super::routes())))
}
