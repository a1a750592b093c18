//! Where somebody is logged in, and ending it.

use askama::Template;
use axum::extract::State;
use kms_api::{SessionId, users::Session};
use kms_core::Error;
use serde::Deserialize;

use super::program;
use crate::{
    ApiError, AppState,
    pages::{Form, Page, Time, Visitor, cookie, see_other},
    route::Route,
};

const PAGE: &str = "/account/sessions";

#[derive(Template)]
#[template(path = "account/sessions.html")]
struct Sessions {
    /// This browser's first, then the newest.
    rows: Vec<Row>,
}

struct Row {
    id: SessionId,
    program: String,
    address: String,
    since: Time,
    last_used: Time,
    is_this: bool,
}

#[derive(Deserialize)]
struct Ended {
    session: SessionId,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(PAGE, show, "Lists where a person is logged in"),
        Route::post("/account/sessions/end", end, "Ends one of a person's sessions"),
        Route::post("/account/sessions/end-others", end_others, "Ends all but this browser's"),
    ]
}

async fn show(Visitor(signed_in): Visitor, State(app): State<AppState>) -> Result<Page, ApiError> {
    let mut sessions = app.core.list_sessions(&signed_in).await?;
    let own = signed_in.user.session;
    sessions.sort_by_key(|session| (session.id != own, std::cmp::Reverse(session.updated_at)));
    let rows = sessions.into_iter().map(|session| row(session, own)).collect();
    Page::new(&Sessions { rows })
}

fn row(session: Session, own: SessionId) -> Row {
    Row {
        id: session.id,
        program: program::name(session.user_agent.as_deref()),
        address: session.ip.unwrap_or_else(|| "unknown address".into()),
        since: Time::of(session.created_at),
        last_used: Time::of(session.last_used.unwrap_or(session.created_at)),
        is_this: session.id == own,
    }
}

/// Ends a session. One that is not there has ended, whoever's it was (attack T1).
async fn end(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(ended): Form<Ended>,
) -> Result<Page, ApiError> {
    if ended.session == signed_in.user.session {
        app.core.page_logout(&signed_in).await?;
        return Ok(see_other("/login")?.cookie(cookie::clear(&app)?));
    }
    match app.core.revoke_session(&signed_in, ended.session).await {
        Ok(_) | Err(Error::NotFound(_)) => see_other(PAGE),
        Err(other) => Err(other.into()),
    }
}

async fn end_others(
    Visitor(signed_in): Visitor,
    State(app): State<AppState>,
    Form(()): Form<()>,
) -> Result<Page, ApiError> {
    app.core.revoke_other_sessions(&signed_in).await?;
    see_other(PAGE)
}
