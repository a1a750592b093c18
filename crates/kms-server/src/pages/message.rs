//! Pages that say one thing, failures among them.

use askama::Template;
use http::StatusCode;

use super::{Page, Target, single_sign_on};
use crate::ApiError;

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct Message<'a> {
    /// What it is about.
    pub(crate) heading: &'a str,
    /// What it says.
    pub(crate) text: &'a str,
    /// Where to go on to: what it is called, and its address.
    pub(crate) link: Option<(&'a str, &'a str)>,
    /// Names the request, where somebody may be asked about it.
    pub(crate) request_id: Option<&'a str>,
}

/// The page of a failure. One of ours says nothing but the request's id.
///
/// Where an organization asks for its own provider, the page leads there and back to what was asked
/// for.
pub(crate) fn failure(error: &ApiError, request_id: &str, asked: &str) -> Result<Page, ApiError> {
    let status = error.status();
    let heading = match status {
        StatusCode::NOT_FOUND => "There is no such page",
        StatusCode::FORBIDDEN => "That is not allowed",
        StatusCode::TOO_MANY_REQUESTS => "Too many tries",
        _ if status.is_server_error() => "Something went wrong",
        _ => "That did not work",
    };
    let text = text(error);
    let provider = match error {
        ApiError::Core(kms_core::Error::SingleSignOn { organization, .. }) => {
            Some(single_sign_on::address(organization, &Target::of(asked)))
        }
        _ => None,
    };
    // Whoever is signed in is led straight on to what was asked for.
    let again = match asked {
        "" => "/login".to_owned(),
        asked => Target::of(asked).after("/login"),
    };
    let link = provider.as_deref().map_or(("Start again", again.as_str()), |address| {
        ("Sign in with your organization", address)
    });
    let page = Message {
        heading,
        text: &text,
        link: Some(link),
        request_id: status.is_server_error().then_some(request_id),
    };
    Ok(Page::new(&page)?.status(status))
}

/// What an error says, with the field that it is about called what the page calls it.
pub(crate) fn about(error: &ApiError, fields: &[(&str, &str)]) -> String {
    let label = fields.iter().find(|(name, _)| Some(*name) == field(error));
    match label {
        Some((_, label)) => format!("{label} {}.", text(error)),
        None => text(error),
    }
}

/// The field that an error is about, where it is about one.
pub(crate) fn field(error: &ApiError) -> Option<&str> {
    let ApiError::Core(kms_core::Error::Validation(issues)) = error else { return None };
    issues.first()?.path.first()?.as_str()
}

/// Text in parts, with whether each is a command, which is written between backticks.
pub(crate) fn prose(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(at, part)| (at % 2 == 1, part))
}

/// What an error says to people on a page.
pub(crate) fn text(error: &ApiError) -> String {
    if error.status().is_server_error() {
        return "The server could not do this. Try again; if it stays so, tell whoever runs it \
            the number below."
            .into();
    }
    match error {
        ApiError::NoRoute => "The address may be mistyped.".into(),
        ApiError::Core(kms_core::Error::Validation(issues)) => issues.first().map_or_else(
            || "Something that was typed is not valid.".into(),
            |issue| issue.message.clone(),
        ),
        ApiError::Core(kms_core::Error::RateLimited { retry_after }) => {
            let unit = if *retry_after == 1 { "second" } else { "seconds" };
            format!("Try again in {retry_after} {unit}.")
        }
        other => other.to_string(),
    }
}
