//! Accepting an invitation.

use askama::Template;
use axum::extract::State;
use kms_api::{
    OrganizationId,
    accounts::{CompleteInvitation, VerifyInvitation},
};
use kms_core::{Error, InvitationSeen, Origin};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{About, Complete, Problem, Shown, gone};
use crate::{
    ApiError, AppState,
    pages::{Form, Guest, Link, Page, Target, Visitor, account, cookie, see_other},
    route::{Class, Route},
};

/// Where the link in the mail leads.
const PAGE: &str = "/signupinvite";

/// An invitation of somebody who has an account.
#[derive(Template)]
#[template(path = "mailed/invitation.html")]
struct Invitation<'a> {
    organization: &'a str,
    mailed: &'a Mailed,
    /// Whether this browser is signed in as who is invited.
    is_own: bool,
    /// Who else it is signed in as.
    other: Option<&'a str>,
    /// This page, to come back to.
    target: Target,
}

/// What the link in the mail says.
#[derive(Deserialize)]
struct Mailed {
    token: SecretString,
    to: String,
    organization_id: OrganizationId,
}

/// The same where a link may have been cut off on its way.
#[derive(Deserialize)]
struct AskedFor {
    token: Option<SecretString>,
    to: Option<String>,
    organization_id: Option<String>,
}

impl AskedFor {
    fn mailed(self) -> Option<Mailed> {
        let organization_id = self.organization_id?.parse().ok()?;
        Some(Mailed { token: self.token?, to: self.to?, organization_id })
    }
}

impl Mailed {
    fn body(&self) -> VerifyInvitation {
        VerifyInvitation {
            email: self.to.clone(),
            organization_id: self.organization_id,
            code: self.token.clone(),
        }
    }

    fn token(&self) -> &str {
        self.token.expose_secret()
    }

    /// The page of this invitation.
    fn target(&self) -> Target {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let (token, to) = (encoded(self.token()), encoded(&self.to));
        let organization = self.organization_id;
        Target::of(&format!("{PAGE}?token={token}&to={to}&organization_id={organization}"))
    }
}

#[derive(Deserialize)]
struct Given {
    email: String,
    code: Option<SecretString>,
    proof: Option<SecretString>,
    organization_id: OrganizationId,
    first_name: String,
    #[serde(default)]
    last_name: String,
    password: SecretString,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(PAGE, show, "Shows an invitation").class(Class::Login),
        Route::post(PAGE, complete, "Accepts an invitation with a new account").class(Class::Login),
        Route::post("/signupinvite/accept", accept, "Accepts an invitation").class(Class::Login),
    ]
}

async fn show(
    guest: Guest,
    State(app): State<AppState>,
    Link(asked_for): Link<AskedFor>,
) -> Result<Page, ApiError> {
    let Some(mailed) = asked_for.mailed() else { return no_longer() };
    let signed_in = guest.signed_in.as_ref();
    let Some(seen) = app.core.see_invitation(&mailed.body(), signed_in).await? else {
        return no_longer();
    };
    let InvitationSeen { organization, has_account, is_own } = &seen;
    if !has_account {
        let shown = Shown::of(&mailed.to, &mailed.token);
        let heading = format!("Join {organization}");
        return asked(&heading, &shown, mailed.organization_id, &About::default(), None);
    }
    let other = signed_in.filter(|_| !is_own).map(|signed_in| &*signed_in.user.email);
    let target = mailed.target();
    Page::new(&Invitation { organization, mailed: &mailed, is_own: *is_own, other, target })
}

async fn accept(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(mailed): Form<Mailed>,
) -> Result<Page, ApiError> {
    match app.core.accept_invitation(&signed_in, &mailed.body()).await {
        Ok(_) => see_other(account::WELCOME),
        Err(Error::Unauthorized(_)) => no_longer(),
        Err(other) => Err(other.into()),
    }
}

async fn complete(
    guest: Guest,
    State(app): State<AppState>,
    Form(given): Form<Given>,
) -> Result<Page, ApiError> {
    let Given { email, code, proof, organization_id, first_name, last_name, password } = given;
    let proof = match (proof, code) {
        (Some(proof), _) => proof,
        (None, Some(token)) => {
            let mailed = Mailed { token, to: email.clone(), organization_id };
            match verified(&app, &mailed, &guest.origin).await? {
                Verified::Proof(proof) => proof,
                Verified::HasAccount => return see_other(mailed.target().as_str()),
                Verified::NoLonger => return no_longer(),
            }
        }
        (None, None) => return no_longer(),
    };
    let shown = Shown::proven(&email, &proof);
    let about_them = About { first_name, last_name, organization: String::new() };
    match finish(&app, &shown, &about_them, password, &guest.origin).await {
        Ok(page) => Ok(see_other(account::WELCOME)?.cookie(cookie::set(&app, &page)?)),
        Err(Error::Unauthorized(_) | Error::Token(_)) => no_longer(),
        Err(error @ Error::Validation(_)) => {
            let error = ApiError::from(error);
            let problem = Some(Problem::of(&error));
            let page =
                asked("Complete your account", &shown, organization_id, &about_them, problem)?;
            Ok(page.status(error.status()))
        }
        Err(other) => Err(other.into()),
    }
}

/// What somebody without an account gets for an invitation.
enum Verified {
    Proof(SecretString),
    /// There is an account by now: its owner accepts.
    HasAccount,
    NoLonger,
}

async fn verified(app: &AppState, mailed: &Mailed, origin: &Origin) -> Result<Verified, ApiError> {
    match app.core.see_invitation(&mailed.body(), None).await? {
        None => return Ok(Verified::NoLonger),
        Some(seen) if seen.has_account => return Ok(Verified::HasAccount),
        Some(_) => {}
    }
    match app.core.verify_invitation(&mailed.body(), origin).await {
        Ok(verified) => {
            let proof = verified.token.map(|token| Verified::Proof(token.into()));
            Ok(proof.unwrap_or(Verified::NoLonger))
        }
        Err(Error::Unauthorized(_)) => Ok(Verified::NoLonger),
        Err(other) => Err(other.into()),
    }
}

async fn finish(
    app: &AppState,
    shown: &Shown,
    about: &About,
    password: SecretString,
    origin: &Origin,
) -> Result<kms_core::Page, Error> {
    let proven = shown.proven_by(app)?;
    let body = CompleteInvitation {
        email: shown.email.clone(),
        first_name: about.first_name.clone(),
        last_name: Some(about.last_name.clone()),
        password,
    };
    app.core.complete_invitation_page(&proven, &body, origin).await
}

fn asked(
    heading: &str,
    shown: &Shown,
    organization: OrganizationId,
    about: &About,
    problem: Option<Problem>,
) -> Result<Page, ApiError> {
    let joins = Some(organization);
    Page::new(&Complete { action: PAGE, heading, shown, joins, about, problem })
}

fn no_longer() -> Result<Page, ApiError> {
    gone(
        "An invitation is good once, for three days. Ask whoever invited you for another.",
        Some(("Log in", "/login")),
    )
}
