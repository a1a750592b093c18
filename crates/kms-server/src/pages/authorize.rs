//! Confirming what a program on somebody's machine asks for: to act as them.
//!
//! The request stays in the address until it is answered; nothing is kept of it here. Whose it is
//! and where its answer goes is decided before anything else (`kms_core::oauth`), and the answer is
//! a code, never a token.

use askama::Template;
use axum::extract::{FromRequestParts, State};
use http::{HeaderValue, StatusCode, header::REFRESH, request::Parts};
use kms_api::{OrganizationId, routes as paths};
use kms_core::oauth::{BadRequest, LoginRequest};
use serde::Deserialize;

use super::{
    Form, Link, Page, Target, Time, Visitor,
    answer::Policy,
    message::Message,
    places::{self, Chosen, Step, Way},
    see_other,
};
use crate::{
    ApiError, AppState, extract,
    route::{Class, Describe, Operation, Route},
};

/// Seconds that a code is shown: it is good for no longer.
const SHOWN: HeaderValue = HeaderValue::from_static("60; url=/oauth/code");

#[derive(Template)]
#[template(path = "authorize.html")]
struct Confirm<'a> {
    email: &'a str,
    place: &'a Chosen,
    host: Option<&'a str>,
    listener: Option<&'a str>,
    now: Time,
    action: String,
    another: String,
}

#[derive(Template)]
#[template(path = "code.html")]
struct Code<'a> {
    code: &'a str,
}

#[derive(Deserialize)]
struct Given {
    organization: OrganizationId,
    decision: Decision,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Confirm,
    Deny,
}

#[derive(Default, Deserialize)]
struct Answered {
    #[serde(default)]
    code: String,
    #[serde(default)]
    error: String,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::OAUTH_AUTHORIZE, show, "Asks whether a program may act as somebody"),
        Route::post(paths::OAUTH_AUTHORIZE, decide, "Confirms or denies that").class(Class::Login),
        Route::get(paths::OAUTH_CODE, code, "Shows a code to be pasted into a terminal"),
    ]
}

async fn show(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Asked(request): Asked,
) -> Result<Page, ApiError> {
    let request = match request {
        Ok(request) => request,
        Err(bad) => return refuse(bad),
    };
    let fields = request.fields(None);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let way = Way {
        question: "Where will the program in your terminal act?",
        method: "get",
        path: paths::OAUTH_AUTHORIZE,
        fields: &fields,
    };
    let target = |id| Target::of(&address(&request, Some(id)));
    let asked = request.organization;
    let place = match places::choose(&app, &signed_in, asked, &way, target).await? {
        Step::GoOn(place) => place,
        Step::See(page) => return Ok(page),
    };
    let page = Confirm {
        email: &signed_in.user.email,
        host: request.host.as_deref(),
        listener: request.listener(),
        now: Time::of(app.core.now()),
        action: address(&request, Some(place.id)),
        another: address(&request, None),
        place: &place,
    };
    Page::with_policy(&page, &Policy { leads_to: Some(leads_to(&request)), ..Policy::default() })
}

async fn decide(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Asked(request): Asked,
    Form(given): Form<Given>,
) -> Result<Page, ApiError> {
    let request = match request {
        Ok(request) => request,
        Err(bad) => return refuse(bad),
    };
    let address = match given.decision {
        Decision::Confirm => {
            app.core.confirm_login(&signed_in, &request, given.organization).await?
        }
        Decision::Deny => app.core.deny_login(&signed_in, &request).await?,
    };
    see_other(&address)
}

/// Shows a code and nothing else of its address, which anybody may have written (attack L4). A code
/// of somebody else's request is worth nothing to the program that it is pasted into.
async fn code(_: State<AppState>, Link(answered): Link<Answered>) -> Result<Page, ApiError> {
    let Answered { code, error } = &answered;
    let is_code = code.len() == 40 && code.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_code && error.is_empty() {
        return Ok(Page::new(&Code { code })?.header(REFRESH, SHOWN));
    }
    let (heading, text) = match error.as_str() {
        "" => ("There is no code here", "It was shown for a minute. Start again in your terminal."),
        "access_denied" => ("Denied", "Nobody was logged in. You can close this page."),
        _ => ("That did not work", "Start again with `kms login` in your terminal."),
    };
    Page::new(&Message { heading, text, link: None, request_id: None })
}

fn refuse(bad: BadRequest) -> Result<Page, ApiError> {
    let text = match bad {
        BadRequest::Told(address) => return see_other(&address),
        BadRequest::Shown(text) => text,
    };
    let heading = "This login cannot go on";
    let page = Message { heading, text, link: None, request_id: None };
    Ok(Page::new(&page)?.status(StatusCode::BAD_REQUEST))
}

fn address(request: &LoginRequest, organization: Option<OrganizationId>) -> String {
    format!("{}?{}", paths::OAUTH_AUTHORIZE, request.query(organization))
}

/// Where the form's answer leads, for the page's policy. A policy has no words for addresses of
/// version 6, so the scheme stands for them.
fn leads_to(request: &LoginRequest) -> String {
    match request.listener() {
        Some(listener) if listener.starts_with('[') => "http:".into(),
        Some(listener) => format!("http://{listener}"),
        None => request.issuer().into(),
    }
}

/// What a browser was sent here with, good or not.
struct Asked(Result<LoginRequest, BadRequest>);

impl FromRequestParts<AppState> for Asked {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        extract::check_encoding(query)?;
        let pairs: Vec<_> = form_urlencoded::parse(query).into_owned().collect();
        Ok(Self(LoginRequest::read(&pairs, &app.settings.public_url)))
    }
}

impl Describe for Asked {
    fn describe(_: &mut Operation) {}
}
