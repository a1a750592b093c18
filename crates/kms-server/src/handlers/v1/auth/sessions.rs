//! People's sessions: are they good, going on, ending.

use axum::extract::State;
use http::HeaderMap;
use kms_api::{
    auth::user::{Done, Refreshed},
    routes as paths,
};
use kms_core::SignedIn;

use crate::{
    ApiError, AppState, Json,
    cookie::{RefreshCookie, WithCookie},
    extract::{Sender, bearer},
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::CHECK_AUTH, check, "Tells whether a person's token is good")
            .class(Class::Read),
        Route::post(paths::REFRESH, refresh, "Refreshes a person's tokens by their cookie")
            .class(Class::Login),
        Route::post(paths::LOGOUT, logout, "Ends a person's session").class(Class::Login),
    ]
}

async fn check(signed_in: SignedIn, State(app): State<AppState>) -> Result<Json<Done>, ApiError> {
    Ok(Json(app.core.check_auth(&signed_in)))
}

async fn refresh(
    Sender { origin, .. }: Sender,
    cookie: RefreshCookie,
    State(app): State<AppState>,
) -> Result<WithCookie<Refreshed>, ApiError> {
    WithCookie::set(&app, app.core.refresh(cookie.token(), &origin).await?)
}

/// Programs without a cookie show the access token.
async fn logout(
    Sender { origin, .. }: Sender,
    cookie: RefreshCookie,
    headers: HeaderMap,
    State(app): State<AppState>,
) -> Result<WithCookie<Done>, ApiError> {
    let access = bearer(&headers).ok();
    let done = app.core.logout(cookie.token(), access, &origin).await?;
    WithCookie::clear(&app, done)
}
