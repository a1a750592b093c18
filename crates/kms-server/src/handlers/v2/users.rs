//! A person's own account and sessions.

use axum::extract::State;
use kms_api::{
    SessionId,
    auth::user::Done,
    organizations::OrganizationsResponse,
    routes as paths,
    users::{Session, UpdateMfa, UserResponse},
};
use kms_core::SignedIn;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, Path},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::USERS_ME, me, "Shows a person's own account"),
        Route::get(paths::USER, me, "Shows a person's own account (older route)"),
        Route::get(paths::USERS_ME_ORGANIZATIONS, organizations, "Lists a person's organizations"),
        Route::patch(paths::USERS_ME_MFA, update_mfa, "Changes what second factor is asked for"),
        Route::get(paths::USERS_ME_SESSIONS, sessions, "Lists a person's own sessions"),
        Route::delete(paths::USERS_ME_SESSIONS, revoke_all, "Ends all of a person's sessions"),
        Route::delete(paths::USERS_ME_SESSION, revoke, "Ends one of a person's sessions"),
    ]
}

async fn me(
    signed_in: SignedIn,
    State(app): State<AppState>,
) -> Result<Json<UserResponse>, ApiError> {
    Ok(Json(app.core.own_account(&signed_in).await?))
}

async fn organizations(
    signed_in: SignedIn,
    State(app): State<AppState>,
) -> Result<Json<OrganizationsResponse>, ApiError> {
    Ok(Json(app.core.list_organizations(&signed_in).await?))
}

async fn update_mfa(
    signed_in: SignedIn,
    State(app): State<AppState>,
    Body(body): Body<UpdateMfa>,
) -> Result<Json<UserResponse>, ApiError> {
    Ok(Json(app.core.update_mfa(&signed_in, &body).await?))
}

async fn sessions(
    signed_in: SignedIn,
    State(app): State<AppState>,
) -> Result<Json<Vec<Session>>, ApiError> {
    Ok(Json(app.core.list_sessions(&signed_in).await?))
}

async fn revoke_all(
    signed_in: SignedIn,
    State(app): State<AppState>,
) -> Result<Json<Done>, ApiError> {
    Ok(Json(app.core.revoke_sessions(&signed_in).await?))
}

async fn revoke(
    signed_in: SignedIn,
    State(app): State<AppState>,
    Path(id): Path<SessionId>,
) -> Result<Json<Done>, ApiError> {
    Ok(Json(app.core.revoke_session(&signed_in, id).await?))
}
