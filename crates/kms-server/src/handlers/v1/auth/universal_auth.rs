//! Universal auth: logging in, and attaching it to identities.

use axum::extract::State;
use kms_api::{
    IdentityId,
    auth::{
        LoginResponse,
        universal::{ClearLockoutsResponse, Proof, Settings, UniversalAuthResponse},
    },
    routes as paths,
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, JsonOrForm, Path, Sender},
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    let path = paths::UNIVERSAL_AUTH;
    vec![
        Route::post(paths::UNIVERSAL_AUTH_LOGIN, login, "Logs in with a client id and secret")
            .class(Class::Login),
        Route::post(path, attach, "Attaches universal auth to a machine identity"),
        Route::patch(path, update, "Changes universal auth of a machine identity"),
        Route::get(path, get, "Shows universal auth of a machine identity"),
        Route::delete(path, detach, "Detaches universal auth; its tokens end"),
        Route::post(paths::CLEAR_LOCKOUTS, clear_lockouts, "Ends the lockouts of an identity"),
    ]
}

async fn login(
    State(app): State<AppState>,
    Sender { origin, .. }: Sender,
    JsonOrForm(proof): JsonOrForm<Proof>,
) -> Result<Json<LoginResponse>, ApiError> {
    Ok(Json(app.core.universal_auth_login(&proof, &origin).await?))
}

async fn attach(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Body(body): Body<Settings>,
) -> Result<Json<UniversalAuthResponse>, ApiError> {
    Ok(Json(app.core.attach_universal_auth(&caller, id, &body).await?))
}

async fn update(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Body(body): Body<Settings>,
) -> Result<Json<UniversalAuthResponse>, ApiError> {
    Ok(Json(app.core.update_universal_auth(&caller, id, &body).await?))
}

async fn get(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Result<Json<UniversalAuthResponse>, ApiError> {
    Ok(Json(app.core.get_universal_auth(&caller, id).await?))
}

async fn detach(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Result<Json<UniversalAuthResponse>, ApiError> {
    Ok(Json(app.core.detach_universal_auth(&caller, id).await?))
}

async fn clear_lockouts(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Result<Json<ClearLockoutsResponse>, ApiError> {
    Ok(Json(app.core.clear_lockouts(&caller, id).await?))
}
