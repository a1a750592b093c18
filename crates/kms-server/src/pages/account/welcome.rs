//! What somebody does next who has just come in.

use askama::Template;
use axum::extract::State;

use crate::{
    ApiError, AppState,
    pages::{Page, Visitor},
    route::Route,
};

/// The address of this page.
pub(crate) const PAGE: &str = "/account/welcome";
/// The server that `kms login` goes to when it is told nothing.
const DEFAULT: &str = "https://kms.hanzo.ai";

#[derive(Template)]
#[template(path = "account/welcome.html")]
struct Welcome<'a> {
    /// Where the command has to be told to log in, where that is not where it goes anyway.
    domain: Option<&'a str>,
    organizations: Vec<String>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get(PAGE, show, "Says what somebody who has just come in does next")]
}

async fn show(Visitor(signed_in): Visitor, State(app): State<AppState>) -> Result<Page, ApiError> {
    let found = app.core.list_organizations(&signed_in).await?.organizations;
    let domain = app.settings.public_url.as_str();
    Page::new(&Welcome {
        domain: (domain != DEFAULT).then_some(domain),
        organizations: found.into_iter().map(|organization| organization.name).collect(),
    })
}
