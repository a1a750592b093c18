//! Accounts, for administrators of the instance.

use axum::extract::State;
use kms_api::{
    UserId,
    admin::{
        InstanceConfigResponse, ListUsersQuery, ManagedUserResponse, ManagedUsersResponse,
        UpdateInstanceConfig,
    },
    routes as paths,
};
use kms_core::Caller;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, Path, Query},
    route::Route,
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::patch(paths::ADMIN_CONFIG, update_config, "Changes what strangers may do"),
        Route::get(paths::ADMIN_USERS, list, "Lists all accounts"),
        Route::delete(paths::ADMIN_USER, delete, "Deletes an account"),
        Route::patch(paths::ADMIN_USER_ACCESS, grant, "Makes somebody administer the instance"),
        Route::delete(paths::ADMIN_USER_ACCESS, revoke, "Takes that from somebody"),
    ]
}

async fn update_config(
    caller: Caller,
    State(app): State<AppState>,
    Body(body): Body<UpdateInstanceConfig>,
) -> Result<Json<InstanceConfigResponse>, ApiError> {
    Ok(Json(app.core.update_instance_config(&caller, &body).await?))
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Query(query): Query<ListUsersQuery>,
) -> Result<Json<ManagedUsersResponse>, ApiError> {
    Ok(Json(app.core.list_users(&caller, &query).await?))
}

async fn delete(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<UserId>,
) -> Result<Json<ManagedUserResponse>, ApiError> {
    Ok(Json(app.core.delete_user(&caller, id).await?))
}

async fn grant(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<UserId>,
) -> Result<Json<ManagedUserResponse>, ApiError> {
    Ok(Json(app.core.set_instance_admin(&caller, id, true).await?))
}

async fn revoke(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<UserId>,
) -> Result<Json<ManagedUserResponse>, ApiError> {
    Ok(Json(app.core.set_instance_admin(&caller, id, false).await?))
}
