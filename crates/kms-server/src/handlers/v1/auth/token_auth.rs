//! Token auth: attaching it to identities, and making tokens.

use axum::extract::State;
use kms_api::{
    IdentityId, TokenId,
    auth::{
        token::MessageResponse,
        token_auth::{
            CreateToken, CreateTokenResponse, ListTokensQuery, Settings, TokenAuthResponse,
            TokenResponse, TokensResponse, UpdateToken,
        },
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
    let (path, tokens) = (paths::TOKEN_AUTH, paths::TOKEN_AUTH_TOKENS);
    vec![
        Route::post(path, attach, "Attaches token auth to a machine identity"),
        Route::patch(path, update, "Changes token auth of a machine identity"),
        Route::get(path, get, "Shows token auth of a machine identity"),
        Route::delete(path, detach, "Detaches token auth; its tokens end"),
        Route::post(tokens, create, "Makes a token for a machine identity and shows it once"),
        Route::get(tokens, list, "Lists the tokens of a machine identity"),
        Route::get(paths::TOKEN_AUTH_IDENTITY_TOKEN, get_token, "Shows what is known of a token"),
        Route::patch(paths::TOKEN_AUTH_TOKEN, rename, "Renames a token"),
        Route::post(paths::TOKEN_AUTH_TOKEN_REVOKE, revoke, "Revokes a token"),
    ]
}

async fn attach(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Body(body): Body<Settings>,
) -> Result<Json<TokenAuthResponse>, ApiError> {
    Ok(Json(app.core.attach_token_auth(&caller, id, &body).await?))
}

async fn update(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Body(body): Body<Settings>,
) -> Result<Json<TokenAuthResponse>, ApiError> {
    Ok(Json(app.core.update_token_auth(&caller, id, &body).await?))
}

async fn get(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Result<Json<TokenAuthResponse>, ApiError> {
    Ok(Json(app.core.get_token_auth(&caller, id).await?))
}

async fn detach(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Result<Json<TokenAuthResponse>, ApiError> {
    Ok(Json(app.core.detach_token_auth(&caller, id).await?))
}

async fn create(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Body(body): Body<CreateToken>,
) -> Result<Json<CreateTokenResponse>, ApiError> {
    Ok(Json(app.core.create_token(&caller, id, &body).await?))
}

async fn list(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Query(query): Query<ListTokensQuery>,
) -> Result<Json<TokensResponse>, ApiError> {
    Ok(Json(app.core.list_tokens(&caller, id, &query).await?))
}

async fn get_token(
    caller: Caller,
    State(app): State<AppState>,
    Path((id, token)): Path<(IdentityId, TokenId)>,
) -> Result<Json<TokenResponse>, ApiError> {
    Ok(Json(app.core.get_token(&caller, id, token).await?))
}

async fn rename(
    caller: Caller,
    State(app): State<AppState>,
    Path(token): Path<TokenId>,
    Body(body): Body<UpdateToken>,
) -> Result<Json<TokenResponse>, ApiError> {
    Ok(Json(app.core.rename_token(&caller, token, &body).await?))
}

async fn revoke(
    caller: Caller,
    State(app): State<AppState>,
    Path(token): Path<TokenId>,
) -> Result<Json<MessageResponse>, ApiError> {
    Ok(Json(app.core.revoke_named_token(&caller, token).await?))
}
