//! Signing a browser in at its organization's identity provider.
//!
//! A form of ours sends the browser there, so that nobody else's page can (attack H7), and the page
//! in between leads on by itself: the policy of a form would have to list the provider. What comes
//! back comes from another site, where the strict cookie is not sent yet, so the same holds for the
//! way onwards.

use askama::Template;
use axum::extract::{FromRequestParts, State};
use http::{HeaderMap, HeaderValue, StatusCode, header::REFRESH, request::Parts};
use kms_api::routes as paths;
use kms_core::{Connecting, Error, ProviderAnswer, SsoOutcome};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{Form, Guest, Link, Page, Target, confirm::Recent, cookie, message, see_other};
use crate::{
    ApiError, AppState,
    route::{Class, Describe, Operation, Route},
};

/// What the cookie is called that keeps what a provider said until its owner shows up.
const WAITING: &str = "sso_waiting";
/// How much of a sign-in's state names its cookie: several may be under way.
const NAMED_BY: usize = 8;

#[derive(Template)]
#[template(path = "single_sign_on.html")]
struct Ask<'a> {
    target: &'a Target,
    organization: &'a str,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "connect.html")]
struct Connect<'a> {
    connecting: &'a Connecting,
    /// Who is signed in instead.
    other: Option<&'a str>,
    login: String,
}

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    organization: String,
    #[serde(default, rename = "continue")]
    target: Target,
}

#[derive(Default, Deserialize)]
struct Answered {
    #[serde(default)]
    state: String,
    code: Option<SecretString>,
    iss: Option<String>,
}

/// The cookies of a request.
struct Jar(HeaderMap);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::LOGIN_SSO, show, "Asks which organization to sign in with"),
        Route::post(paths::LOGIN_SSO, start, "Sends a browser to its identity provider")
            .class(Class::Login),
        Route::get(paths::LOGIN_SSO_CALLBACK, finish, "Takes a browser back from its provider")
            .class(Class::Login),
        Route::get(paths::LOGIN_SSO_CONNECT, ask_to_connect, "Asks to connect an account")
            .class(Class::Login),
        Route::post(paths::LOGIN_SSO_CONNECT, connect, "Connects an account with a provider")
            .class(Class::Login),
    ]
}

/// The address of this page, for an organization, on the way to another page.
pub(super) fn address(organization: &str, target: &Target) -> String {
    let organization = utf8_percent_encode(organization, NON_ALPHANUMERIC);
    target.after(&format!("{}?organization={organization}", paths::LOGIN_SSO))
}

async fn show(_: State<AppState>, Link(asked): Link<Asked>) -> Result<Page, ApiError> {
    let Asked { organization, target } = &asked;
    Page::new(&Ask { target, organization, error: None })
}

async fn start(State(app): State<AppState>, Form(asked): Form<Asked>) -> Result<Page, ApiError> {
    let Asked { organization, target } = &asked;
    let site = &app.settings.public_url;
    let sent = app.core.start_single_sign_on(organization, target.as_str(), site).await;
    let sent = match sent.map_err(ApiError::from) {
        Ok(sent) => sent,
        Err(error) if error.status().is_server_error() => return Err(error),
        Err(error) => {
            let text = Some(message::text(&error));
            let page = Page::new(&Ask { target, organization, error: text })?;
            return Ok(page.status(status_of(&error)));
        }
    };
    let text = format!("{} signs you in at {}.", sent.organization, sent.host);
    let name = cookie_of(&app, sent.state.expose_secret());
    let kept = sent.kept.expose_secret();
    let cookie = cookie::cookie(&app, &name, kept, sent.seconds, "Lax")?;
    Ok(onwards("On to your organization", &text, &sent.location)?.cookie(cookie))
}

async fn finish(
    guest: Guest,
    jar: Jar,
    State(app): State<AppState>,
    Link(answered): Link<Answered>,
) -> Result<Page, ApiError> {
    let name = cookie_of(&app, &answered.state);
    let kept = cookie::value(&jar.0, &name);
    let answer =
        ProviderAnswer { state: answered.state, code: answered.code, issuer: answered.iss };
    let site = &app.settings.public_url;
    let outcome = app.core.finish_single_sign_on(kept.as_ref(), &answer, site, &guest.origin).await;
    // Good once, whatever comes of it.
    let used = cookie::cookie(&app, &name, "", 0, "Lax")?;
    match outcome.map_err(ApiError::from) {
        Ok(SsoOutcome::SignedIn { page, target }) => {
            let signed_in = cookie::set(&app, &page)?;
            let text = "You are signed in.";
            Ok(onwards("Signed in", text, Target::of(&target).as_str())?
                .cookie(signed_in)
                .cookie(used))
        }
        Ok(SsoOutcome::Connect { kept, seconds }) => {
            let name = waiting(&app);
            let kept = cookie::cookie(&app, &name, kept.expose_secret(), seconds, "Strict")?;
            let text = "There is an account of yours already.";
            Ok(onwards("One more step", text, paths::LOGIN_SSO_CONNECT)?.cookie(kept).cookie(used))
        }
        Err(error) if error.status().is_server_error() => Err(error),
        Err(error) => {
            let text = message::text(&error);
            let page = message::Message {
                heading: "You are not signed in",
                text: &text,
                link: Some(("Try again", paths::LOGIN_SSO)),
                request_id: None,
            };
            Ok(Page::new(&page)?.status(status_of(&error)).cookie(used))
        }
    }
}

async fn ask_to_connect(
    guest: Guest,
    jar: Jar,
    State(app): State<AppState>,
) -> Result<Page, ApiError> {
    let kept = cookie::value(&jar.0, &waiting(&app));
    let connecting = app.core.connecting(kept.as_ref(), guest.signed_in.as_ref()).await?;
    let here = Target::of(paths::LOGIN_SSO_CONNECT);
    if connecting.is_own && !connecting.is_proven {
        return see_other(&here.after("/login/confirm"));
    }
    let other = guest.signed_in.as_ref().map(|person| &*person.user.email);
    let other = other.filter(|_| !connecting.is_own);
    Page::new(&Connect { connecting: &connecting, other, login: here.after("/login") })
}

async fn connect(
    Recent(signed_in): Recent,
    jar: Jar,
    State(app): State<AppState>,
    Form(()): Form<()>,
) -> Result<Page, ApiError> {
    let kept = cookie::value(&jar.0, &waiting(&app));
    let (page, target) = app.core.connect(kept.as_ref(), &signed_in).await?;
    let used = cookie::cookie(&app, &waiting(&app), "", 0, "Strict")?;
    let signed_in = cookie::set(&app, &page)?;
    Ok(see_other(Target::of(&target).as_str())?.cookie(signed_in).cookie(used))
}

/// A page that leads on by itself, or by its link where the browser does not.
fn onwards(heading: &str, text: &str, location: &str) -> Result<Page, ApiError> {
    let page =
        message::Message { heading, text, link: Some(("Continue", location)), request_id: None };
    let value = HeaderValue::from_str(&format!("0;url={location}"));
    let value = value.map_err(|error| Error::Internal(Box::new(error)))?;
    Ok(Page::new(&page)?.header(REFRESH, value))
}

/// A provider that does not answer is a gateway that fails; all else is the request's fault.
fn status_of(error: &ApiError) -> StatusCode {
    match error {
        ApiError::Core(Error::BadRequest { name: "SsoUnreachable", .. }) => StatusCode::BAD_GATEWAY,
        other => other.status(),
    }
}

/// The cookie of a sign-in that is under way. What stands in an address may be anything.
fn cookie_of(app: &AppState, state: &str) -> String {
    let named = state.chars().filter(char::is_ascii_hexdigit).take(NAMED_BY).collect::<String>();
    format!("{}kms_sso_{named}", prefix(app))
}

fn waiting(app: &AppState) -> String {
    format!("{}kms_{WAITING}", prefix(app))
}

fn prefix(app: &AppState) -> &'static str {
    if cookie::is_secure(app) { "__Host-" } else { "" }
}

impl FromRequestParts<AppState> for Jar {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        Ok(Self(parts.headers.clone()))
    }
}

impl Describe for Jar {
    fn describe(_: &mut Operation) {}
}
