//! The instance: what anyone may know about it, and setting it up.

use axum::extract::State;
use http::{
    HeaderMap, HeaderName,
    header::{HOST, ORIGIN},
};
use kms_api::{
    admin::{
        AdminSignUp, AdminSignUpResponse, Bootstrap, BootstrapResponse, InstanceConfigResponse,
    },
    routes as paths,
};
use kms_core::Installer;

use crate::{
    ApiError, AppState, Json,
    cookie::WithCookie,
    extract::{Body, Sender},
    route::{Class, Route},
};

const SETUP_TOKEN: HeaderName = HeaderName::from_static("x-kms-setup-token");

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::ADMIN_CONFIG, config, "Tells what anyone may know about the instance"),
        Route::post(paths::ADMIN_BOOTSTRAP, bootstrap, "Sets the instance up, once")
            .class(Class::Login),
        Route::post(paths::ADMIN_SIGNUP, sign_up, "Makes the first administrator, once")
            .class(Class::Login),
    ]
}

async fn config(State(app): State<AppState>) -> Result<Json<InstanceConfigResponse>, ApiError> {
    Ok(Json(app.core.instance_config().await?))
}

async fn bootstrap(
    sender: Sender,
    headers: HeaderMap,
    State(app): State<AppState>,
    Body(body): Body<Bootstrap>,
) -> Result<Json<BootstrapResponse>, ApiError> {
    let installer = installer(sender, &headers);
    Ok(Json(app.core.bootstrap(&body, &installer).await?))
}

async fn sign_up(
    sender: Sender,
    headers: HeaderMap,
    State(app): State<AppState>,
    Body(body): Body<AdminSignUp>,
) -> Result<WithCookie<AdminSignUpResponse>, ApiError> {
    let installer = installer(sender, &headers);
    WithCookie::set(&app, app.core.admin_sign_up(&body, &installer).await?)
}

fn installer(sender: Sender, headers: &HeaderMap) -> Installer {
    let token = headers.get(SETUP_TOKEN).and_then(|token| token.to_str().ok());
    Installer {
        setup_token: token.map(Into::into),
        local: sender.local && !from_a_page(headers),
        origin: sender.origin,
    }
}

/// Whether a web page may be behind a request: a browser on the server's own machine is not the
/// person who sits there. A page says so itself, unless it had its name resolved to this machine,
/// which the name shows.
fn from_a_page(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    let name = name.map_or(host, |(name, _)| name);
    headers.contains_key(ORIGIN) || !["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h12_a_page_in_a_browser_on_the_same_machine_is_not_the_person_there() {
        let request = |host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            from_a_page(&headers)
        };
        for host in ["localhost:8080", "localhost", "127.0.0.1:8080", "[::1]:8080", "[::1]"] {
            assert!(!request(host, None), "{host}");
            assert!(request(host, Some("http://localhost:8080")), "{host}");
        }
        for host in ["rebound.example:8080", "localhost.example", "127.0.0.1.example", ""] {
            assert!(request(host, None), "{host}");
        }
    }
}
