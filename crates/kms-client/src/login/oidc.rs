//! OIDC: a token of an OpenID provider, which many CI systems are, proves the job.

use kms_api::{
    IdentityId,
    auth::{JwtProof, oidc},
};
use reqwest::{Method, header::ACCEPT};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{
    LoginContext, Prove, variable,
    vendor::{self, Vendor},
};
use crate::{Client, Error, builder::bearer};

const WHAT: &str = "an ID token";

/// Variables in which a CI system leaves a token for each job, the better one first.
const LEFT: [&str; 3] = ["CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN", "BITBUCKET_STEP_OIDC_TOKEN"];

/// An identity token of an OpenID provider.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// The machine identity.
    pub identity: IdentityId,
    /// The token, or where it comes from.
    pub token: IdToken,
}

/// Where an identity token comes from.
#[derive(Clone, Debug)]
pub enum IdToken {
    /// It is at hand; white space around it does not count.
    Given(SecretString),
    /// The endpoint that GitHub Actions has for each job with the permission `id-token: write`.
    GitHubActions {
        /// Its address (`ACTIONS_ID_TOKEN_REQUEST_URL`).
        url: String,
        /// What it is asked with (`ACTIONS_ID_TOKEN_REQUEST_TOKEN`).
        request_token: SecretString,
        /// The audience that the token shall have; GitHub's default is the URL of the repository's
        /// owner.
        audience: Option<String>,
    },
}

impl IdToken {
    /// What the CI system that this process runs in offers: GitHub Actions an endpoint, CircleCI
    /// and Bitbucket a variable. GitLab lets the job choose the variable's name.
    pub fn of_ci(audience: Option<String>) -> Option<Self> {
        let url = variable("ACTIONS_ID_TOKEN_REQUEST_URL");
        let request_token = variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
        if let (Some(url), Some(request_token)) = (url, request_token) {
            return Some(Self::GitHubActions {
                url,
                request_token: request_token.into(),
                audience,
            });
        }
        LEFT.iter().find_map(|name| variable(name)).map(|token| Self::Given(token.into()))
    }

    async fn get(&self, client: &Client) -> Result<SecretString, Error> {
        match self {
            Self::Given(token) => vendor::token(WHAT, token.expose_secret()),
            Self::GitHubActions { url, request_token, audience } => {
                let vendor = Vendor::endpoint("an ID token of GitHub Actions", url, client)?;
                let mut request = vendor
                    .request(Method::GET)
                    .header(ACCEPT, "application/json; api-version=2.0")
                    .header("authorization", bearer(request_token)?);
                if let Some(audience) = audience {
                    request = request.query(&[("audience", audience)]);
                }
                let answer: GitHubAnswer = vendor.answer(request).await?.json()?;
                vendor::token(WHAT, answer.value.expose_secret())
            }
        }
    }
}

#[derive(Deserialize)]
struct GitHubAnswer {
    value: SecretString,
}

impl Prove for Oidc {
    type Method = oidc::Oidc;

    async fn prove(&self, context: &LoginContext, client: &Client) -> Result<JwtProof, Error> {
        let jwt = self.token.get(client).await?;
        Ok(context.jwt_proof(self.identity, jwt))
    }
}
