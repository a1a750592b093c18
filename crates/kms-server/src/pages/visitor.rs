//! Who looks at a page.

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse as _, Response},
};
use http::request::Parts;
use kms_core::{Error, Origin, SignedIn};
use secrecy::ExposeSecret as _;

use super::{Target, cookie, see_other};
use crate::{
    ApiError, AppState, extract,
    limits::Key,
    route::{Access, Describe, Operation},
};

/// Somebody who signed in with this browser. Whoever did not is led to the login, and from there
/// back again.
pub(crate) struct Visitor(pub(crate) SignedIn);

/// Anybody: with the sign-in of this browser where there is one.
pub(crate) struct Guest {
    /// Who, where that is known.
    pub(crate) signed_in: Option<SignedIn>,
    /// The browser's token, good or not.
    pub(crate) token: Option<secrecy::SecretString>,
    /// From where.
    pub(crate) origin: Origin,
}

impl FromRequestParts<AppState> for Guest {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let origin = extract::context(&parts.extensions)?.origin.clone();
        let token = cookie::value(&parts.headers, cookie::name(app));
        let signed_in = match &token {
            Some(token) => known(app, token.expose_secret(), &origin).await?,
            None => None,
        };
        Ok(Self { signed_in, token, origin })
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Response> {
        let refused = |error: ApiError| error.into_response();
        let guest = Guest::from_request_parts(parts, app).await.map_err(refused)?;
        let context = extract::context(&parts.extensions).map_err(refused)?;
        let Some(signed_in) = guest.signed_in else {
            context.count_address(app).map_err(|error| refused(error.into()))?;
            // A form whose address says it all can be shown anew; what it sent is typed again.
            let is_shown = parts.method == http::Method::GET || parts.uri.query().is_some();
            let asked = parts.uri.path_and_query().filter(|_| is_shown);
            let target = asked.map_or_else(Target::default, |asked| Target::of(asked.as_str()));
            return Err(see_other(&target.after("/login")).into_response());
        };
        let key = Key::Actor(signed_in.user.id.uuid());
        context.count(app, &key).map_err(|error| refused(error.into()))?;
        Ok(Self(signed_in))
    }
}

/// Whose a browser's token is; none where it is good no more, whatever the reason.
async fn known(app: &AppState, token: &str, origin: &Origin) -> Result<Option<SignedIn>, ApiError> {
    match app.core.authenticate_page(token, origin.clone()).await {
        Ok(signed_in) => Ok(Some(signed_in)),
        Err(error @ (Error::Internal(_) | Error::Unavailable(_))) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

impl Describe for Guest {
    fn describe(_: &mut Operation) {}
}

impl Describe for Visitor {
    const ACCESS: Access = Access::Browser;

    fn describe(_: &mut Operation) {}
}
