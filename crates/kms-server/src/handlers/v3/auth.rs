//! People's logins.

use axum::extract::State;
use kms_api::{
    auth::user::{
        Done, PasswordLogin, PasswordLoginResponse, SelectOrganization, SelectedOrganization,
    },
    routes as paths,
};
use kms_core::{Error, Selection, SignedIn};

use crate::{
    ApiError, AppState, Json,
    cookie::{RefreshCookie, WithCookie},
    extract::{Body, Sender},
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::USER_LOGIN, login, "Logs a person in with e-mail address and password")
            .class(Class::Login),
        Route::post(paths::USER_LOGIN_SRP_1, no_srp, "Refuses logins by SRP").class(Class::Login),
        Route::post(paths::USER_LOGIN_SRP_2, no_srp, "Refuses logins by SRP").class(Class::Login),
        Route::post(
            paths::SELECT_ORGANIZATION,
            select_organization,
            "Chooses the organization or sub-organization that a person acts in",
        )
        .class(Class::Login),
    ]
}

async fn login(
    Sender { origin, .. }: Sender,
    refresh: RefreshCookie,
    State(app): State<AppState>,
    Body(body): Body<PasswordLogin>,
) -> Result<WithCookie<PasswordLoginResponse>, ApiError> {
    WithCookie::set(&app, app.core.password_login(&body, refresh.token(), &origin).await?)
}

/// Clients fall back to SRP whenever a login fails; this is what their users read then.
async fn no_srp(_: Sender) -> Result<Json<Done>, ApiError> {
    let text = "This server does not offer SRP. Log in with POST /api/v3/auth/login, or check \
        e-mail address and password if that was tried before.";
    Err(Error::bad_request(text).into())
}

async fn select_organization(
    signed_in: SignedIn,
    refresh: RefreshCookie,
    State(app): State<AppState>,
    Body(body): Body<SelectOrganization>,
) -> Result<WithCookie<SelectedOrganization>, ApiError> {
    match app.core.select_organization(&signed_in, &body, refresh.token()).await? {
        Selection::Opened(opened) => WithCookie::set(&app, opened),
        Selection::Owes(answer) => Ok(WithCookie::keep(answer)),
    }
}
