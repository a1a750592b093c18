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
    oauth::{OAuthErrorBody, ServerMetadata, TokenRequest, TokenResponse},
    routes as paths,
};
use kms_core::{Error, oauth::OAuthError};

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
        device_authorization_endpoint: None,
        response_types_supported: only("code"),
        response_modes_supported: only("query"),
        grant_types_supported: vec!["authorization_code".into(), "refresh_token".into()],
        code_challenge_methods_supported: only("S256"),
        token_endpoint_auth_methods_supported: only("none"),
        authorization_response_iss_parameter_supported: true,
    }))
}

async fn token(
    Sender { origin, .. }: Sender,
    State(app): State<AppState>,
    TokenForm(body): TokenForm,
) -> Result<Tokens, ApiError> {
    Tokens::of(app.core.token(&body, &origin).await)
}

/// A form in the words of the RFC, refused in its words, too.
struct TokenForm(TokenRequest);

impl FromRequest<AppState> for TokenForm {
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
        Err(Tokens::of(Err(refused)).into_response())
    }
}

impl Describe for TokenForm {
    fn describe(operation: &mut Operation) {
        operation.takes::<TokenRequest>(&["application/x-www-form-urlencoded"]);
    }
}

/// Tokens, or why there are none in the words of the RFC.
struct Tokens(Result<TokenResponse, (StatusCode, OAuthErrorBody)>);

impl Tokens {
    /// What is not about the grant is answered like everywhere else.
    fn of(answer: Result<TokenResponse, OAuthError>) -> Result<Self, ApiError> {
        let error = match answer {
            Ok(tokens) => return Ok(Self(Ok(tokens))),
            Err(error) => error,
        };
        let status = match error {
            OAuthError::InvalidClient => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        Ok(Self(Err((status, error.refusal()?))))
    }
}

impl IntoResponse for Tokens {
    fn into_response(self) -> Response {
        let mut response = match self.0 {
            Ok(tokens) => Json(tokens).into_response(),
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

impl Describe for Tokens {
    fn describe(operation: &mut Operation) {
        operation.answers::<TokenResponse>();
        operation.refuses::<OAuthErrorBody>();
    }
}
