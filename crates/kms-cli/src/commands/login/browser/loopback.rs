//! The browser of this machine comes back to this machine (RFC 8252, section 7.3).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Method, StatusCode, request::Parts};
use kms_client::login::oauth::{Answer, Authorization, BrowserTokens, LoginWish, OAuth};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    listener::{self, Gate, Listener, plain, sealed},
    refused,
    wait::{Event, Wait},
};
use crate::{Context, error::CliError};

/// Waits for the browser, and for a person who pastes where the browser ended up: its way back may
/// be cut off, by a forwarding that is not there or a browser on another machine.
pub(super) async fn log_in(
    oauth: &OAuth,
    listener: Listener,
    wish: &LoginWish,
    context: &Context,
) -> Result<BrowserTokens, CliError> {
    let place = format!("http://{}/{}", listener.authority(), path());
    let authorization = Arc::new(oauth.authorize(&place, wish));
    let mut serving = listener.serve(Return::new(&place, Arc::clone(&authorization)));
    let wait = Wait {
        address: authorization.address(),
        open: true,
        notice: "Waiting for the browser. If it ends on a page that does not load, copy the address \
                 of that page, paste it here and press Enter. Ctrl-C ends the login.",
        context,
    };
    let judge = async |event| {
        let answer = match event {
            Event::Taken(answer) => Some(answer),
            Event::Pasted(line) => authorization.answer_in_address(line.expose_secret()),
        };
        if answer.is_none() {
            context.ui.complain(
                "that is not the address that this login ends with, which has a `code` in it",
            );
        }
        Ok(answer)
    };
    let answer = wait.until(&mut serving, judge).await?;
    let tokens = match answer {
        Answer::Code(code) => authorization.redeem(&code).await,
        Answer::Refused(error) => Err(error),
    };
    serving.last_answer().await;
    tokens.map_err(|error| refused(error, context))
}

/// 244 random bits, so that nobody can guess where the answer goes.
fn path() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Takes the one answer.
struct Return {
    path: String,
    authorization: Arc<Authorization>,
    taken: AtomicBool,
}

impl Return {
    fn new(place: &str, authorization: Arc<Authorization>) -> Self {
        let path = place.rsplit('/').next().unwrap_or_default();
        Self { path: format!("/{path}"), authorization, taken: AtomicBool::new(false) }
    }
}

impl Gate for Return {
    type Taken = Answer;

    fn judge(&self, head: &Parts, _body: &[u8]) -> (Option<Answer>, listener::Answer) {
        let not_found = (None, plain(StatusCode::NOT_FOUND));
        if head.method != Method::GET || head.uri.path() != self.path {
            return not_found;
        }
        let answer = head.uri.query().and_then(|query| self.authorization.answer(query));
        let Some(answer) = answer else { return not_found };
        if self.taken.swap(true, Ordering::Relaxed) {
            return not_found;
        }
        let page = match &answer {
            Answer::Code(_) => page("Almost done", "The terminal has what it needs and goes on."),
            Answer::Refused(_) => page("Not logged in", "The terminal says why."),
        };
        (Some(answer), page)
    }
}

const STYLE: &str = "html{color-scheme:light dark;background:#f6f7f9;color:#16191d;\
    font:1rem/1.5 system-ui,sans-serif}main{max-width:27rem;margin:12vh auto 0;padding:0 1rem}\
    h1{font-size:1.4rem;line-height:1.25}\
    @media(prefers-color-scheme:dark){html{background:#101317;color:#eceff3}}";

/// A page of fixed text.
fn page(title: &'static str, text: &'static str) -> listener::Answer {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Hanzo KMS</title>\
         <link rel=\"icon\" href=\"data:,\">\
         <style>{STYLE}</style><main><h1>{title}</h1><p>{text}\
         <p>You can close this window.</main></html>\n"
    );
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    sealed(StatusCode::OK, "text/html; charset=utf-8", &policy, html.into())
}
