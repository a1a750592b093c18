//! Inviting people to an organization, and accepting it.

use axum::extract::State;
use kms_api::{
    accounts::{InvitationVerified, Invite, Invited, VerifyInvitation},
    routes as paths,
};

use crate::{
    ApiError, AppState, Json,
    extract::{Body, OnlyUser, Sender},
    route::{Class, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(paths::INVITE, invite, "Invites people to an organization"),
        Route::post(paths::INVITE_VERIFY, verify, "Accepts an invitation").class(Class::Login),
    ]
}

async fn invite(
    OnlyUser(caller): OnlyUser,
    State(app): State<AppState>,
    Body(body): Body<Invite>,
) -> Result<Json<Invited>, ApiError> {
    Ok(Json(app.core.invite(&caller, &body, &app.settings.public_url).await?))
}

async fn verify(
    Sender { origin, .. }: Sender,
    State(app): State<AppState>,
    Body(body): Body<VerifyInvitation>,
) -> Result<Json<InvitationVerified>, ApiError> {
    Ok(Json(app.core.verify_invitation(&body, &origin).await?))
}
