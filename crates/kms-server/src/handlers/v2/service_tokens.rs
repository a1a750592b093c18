//! Service tokens.

use axum::extract::State;
use kms_api::{
    ProjectId, ServiceTokenId, routes as paths,
    service_tokens::{
        CreateServiceToken, CreateServiceTokenResponse, OwnServiceToken, ServiceTokenResponse,
        ServiceTokensResponse,
    },
};

use crate::{
    ApiError, AppState, Json,
    extract::{Body, OnlyService, OnlyUser, Path},
    route::{Class, Route},
};

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::SERVICE_TOKEN, own, "Shows the service token of the request"),
        Route::post(paths::SERVICE_TOKEN, create, "Makes a service token").class(Class::Creation),
        Route::delete(paths::SERVICE_TOKEN_BY_ID, delete, "Ends a service token"),
        Route::get(paths::SERVICE_TOKENS, list, "Lists the service tokens of a project"),
    ]
}

async fn own(
    OnlyService(caller): OnlyService,
    State(app): State<AppState>,
) -> Answer<OwnServiceToken> {
    Ok(Json(app.core.own_service_token(&caller).await?))
}

async fn create(
    OnlyUser(caller): OnlyUser,
    State(app): State<AppState>,
    Body(body): Body<CreateServiceToken>,
) -> Answer<CreateServiceTokenResponse> {
    Ok(Json(app.core.create_service_token(&caller, &body).await?))
}

async fn delete(
    OnlyUser(caller): OnlyUser,
    State(app): State<AppState>,
    Path(id): Path<ServiceTokenId>,
) -> Answer<ServiceTokenResponse> {
    Ok(Json(app.core.delete_service_token(&caller, id).await?))
}

async fn list(
    OnlyUser(caller): OnlyUser,
    State(app): State<AppState>,
    Path(project): Path<ProjectId>,
) -> Answer<ServiceTokensResponse> {
    Ok(Json(app.core.list_service_tokens(&caller, project).await?))
}
