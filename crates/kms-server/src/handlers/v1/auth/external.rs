//! The methods that somebody outside of this server vouches for: each logs in, and is attached to
//! identities, by the same handlers.

use axum::extract::State;
use kms_api::{
    IdentityId,
    auth::{
        LoginResponse, aws_iam::Aws, azure::Azure, gcp::GcpIdToken, jwt::Jwt,
        kubernetes::Kubernetes, oidc::Oidc,
    },
};
use kms_core::{Caller, ExternalMethod};
use utoipa::ToSchema;

use crate::{
    ApiError, AppState, Json,
    extract::{Body, JsonOrForm, Path, Sender},
    route::{Class, Route},
};

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    routes.extend(of::<Kubernetes>([
        "Logs in with the token of a Kubernetes service account",
        "Attaches Kubernetes auth to a machine identity",
        "Changes Kubernetes auth of a machine identity",
        "Shows Kubernetes auth of a machine identity",
        "Detaches Kubernetes auth; its tokens end",
    ]));
    routes.extend(of::<Azure>([
        "Logs in with a token of an Azure managed identity or service principal",
        "Attaches Azure auth to a machine identity",
        "Changes Azure auth of a machine identity",
        "Shows Azure auth of a machine identity",
        "Detaches Azure auth; its tokens end",
    ]));
    routes.extend(of::<GcpIdToken>([
        "Logs in with a token of a Google Cloud instance or service account",
        "Attaches GCP auth to a machine identity",
        "Changes GCP auth of a machine identity",
        "Shows GCP auth of a machine identity",
        "Detaches GCP auth; its tokens end",
    ]));
    routes.extend(of::<Aws>([
        "Logs in with a signed request to AWS STS",
        "Attaches AWS auth to a machine identity",
        "Changes AWS auth of a machine identity",
        "Shows AWS auth of a machine identity",
        "Detaches AWS auth; its tokens end",
    ]));
    routes.extend(of::<Oidc>([
        "Logs in with a token of an OpenID provider",
        "Attaches OIDC auth to a machine identity",
        "Changes OIDC auth of a machine identity",
        "Shows OIDC auth of a machine identity",
        "Detaches OIDC auth; its tokens end",
    ]));
    routes.extend(of::<Jwt>([
        "Logs in with a signed JWT",
        "Attaches JWT auth to a machine identity",
        "Changes JWT auth of a machine identity",
        "Shows JWT auth of a machine identity",
        "Detaches JWT auth; its tokens end",
    ]));
    routes
}

/// The routes of a method, with what each does.
fn of<M>([logs_in, attaches, changes, shows, detaches]: [&'static str; 5]) -> [Route; 5]
where
    M: ExternalMethod<Proof: ToSchema, Settings: ToSchema, Answer: ToSchema> + 'static,
{
    let path = M::CONFIGURATION;
    [
        Route::post(M::ROUTE, login::<M>, logs_in).class(Class::Login),
        Route::post(path, attach::<M>, attaches),
        Route::patch(path, update::<M>, changes),
        Route::get(path, get::<M>, shows),
        Route::delete(path, detach::<M>, detaches),
    ]
}

async fn login<M: ExternalMethod>(
    State(app): State<AppState>,
    Sender { origin, .. }: Sender,
    JsonOrForm(proof): JsonOrForm<M::Proof>,
) -> Answer<LoginResponse> {
    Ok(Json(app.core.external_login::<M>(&proof, &origin, &app.origins).await?))
}

async fn attach<M: ExternalMethod>(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Body(body): Body<M::Settings>,
) -> Answer<M::Answer> {
    Ok(Json(app.core.attach_external::<M>(&caller, id, &body).await?))
}

async fn update<M: ExternalMethod>(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
    Body(body): Body<M::Settings>,
) -> Answer<M::Answer> {
    Ok(Json(app.core.update_external::<M>(&caller, id, &body).await?))
}

async fn get<M: ExternalMethod>(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Answer<M::Answer> {
    Ok(Json(app.core.external::<M>(&caller, id).await?))
}

async fn detach<M: ExternalMethod>(
    caller: Caller,
    State(app): State<AppState>,
    Path(id): Path<IdentityId>,
) -> Answer<M::Answer> {
    Ok(Json(app.core.detach_external::<M>(&caller, id).await?))
}
