//! The pages that people see in a browser: signing in, confirming what a command line asks for.
//!
//! Rendered here, of templates beside this crate's `src`, without JavaScript and with one inline
//! style sheet. A page is a route like any other, in a table of its own ([`routes`]): it takes the
//! browser's cookie in place of a bearer token, and its failures are pages, too.
//!
//! Start at [`Page`] for what a page answers, [`Visitor`] for who looks at it, [`Form`] and [`Link`] for
//! what they send, and `target` for where they go on to.

mod account;
mod answer;
mod authorize;
mod confirm;
mod cookie;
mod device;
mod factor;
mod form;
mod hand_over;
mod login;
mod mailed;
mod message;
mod passkeys;
mod places;
mod single_sign_on;
mod target;
mod time;
mod visitor;

pub(crate) use answer::{IsPage, Page, STYLE, see_other};
pub(crate) use confirm::Recent;
pub(crate) use form::{Form, Link};
pub(crate) use message::{Message, failure, prose};
pub(crate) use passkeys::SCRIPT as PASSKEY_SCRIPT;
pub(crate) use target::Target;
pub(crate) use time::Time;
pub(crate) use visitor::{Guest, Visitor};

use crate::route::Route;

/// The table. A page adds one line.
pub(crate) fn routes() -> Vec<Route> {
    let pages = [
        login::routes(), //
        factor::routes(),
        single_sign_on::routes(),
        confirm::routes(),
        passkeys::routes(),
        account::routes(),
        mailed::routes(),
        authorize::routes(),
        hand_over::routes(),
        device::routes(),
    ];
    pages.into_iter().flatten().map(Route::page).collect()
}
