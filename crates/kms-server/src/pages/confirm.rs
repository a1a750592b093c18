//! Confirming who one is, before something is changed that whoever found a browser open should not
//! change: the password once more, and the second factor where one is asked for (attack H5).

use askama::Template;
use axum::{
    extract::{FromRequestParts, State},
    response::{IntoResponse as _, Response},
};
use http::{Method, request::Parts};
use kms_api::routes as paths;
use kms_core::{Error, Missing, SignedIn};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    Form, Link, Page, Target, Visitor, cookie, message,
    passkeys::{self, Ask},
    see_other,
};
use crate::{
    ApiError, AppState,
    route::{Access, Class, Describe, Operation, Route},
};

/// The second factor that comes by mail.
const MAIL: &str = "email";
/// The second factor that a device gives.
const PASSKEY: &str = "webauthn";

/// Somebody who signed in with this browser within the last ten minutes, or gave the password
/// again, and who gave the second factor that they ask for. Whoever did not is led to confirm who
/// they are, and from there back again.
pub(crate) struct Recent(pub(crate) SignedIn);

impl FromRequestParts<AppState> for Recent {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Response> {
        let Visitor(signed_in) = Visitor::from_request_parts(parts, app).await?;
        let missing = app.core.missing_to_change(&signed_in).await;
        match missing.map_err(|error| ApiError::from(error).into_response())? {
            None => Ok(Self(signed_in)),
            Some(_) => Err(see_other(&target(parts).after("/login/confirm")).into_response()),
        }
    }
}

impl Describe for Recent {
    const ACCESS: Access = Access::Browser;

    fn describe(_: &mut Operation) {}
}

/// Where somebody who confirmed goes on: what they asked for, or the page that its form stands on.
fn target(parts: &Parts) -> Target {
    if parts.method == Method::GET {
        let asked = parts.uri.path_and_query();
        return asked.map_or_else(Target::default, |asked| Target::of(asked.as_str()));
    }
    if parts.uri.path() == paths::LOGIN_SSO_CONNECT {
        return Target::of(paths::LOGIN_SSO_CONNECT);
    }
    let page: Vec<_> = parts.uri.path().split('/').take(3).collect();
    Target::of(&page.join("/"))
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm<'a> {
    email: &'a str,
    target: &'a Target,
    missing: Missing,
    error: Option<String>,
    passkey: Option<Ask>,
}

impl Confirm<'_> {
    fn is_mailed(&self) -> bool {
        self.missing == Missing::Factor(MAIL)
    }

    /// Whether nothing but a passkey is enough.
    fn is_passkey(&self) -> bool {
        self.missing == Missing::Factor(PASSKEY)
    }
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default, rename = "continue")]
    target: Target,
}

#[derive(Deserialize)]
struct GivenPassword {
    #[serde(default, rename = "continue")]
    target: Target,
    password: SecretString,
}

#[derive(Deserialize)]
struct GivenCode {
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
        Route::get("/login/confirm", show, "Asks who somebody is once more").class(Class::Login),
        Route::post("/login/confirm", password, "Takes the password again").class(Class::Login),
        Route::post("/login/confirm/code", code, "Takes the second factor that one asks for")
            .class(Class::Login),
        Route::post("/login/confirm/mail", mail, "Mails another code").class(Class::Login),
        Route::post("/login/confirm/again", again, "Signs a browser out, to sign in anew"),
    ]
}

async fn show(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Link(Asked { target }): Link<Asked>,
) -> Result<Page, ApiError> {
    let missing = app.core.missing_to_change(&signed_in).await?;
    let Some(missing) = missing else { return see_other(target.as_str()) };
    if missing == Missing::Factor(MAIL) {
        app.core.send_page_code(&signed_in, false).await?;
    }
    page(&app, &signed_in, &target, missing, None).await
}

/// The page once more, because something was not accepted.
pub(super) async fn once_more(
    app: &AppState,
    signed_in: &SignedIn,
    target: &Target,
    error: &ApiError,
) -> Result<Page, ApiError> {
    let missing = app.core.missing_to_change(signed_in).await?;
    let Some(missing) = missing else { return see_other(target.as_str()) };
    let page = page(app, signed_in, target, missing, Some(message::text(error))).await?;
    Ok(page.status(error.status()))
}

async fn password(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(given): Form<GivenPassword>,
) -> Result<Page, ApiError> {
    let target = given.target;
    let error = match app.core.confirm_page(&signed_in, &given.password).await {
        Ok(page) => {
            return Ok(see_other(target.as_str())?.cookie(cookie::set(&app, &page)?));
        }
        Err(error @ (Error::BadRequest { .. } | Error::RateLimited { .. })) => {
            ApiError::from(error)
        }
        Err(other) => return Err(other.into()),
    };
    let text = match &error {
        ApiError::Core(Error::BadRequest { .. }) => "This password is wrong.".into(),
        other => message::text(other),
    };
    let page = page(&app, &signed_in, &target, Missing::Password, Some(text)).await?;
    Ok(page.status(error.status()))
}

async fn code(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(given): Form<GivenCode>,
) -> Result<Page, ApiError> {
    let target = given.target;
    let missing = app.core.missing_to_change(&signed_in).await?;
    let Some(Missing::Factor(method)) = missing else {
        return see_other(&target.after("/login/confirm"));
    };
    let is_recovery = given.kind == Kind::Recovery;
    let taken = app.core.verify_page_factor(&signed_in, method, &given.code, is_recovery).await;
    let error = match taken {
        Ok(page) => return Ok(see_other(target.as_str())?.cookie(cookie::set(&app, &page)?)),
        Err(error @ (Error::SecondFactor(_) | Error::Validation(_) | Error::BadRequest { .. })) => {
            ApiError::from(error)
        }
        Err(other) => return Err(other.into()),
    };
    let text = Some(message::text(&error));
    let page = page(&app, &signed_in, &target, Missing::Factor(method), text).await?;
    Ok(page.status(error.status()))
}

async fn mail(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(Asked { target }): Form<Asked>,
) -> Result<Page, ApiError> {
    if app.core.missing_to_change(&signed_in).await? == Some(Missing::Factor(MAIL)) {
        app.core.send_page_code(&signed_in, true).await?;
    }
    see_other(&target.after("/login/confirm"))
}

async fn again(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(Asked { target }): Form<Asked>,
) -> Result<Page, ApiError> {
    app.core.page_logout(&signed_in).await?;
    Ok(see_other(&target.after("/login"))?.cookie(cookie::clear(&app)?))
}

async fn page(
    app: &AppState,
    signed_in: &SignedIn,
    target: &Target,
    missing: Missing,
    error: Option<String>,
) -> Result<Page, ApiError> {
    let is_first = missing == Missing::Factor(PASSKEY);
    let passkey = passkeys::to_confirm(app, signed_in, is_first).await?;
    let page = Confirm { email: &signed_in.user.email, target, missing, error, passkey };
    Page::with_policy(&page, &passkeys::policy())
}
