//! The login page of a compatible server posts the session to this machine, or shows it as a text to
//! paste (wire contract, clients, section 4.7). Hardened on this side: only that server's page, only
//! the one shape, and only a token that the server takes.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use kms_client::{
    Client, Error as ClientError,
    login::{HandedOver, VerifiedHandover},
};
use secrecy::ExposeSecret as _;

use super::{
    super::user::MACHINE,
    command,
    listener::{Answer, Gate, Listener, plain},
    open::Whereabouts,
    wait::{Event, Wait},
};
use crate::{
    Context,
    error::{CliError, ResultExt as _},
};

pub(super) async fn log_in(
    client: &Client,
    context: &Context,
) -> Result<VerifiedHandover, CliError> {
    if !context.ui.interactive {
        return Err(CliError::needs_person(format!(
            "`{}` has no login through a browser on another device",
            client.origin()
        ))
        .hint(format!("on a terminal: `{}`", command(context, "")))
        .hint(MACHINE));
    }
    let listener = Listener::bind().await.context("could not listen for the browser")?;
    let address = client.handover_address(listener.port());
    let mut serving = listener.serve(HandOver { origin: client.origin().web_origin() });
    let wait = Wait {
        address: &address,
        open: !matches!(Whereabouts::find(&context.settings.env), Whereabouts::Elsewhere(_)),
        notice: "Waiting for the browser. If its page shows a text to copy, paste that here and \
                 press Enter. Ctrl-C ends the login.",
        context,
    };
    let judge = async |event| {
        let handed = match event {
            Event::Taken(handed) => Some(handed),
            Event::Pasted(text) => HandedOver::pasted(text.expose_secret()),
        };
        let Some(handed) = handed else {
            context.ui.complain("that is not the text that the page shows");
            return Ok(None);
        };
        match client.accept_handover(handed).await {
            Ok(verified) => Ok(Some(verified)),
            // Whoever else can post here must not be able to end the wait (attack L1).
            Err(error @ (ClientError::Status { .. } | ClientError::MalformedToken)) => {
                context.ui.complain(&format!("a login that the server does not know: {error}"));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    };
    let verified = wait.until(&mut serving, judge).await?;
    serving.last_answer().await;
    Ok(verified)
}

/// Takes what the login page of one server posts.
struct HandOver {
    origin: String,
}

impl HandOver {
    /// The origin of the page that asks, if it is the server's.
    fn asks<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let mut values = headers.get_all(header::ORIGIN).iter();
        let (origin, None) = (values.next()?, values.next()) else { return None };
        (*origin == *self.origin).then_some(origin)
    }
}

impl Gate for HandOver {
    type Taken = HandedOver;

    fn judge(&self, head: &Parts, body: &[u8]) -> (Option<HandedOver>, Answer) {
        let not_found = (None, plain(StatusCode::NOT_FOUND));
        let Some(origin) = self.asks(&head.headers) else { return not_found };
        if head.uri.path() != "/" || head.uri.query().is_some() {
            return not_found;
        }
        if head.method == Method::OPTIONS {
            return (None, allowed(StatusCode::NO_CONTENT, origin, &head.headers));
        }
        let is_json = head.headers.get(header::CONTENT_TYPE).is_some_and(|value| {
            let value = value.to_str().unwrap_or_default();
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .eq_ignore_ascii_case("application/json")
        });
        if head.method != Method::POST || !is_json {
            return not_found;
        }
        match HandedOver::posted(body) {
            Some(handed) => (Some(handed), allowed(StatusCode::OK, origin, &head.headers)),
            None => (None, allowed(StatusCode::BAD_REQUEST, origin, &head.headers)),
        }
    }
}

/// An empty answer that the page may read (CORS), also from a public network to this machine.
fn allowed(status: StatusCode, origin: &HeaderValue, asked: &HeaderMap) -> Answer {
    let mut answer = plain(status);
    *answer.body_mut() = http_body_util::Full::default();
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    for (name, value) in [
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "content-type"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if asked.contains_key("access-control-request-private-network") {
        let name = "access-control-allow-private-network";
        headers.insert(name, HeaderValue::from_static("true"));
    }
    answer
}
