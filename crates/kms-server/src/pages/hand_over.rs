//! Handing a session to a program of the compatible kind that waits on this machine (wire contract,
//! clients, section 4.7): the one place where a page sends a token to an address on the computer.
//!
//! A link that leads here does nothing by itself (attack L7). The page names the port and asks; only
//! its own form makes a session, and the answer to that form is the only page with a script. An
//! operator can switch all of it off.

use askama::Template;
use axum::extract::State;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode, header::REFRESH};
use kms_api::{OrganizationId, handover::HandOver};
use kms_core::Error;
use serde::{Deserialize, Deserializer};

use super::{
    Form, Link, Page, Target, Visitor,
    answer::Policy,
    message::Message,
    places::{self, Chosen, Step, Way},
};
use crate::{
    ApiError, AppState,
    route::{Class, Route},
};

/// The page.
const PATH: &str = "/login/cli";
/// Where the browser goes when the text was shown long enough.
const OVER: &str = "/login/cli/over";
/// Seconds that the text is shown, and where to go then.
const SHOWN: HeaderValue = HeaderValue::from_static("30; url=/login/cli/over");
/// Sends the session to the program, and shows the text for copying only where that failed.
const SCRIPT: &str = include_str!("../../templates/hand_over.js");

#[derive(Template)]
#[template(path = "hand_over.html")]
struct Confirm<'a> {
    email: &'a str,
    place: &'a Chosen,
    port: Port,
}

#[derive(Template)]
#[template(path = "handed_over.html")]
struct HandedOver<'a> {
    listener: &'a str,
    text: &'a str,
    script: &'static str,
}

#[derive(Deserialize)]
struct Asked {
    callback_port: Port,
    organization_id: Option<OrganizationId>,
}

#[derive(Deserialize)]
struct Given {
    callback_port: Port,
    organization: OrganizationId,
}

/// The port of a program that somebody started: none of those that the system's own programs
/// listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Port(u16);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        let port = text.parse().ok().filter(|port| is_number && *port >= 1_024);
        port.map(Self).ok_or_else(|| serde::de::Error::custom("must be a port from 1024 to 65535"))
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(PATH, show, "Asks whether a program on this machine gets a session"),
        Route::post(PATH, hand_over, "Gives it one").class(Class::Login),
        Route::get(OVER, over, "Says that a session is shown no longer"),
    ]
}

/// The address of the page, for a program that waits at a port.
pub(super) fn address(port: Port) -> String {
    format!("{PATH}?callback_port={port}")
}

async fn show(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Link(asked): Link<Asked>,
) -> Result<Page, ApiError> {
    let port = asked.callback_port;
    if app.settings.no_hand_over {
        return switched_off();
    }
    let text = port.to_string();
    let way = Way {
        question: "Where will the program act?",
        method: "get",
        path: PATH,
        fields: &[("callback_port", &text)],
    };
    let target = |id| Target::of(&format!("{}&organization_id={id}", address(port)));
    let place = match places::choose(&app, &signed_in, asked.organization_id, &way, target).await? {
        Step::GoOn(place) => place,
        Step::See(page) => return Ok(page),
    };
    Page::new(&Confirm { email: &signed_in.user.email, place: &place, port })
}

async fn hand_over(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(given): Form<Given>,
) -> Result<Page, ApiError> {
    if app.settings.no_hand_over {
        return switched_off();
    }
    let listener = format!("http://127.0.0.1:{}", given.callback_port);
    let token = app.core.hand_over(&signed_in, given.organization).await?;
    let email = signed_in.user.email.to_string();
    let session = HandOver { token, email, private_key: String::new(), refresh_token: None };
    let session = serde_json::to_vec(&session);
    let session = session.map_err(|error| Error::Internal(Box::new(error)))?;
    let page = HandedOver { listener: &listener, text: &STANDARD.encode(session), script: SCRIPT };
    let policy = Policy {
        script: Some(SCRIPT),
        connects_to: Some(format!("{listener}/")),
        ..Policy::default()
    };
    Ok(Page::with_policy(&page, &policy)?.header(REFRESH, SHOWN))
}

async fn over(_: State<AppState>) -> Result<Page, ApiError> {
    let heading = "This page can be closed";
    let text = "If the program was not logged in, start again from there: what it takes is shown \
        for half a minute.";
    Page::new(&Message { heading, text, link: None, request_id: None })
}

fn switched_off() -> Result<Page, ApiError> {
    let heading = "This server hands no sessions over";
    let text =
        "Whoever runs it switched that off. Log in with `kms login`, which does not need it.";
    let page = Message { heading, text, link: None, request_id: None };
    Ok(Page::new(&page)?.status(StatusCode::FORBIDDEN))
}
