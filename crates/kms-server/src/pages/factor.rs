//! The second factor that an organization asks for before somebody acts there.

use askama::Template;
use axum::extract::State;
use kms_api::OrganizationId;
use kms_core::{Error, PagePlace, SignedIn};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    Form, Link, Page, Target, Visitor, cookie, message,
    passkeys::{self, Ask},
    see_other,
};
use crate::{
    ApiError, AppState,
    route::{Class, Route},
};

/// The second factor that comes by mail.
const MAIL: &str = "email";
/// The second factor that a device gives.
const PASSKEY: &str = "webauthn";

#[derive(Template)]
#[template(path = "factor.html")]
struct Factor<'a> {
    organization: &'a str,
    organization_id: OrganizationId,
    email: &'a str,
    target: &'a Target,
    is_mailed: bool,
    /// Whether nothing but a passkey is enough.
    is_passkey: bool,
    error: Option<String>,
    passkey: Option<Ask>,
}

#[derive(Deserialize)]
struct Asked {
    organization: OrganizationId,
    #[serde(default, rename = "continue")]
    target: Target,
}

#[derive(Deserialize)]
struct Given {
    organization: OrganizationId,
    #[serde(default, rename = "continue")]
    target: Target,
    kind: Kind,
    code: SecretString,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Code,
    Recovery,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/login/factor", show, "Asks for the second factor").class(Class::Login),
        Route::post("/login/factor", give, "Takes the second factor").class(Class::Login),
        Route::post("/login/factor/mail", mail, "Mails another code").class(Class::Login),
    ]
}

/// The address of this page, for an organization, on the way to another page.
pub(crate) fn address(organization: OrganizationId, target: &Target) -> String {
    target.after(&format!("/login/factor?organization={organization}"))
}

async fn show(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Link(asked): Link<Asked>,
) -> Result<Page, ApiError> {
    let place = app.core.page_place(&signed_in, asked.organization).await?;
    let Some(method) = place.owed else { return see_other(asked.target.as_str()) };
    if method == MAIL {
        app.core.send_page_code(&signed_in, false).await?;
    }
    page(&app, &signed_in, &place, &asked, method, None).await
}

/// The page once more, because something was not accepted.
pub(super) async fn once_more(
    app: &AppState,
    signed_in: &SignedIn,
    organization: OrganizationId,
    target: Target,
    error: &ApiError,
) -> Result<Page, ApiError> {
    let asked = Asked { organization, target };
    let place = app.core.page_place(signed_in, organization).await?;
    let Some(method) = place.owed else { return see_other(asked.target.as_str()) };
    let page = page(app, signed_in, &place, &asked, method, Some(message::text(error))).await?;
    Ok(page.status(error.status()))
}

async fn give(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(given): Form<Given>,
) -> Result<Page, ApiError> {
    let asked = Asked { organization: given.organization, target: given.target };
    let place = app.core.page_place(&signed_in, asked.organization).await?;
    let Some(method) = place.owed else { return see_other(asked.target.as_str()) };
    let is_recovery = given.kind == Kind::Recovery;
    let taken = app.core.verify_page_factor(&signed_in, method, &given.code, is_recovery).await;
    let error = match taken {
        Ok(page) => return Ok(see_other(asked.target.as_str())?.cookie(cookie::set(&app, &page)?)),
        Err(error @ (Error::SecondFactor(_) | Error::Validation(_) | Error::BadRequest { .. })) => {
            ApiError::from(error)
        }
        Err(other) => return Err(other.into()),
    };
    let text = Some(message::text(&error));
    Ok(page(&app, &signed_in, &place, &asked, method, text).await?.status(error.status()))
}

async fn mail(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(asked): Form<Asked>,
) -> Result<Page, ApiError> {
    let place = app.core.page_place(&signed_in, asked.organization).await?;
    if place.owed == Some(MAIL) {
        app.core.send_page_code(&signed_in, true).await?;
    }
    see_other(&address(asked.organization, &asked.target))
}

async fn page(
    app: &AppState,
    signed_in: &SignedIn,
    place: &PagePlace,
    asked: &Asked,
    method: &str,
    error: Option<String>,
) -> Result<Page, ApiError> {
    let is_passkey = method == PASSKEY;
    let passkey = passkeys::as_factor(app, signed_in, asked.organization, is_passkey).await?;
    let page = Factor {
        organization: &place.root_name,
        organization_id: asked.organization,
        email: &signed_in.user.email,
        target: &asked.target,
        is_mailed: method == MAIL,
        is_passkey,
        error,
        passkey,
    };
    Page::with_policy(&page, &passkeys::policy())
}
