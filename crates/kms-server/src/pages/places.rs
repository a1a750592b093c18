//! Choosing where to act, on the way to something else.

use askama::Template;
use kms_api::OrganizationId;
use kms_core::{Error, PagePlace, SignedIn};

use super::{Page, Target, factor, message::Message, see_other};
use crate::{ApiError, AppState};

/// An organization that somebody may act in.
pub(crate) struct Place {
    pub(crate) id: OrganizationId,
    pub(crate) name: String,
    pub(crate) is_below: bool,
}

/// What a form goes on with, beside the organization that is chosen.
pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

#[derive(Template)]
#[template(path = "places.html")]
struct Choice<'a> {
    question: &'a str,
    method: &'a str,
    path: &'a str,
    fields: Fields<'a>,
    places: &'a [Place],
    email: &'a str,
    error: Option<&'a str>,
}

/// What leads through the choice: the page that asks, and what it was asked with.
pub(crate) struct Way<'a> {
    /// What the choice is for.
    pub(crate) question: &'a str,
    /// How the page is asked that goes on with it: `get` or `post`.
    pub(crate) method: &'a str,
    /// The page that goes on with it.
    pub(crate) path: &'a str,
    /// What that page was asked with.
    pub(crate) fields: Fields<'a>,
}

/// Where somebody acts, and nothing is owed any more.
pub(crate) struct Chosen {
    pub(crate) id: OrganizationId,
    pub(crate) name: String,
    /// Whether there is anything else to choose.
    pub(crate) is_one_of_many: bool,
}

/// Whether somebody may go on, or sees another page first.
pub(crate) enum Step {
    GoOn(Chosen),
    See(Page),
}

/// Finds out where somebody acts: where they chose, or the only place there is. `target` is where
/// a second factor leads back to.
pub(crate) async fn choose(
    app: &AppState,
    signed_in: &SignedIn,
    asked: Option<OrganizationId>,
    way: &Way<'_>,
    target: impl FnOnce(OrganizationId) -> Target,
) -> Result<Step, ApiError> {
    let places = of(app, signed_in).await?;
    let only = if let [only] = places.as_slice() { Some(only.id) } else { None };
    let Some(id) = asked.or(only) else {
        return page(signed_in, &places, way, None).map(Step::See);
    };
    let place: PagePlace = match app.core.page_place(signed_in, id).await {
        Ok(place) => place,
        Err(Error::NotFound(_)) => {
            let error = Some("You are no member of the organization that was asked for.");
            return page(signed_in, &places, way, error).map(Step::See);
        }
        Err(other) => return Err(other.into()),
    };
    if place.owed.is_some() {
        return see_other(&factor::address(id, &target(id))).map(Step::See);
    }
    let found = places.iter().find(|place| place.id == id);
    let name = match found {
        Some(place) if place.is_below => format!("{} in {}", place.name, root_name(&places, id)),
        Some(place) => place.name.clone(),
        None => place.root_name,
    };
    Ok(Step::GoOn(Chosen { id, name, is_one_of_many: places.len() > 1 }))
}

/// The name of the organization above another one.
fn root_name(places: &[Place], id: OrganizationId) -> &str {
    let above = places.iter().take_while(|place| place.id != id);
    above.filter(|place| !place.is_below).last().map_or("", |root| root.name.as_str())
}

fn page(
    signed_in: &SignedIn,
    places: &[Place],
    way: &Way<'_>,
    error: Option<&str>,
) -> Result<Page, ApiError> {
    if places.is_empty() {
        let page = Message {
            heading: "There is nowhere to log in to",
            text: "You belong to no organization yet. Ask an administrator to invite you.",
            link: None,
            request_id: None,
        };
        return Ok(Page::new(&page)?.status(http::StatusCode::FORBIDDEN));
    }
    let Way { question, method, path, fields } = way;
    let email = &signed_in.user.email;
    Page::new(&Choice { question, method, path, fields, places, email, error })
}

/// Organizations with those below them, by name.
async fn of(app: &AppState, signed_in: &SignedIn) -> Result<Vec<Place>, ApiError> {
    let mut places = Vec::new();
    for root in app.core.list_accessible_organizations(signed_in).await?.organizations {
        places.push(Place { id: root.id, name: root.name, is_below: false });
        let below = root.sub_organizations.into_iter();
        places.extend(below.map(|sub| Place { id: sub.id, name: sub.name, is_below: true }));
    }
    Ok(places)
}
