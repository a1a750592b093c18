//! Logging in a device that has no browser: its code is typed, what asks is shown, and a person
//! approves or denies it.
//!
//! A code is looked at when a form is sent and never by following a link, so no link and no other
//! site can approve anything or use up somebody's tries (attacks L5, L6).

use askama::Template;
use axum::extract::State;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use kms_api::{OrganizationId, routes as paths};
use kms_core::{Error, SignedIn, oauth::DeviceLogin};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Deserializer};

use super::{
    Form, Link, Page, Target, Time, Visitor,
    message::{self, Message},
    places::{self, Chosen, Step, Way},
};
use crate::{
    ApiError, AppState,
    route::{Class, Route},
};

/// Characters of a code that a field takes, with whatever somebody puts between its letters.
const LONGEST_CODE: usize = 32;

#[derive(Template)]
#[template(path = "device_code.html")]
struct Typed<'a> {
    user_code: &'a str,
    organization: Option<OrganizationId>,
    email: &'a str,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "device_confirm.html")]
struct Confirm<'a> {
    email: &'a str,
    place: &'a Chosen,
    login: &'a DeviceLogin,
    age: String,
    asked: Time,
}

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    user_code: String,
    #[serde(default, deserialize_with = "an_id_or_none")]
    organization_id: Option<OrganizationId>,
}

#[derive(Deserialize)]
struct Given {
    user_code: String,
    organization_id: Option<OrganizationId>,
    decision: Option<Decision>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Approve,
    Deny,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::DEVICE, show, "Asks for the code of a device"),
        Route::post(paths::DEVICE, decide, "Shows what asks with a code, approves or denies it")
            .class(Class::Login),
    ]
}

async fn show(Visitor(signed_in): Visitor, Link(asked): Link<Asked>) -> Result<Page, ApiError> {
    code_page(&signed_in, &asked.user_code, asked.organization_id, None)
}

async fn decide(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(given): Form<Given>,
) -> Result<Page, ApiError> {
    let Given { user_code, organization_id: organization, decision } = &given;
    let answer = match (decision, organization) {
        (Some(Decision::Deny), _) => deny(&app, &signed_in, user_code).await,
        (Some(Decision::Approve), Some(organization)) => {
            approve(&app, &signed_in, user_code, *organization).await
        }
        _ => review(&app, &signed_in, user_code, *organization).await,
    };
    let error = match answer {
        Ok(page) => return Ok(page),
        Err(error) => error,
    };
    match &error {
        ApiError::Core(Error::Forbidden { name, message }) if name == "DeviceLoginOff" => {
            said("That is switched off", message, error.status())
        }
        ApiError::Core(Error::NotFound(_)) => {
            let text = "The organization that was asked for is none that you belong to.";
            said("There is no such organization", text, error.status())
        }
        ApiError::Core(Error::BadRequest { .. } | Error::RateLimited { .. }) => {
            let text = Some(message::text(&error));
            let page = code_page(&signed_in, user_code, *organization, text)?;
            let page = page.status(error.status());
            Ok(match error.retry_after() {
                Some(seconds) => page.header(RETRY_AFTER, HeaderValue::from(seconds)),
                None => page,
            })
        }
        _ => Err(error),
    }
}

/// Leads through what has to be known and given before somebody may decide.
async fn review(
    app: &AppState,
    signed_in: &SignedIn,
    user_code: &str,
    organization: Option<OrganizationId>,
) -> Result<Page, ApiError> {
    let login = app.core.device_login(signed_in, user_code).await?;
    if let Some(asked) = login.organization {
        // Nothing else is offered in its place.
        app.core.page_place(signed_in, asked).await?;
    }
    let way = Way {
        question: "Where will the program on that device act?",
        method: "post",
        path: paths::DEVICE,
        fields: &[("user_code", &login.user_code)],
    };
    let asked = login.organization.or(organization);
    let target = |id| target(&login, id);
    let place = match places::choose(app, signed_in, asked, &way, target).await? {
        Step::GoOn(place) => place,
        Step::See(page) => return Ok(page),
    };
    app.core.may_approve_devices(signed_in, place.id).await?;
    Page::new(&Confirm {
        email: &signed_in.user.email,
        place: &place,
        asked: Time::of(login.asked_at),
        age: age(app.core.now().seconds() - login.asked_at.seconds()),
        login: &login,
    })
}

async fn approve(
    app: &AppState,
    signed_in: &SignedIn,
    user_code: &str,
    organization: OrganizationId,
) -> Result<Page, ApiError> {
    let login = app.core.approve_device(signed_in, user_code, organization).await?;
    let host = login.host.map_or_else(String::new, |host| format!(" on {host}"));
    let text = format!("The program{host} is being logged in. You may close this page.");
    said("Approved", &text, StatusCode::OK)
}

async fn deny(app: &AppState, signed_in: &SignedIn, user_code: &str) -> Result<Page, ApiError> {
    app.core.deny_device(signed_in, user_code).await?;
    said("Denied", "Nobody was logged in. You may close this page.", StatusCode::OK)
}

fn said(heading: &str, text: &str, status: StatusCode) -> Result<Page, ApiError> {
    Ok(Page::new(&Message { heading, text, link: None, request_id: None })?.status(status))
}

fn code_page(
    signed_in: &SignedIn,
    user_code: &str,
    organization: Option<OrganizationId>,
    error: Option<String>,
) -> Result<Page, ApiError> {
    // What was typed comes back, and no more of it than fits the field.
    let end = user_code.char_indices().nth(LONGEST_CODE).map_or(user_code.len(), |(at, _)| at);
    let user_code = &user_code[..end];
    Page::new(&Typed { user_code, organization, email: &signed_in.user.email, error })
}

/// This page, once more, after a second factor was given.
fn target(login: &DeviceLogin, organization: OrganizationId) -> Target {
    let user_code = utf8_percent_encode(&login.user_code, NON_ALPHANUMERIC);
    let page = paths::DEVICE;
    Target::of(&format!("{page}?user_code={user_code}&organization_id={organization}"))
}

/// How long ago something was, in seconds up to two minutes.
fn age(seconds: i64) -> String {
    match seconds.max(0) {
        1 => "1 second".into(),
        few @ 0..120 => format!("{few} seconds"),
        many => format!("{} minutes", many / 60),
    }
}

/// What a link says for an id; one that is none is left out.
fn an_id_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Option<OrganizationId>, D::Error> {
    Ok(String::deserialize(from)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_seconds_and_then_in_minutes() {
        let told = [-3, 0, 1, 119, 120, 599].map(age);
        assert_eq!(
            told,
            ["0 seconds", "0 seconds", "1 second", "119 seconds", "2 minutes", "9 minutes"]
        );
    }
}
