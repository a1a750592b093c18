//! The pages behind mailed links: signing up, accepting an invitation, setting a new password,
//! showing that an address is one's own.
//!
//! Opening a link changes nothing, since mail scanners open links, too; a button does (attack H11).
//! What a link holds is used up by the first form that comes with it; where that form is shown once
//! more, it carries what was got for it.

mod invitation;
mod password_reset;
mod sign_up;
mod verify;

use askama::Template;
use http::StatusCode;
use kms_api::OrganizationId;
use kms_core::{Error, Proven};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{Message, Page, message};
use crate::{ApiError, AppState, route::Route};

/// What a link in a mail says, in the words of the wire contract.
#[derive(Deserialize)]
struct Mailed {
    token: Option<SecretString>,
    to: Option<String>,
}

impl Mailed {
    fn parts(&self) -> Option<(&SecretString, &str)> {
        Some((self.token.as_ref()?, self.to.as_deref()?))
    }
}

/// What shows that an address is somebody's: what was mailed, or what they got for it.
struct Shown {
    email: String,
    code: Option<SecretString>,
    proof: Option<SecretString>,
}

impl Shown {
    /// What a link holds.
    fn of(email: &str, code: &SecretString) -> Self {
        Self { email: email.to_owned(), code: Some(code.clone()), proof: None }
    }

    /// What one got for it.
    fn proven(email: &str, proof: &SecretString) -> Self {
        Self { email: email.to_owned(), code: None, proof: Some(proof.clone()) }
    }

    /// Whom it shows to be who they say.
    fn proven_by(&self, app: &AppState) -> Result<Proven, Error> {
        let proof = self.proof.as_ref().map(SecretString::expose_secret);
        app.core.authenticate_proven(proof.unwrap_or_default())
    }

    /// The hidden fields of a form: their names and what they hold.
    fn hidden(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [("code", &self.code), ("proof", &self.proof)];
        fields.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?.expose_secret())))
    }
}

/// Name and password of somebody who completes an account.
#[derive(Template)]
#[template(path = "mailed/complete.html")]
struct Complete<'a> {
    action: &'static str,
    heading: &'a str,
    shown: &'a Shown,
    /// The organization of an invitation.
    joins: Option<OrganizationId>,
    about: &'a About,
    problem: Option<Problem>,
}

impl Complete<'_> {
    /// Whether a field is what the problem is about, or the first to be filled in without one.
    fn is_next(&self, field: &str) -> bool {
        match &self.problem {
            Some(problem) => problem.field == field,
            None => field == "firstName",
        }
    }
}

/// What is wrong with what was typed.
struct Problem {
    /// The field that it is about, in the words of the API; the first where it is about none.
    field: String,
    text: String,
}

impl Problem {
    fn of(error: &ApiError) -> Self {
        let field = message::field(error).unwrap_or("firstName").to_owned();
        Self { field, text: about(error) }
    }
}

/// What somebody says about themselves.
#[derive(Default, Deserialize)]
struct About {
    first_name: String,
    #[serde(default)]
    last_name: String,
    /// The organization to make, of somebody who signed up.
    #[serde(default)]
    organization: String,
}

/// What the fields of these forms are called on them.
const FIELDS: [(&str, &str); 6] = [
    ("email", "The e-mail address"),
    ("firstName", "The first name"),
    ("lastName", "The last name"),
    ("organizationName", "The organization's name"),
    ("password", "The password"),
    ("newPassword", "The password"),
];

pub(super) fn routes() -> Vec<Route> {
    let pages =
        [sign_up::routes(), invitation::routes(), password_reset::routes(), verify::routes()];
    pages.into_iter().flatten().collect()
}

/// A link that holds no longer, or never did.
fn gone(text: &str, link: Option<(&str, &str)>) -> Result<Page, ApiError> {
    let heading = "This link is not valid any more";
    Ok(Page::new(&Message { heading, text, link, request_id: None })?.status(StatusCode::GONE))
}

/// What an error says on these forms.
fn about(error: &ApiError) -> String {
    message::about(error, &FIELDS)
}
