//! Renewing and revoking access tokens; the token is in the body.

use axum::extract::State;
use kms_api::{
    auth::{
        LoginResponse,
        token::{MessageResponse, TokenBody},
    },
    routes as paths,
};

use crate::{
    ApiError, AppState, Json,
    extract::{JsonOrForm, Sender},
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::TOKEN_RENEW, renew, "Renews an access token").class(Class::Login),
        Route::post(paths::TOKEN_REVOKE, revoke, "Revokes an access token").class(Class::Login),
    ]
}

async fn renew(
    State(app): State<AppState>,
    Sender { origin, .. }: Sender,
    JsonOrForm(body): JsonOrForm<TokenBody>,
) -> Result<Json<LoginResponse>, ApiError> {
    Ok(Json(app.core.renew_token(&body, &origin).await?))
}

async fn revoke(
    State(app): State<AppState>,
    Sender { origin, .. }: Sender,
    JsonOrForm(body): JsonOrForm<TokenBody>,
) -> Result<Json<MessageResponse>, ApiError> {
    Ok(Json(app.core.revoke_token(&body, &origin).await?))
}
