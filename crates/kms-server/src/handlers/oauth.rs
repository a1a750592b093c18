//! What programs ask of logins by browser: where things are, and tokens (RFC 8414, RFC 6749).

use axum::{
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE},
};
use kms_api::{
    oauth::{
        DEVICE_GRANT, DeviceAuthorizationRequest, DeviceAuthorizationResponse, OAuthErrorBody,
        ServerMetadata, TokenRequest, TokenResponse,
    },
    routes as paths,
};
use kms_core::{Error, oauth::OAuthError};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::{
    ApiError, AppState, Json,
    answer::JSON,
    extract::{Sender, form_body},
    route::{Class, Describe, Operation, Route},
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(paths::OAUTH_METADATA, metadata, "Tells programs how people log in here"),
        Route::post(paths::OAUTH_TOKEN, token, "Gives a program the tokens of a session")
            .class(Class::Login),
        Route::post(paths::OAUTH_DEVICE, device, "Gives a device the codes that it logs in with")
            .class(Class::Login),
    ]
}

/// By the configured address alone: what a request says about where it arrived is not believed
/// (attack H11).
async fn metadata(State(app): State<AppState>) -> Result<Json<ServerMetadata>, ApiError> {
    let issuer = &app.settings.public_url;
    let at = |path: &str| format!("{issuer}{path}");
    let only = |value: &str| vec![value.to_owned()];
    Ok(Json(ServerMetadata {
        issuer: issuer.clone(),
        authorization_endpoint: at(paths::OAUTH_AUTHORIZE),
        token_endpoint: at(paths::OAUTH_TOKEN),
        device_authorization_endpoint: Some(at(paths::OAUTH_DEVICE)),
        response_types_supported: only("code"),
        response_modes_supported: only("query"),
        grant_types_supported: ["authorization_code", "refresh_token", DEVICE_GRANT]
            .map(str::to_owned)
            .into(),
        code_challenge_methods_supported: only("S256"),
        token_endpoint_auth_methods_supported: only("none"),
        authorization_response_iss_parameter_supported: true,
    }))
}

async fn token(
    Sender { origin, .. }: Sender,
    State(app): State<AppState>,
    Asked(body): Asked<TokenRequest>,
) -> Result<Told<TokenResponse>, ApiError> {
    Told::of(app.core.token(&body, &origin).await)
}

async fn device(
    Sender { origin, .. }: Sender,
    State(app): State<AppState>,
    Asked(body): Asked<DeviceAuthorizationRequest>,
) -> Result<Told<DeviceAuthorizationResponse>, ApiError> {
    Told::of(app.core.ask_device(&body, &app.settings.public_url, &origin).await)
}

/// A form in the words of the RFCs, refused in their words, too.
struct Asked<T>(T);

impl<T: DeserializeOwned + 'static> FromRequest<AppState> for Asked<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, Response> {
        let refused = match form_body(request).await {
            Ok(body) => return Ok(Self(body)),
            Err(
                ApiError::Malformed(_)
                | ApiError::WrongMediaType
                | ApiError::Core(Error::Validation(_)),
            ) => OAuthError::InvalidRequest(
                "The request is no form, or a parameter is missing or twice there",
            ),
            Err(other) => return Err(other.into_response()),
        };
        Err(Told::<()>::of(Err(refused)).into_response())
    }
}

impl<T: ToSchema> Describe for Asked<T> {
    fn describe(operation: &mut Operation) {
        operation.takes::<T>(&["application/x-www-form-urlencoded"]);
    }
}

/// What a program asked for, or why it has none in the words of the RFCs.
struct Told<T>(Result<T, (StatusCode, OAuthErrorBody)>);

impl<T> Told<T> {
    /// What is not about the grant is answered like everywhere else.
    fn of(answer: Result<T, OAuthError>) -> Result<Self, ApiError> {
        let error = match answer {
            Ok(given) => return Ok(Self(Ok(given))),
            Err(error) => error,
        };
        let status = match error {
            OAuthError::InvalidClient => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        Ok(Self(Err((status, error.refusal()?))))
    }
}

impl<T: Serialize> IntoResponse for Told<T> {
    fn into_response(self) -> Response {
        let mut response = match self.0 {
            Ok(given) => Json(given).into_response(),
            Err((status, body)) => {
                let mut response = Json(body).into_response();
                *response.status_mut() = status;
                response
            }
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        if response.status() == StatusCode::UNAUTHORIZED {
            // A status that names a scheme by its definition; there is none that would help.
            let scheme = HeaderValue::from_static("Basic realm=\"clients of this server\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl<T: ToSchema> Describe for Told<T> {
    fn describe(operation: &mut Operation) {
        operation.answers::<T>();
        operation.refuses::<OAuthErrorBody>();
    }
}
