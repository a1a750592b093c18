//! Azure: an access token of a managed identity, or of a workload that Azure trusts, proves it.

use std::{fs, path::Path};

use kms_api::{
    IdentityId,
    auth::{JwtProof, azure},
};
use reqwest::{Method, RequestBuilder, header::ACCEPT};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{
    LoginContext, Prove, variable,
    vendor::{self, Vendor},
};
use crate::{Client, Error};

const WHAT: &str = "an access token of Azure";
/// The metadata service of a virtual machine.
const METADATA: &str = "http://169.254.169.254";
const METADATA_PATH: &str = "/metadata/identity/oauth2/token";
const METADATA_VERSION: &str = "2018-02-01";
/// The version of the endpoint that App Service, Functions and Container Apps have.
const APP_SERVICE_VERSION: &str = "2019-08-01";
/// Who gives tokens to workloads, in the public cloud.
const AUTHORITY: &str = "https://login.microsoftonline.com";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A managed identity, or a federated workload.
#[derive(Clone, Debug)]
pub struct Azure {
    /// The machine identity.
    pub identity: IdentityId,
    /// The audience of the token: [`Self::RESOURCE`] unless the identity is set up otherwise.
    pub resource: String,
    /// Which managed identity, where the machine has several.
    pub managed: Option<ManagedIdentity>,
    /// Whether to log in as a federated workload; `None` does where the environment is set up for
    /// it (`AZURE_CLIENT_ID`, `AZURE_TENANT_ID`, and `AZURE_FEDERATED_TOKEN_FILE` with its file).
    pub workload_identity: Option<bool>,
}

/// Names one of several managed identities.
#[derive(Clone, Debug)]
pub enum ManagedIdentity {
    /// By its client id.
    Client(String),
    /// By its object id.
    Object(String),
}

impl Azure {
    /// The audience that servers expect unless they are told otherwise.
    pub const RESOURCE: &str = "https://management.azure.com/";

    async fn token(&self, client: &Client) -> Result<SecretString, Error> {
        let (vendor, request) = if let Some(workload) = self.workload()? {
            workload.ask(&self.resource, client)?
        } else if let (Some(url), Some(secret)) =
            (variable("IDENTITY_ENDPOINT"), variable("IDENTITY_HEADER"))
        {
            let vendor = Vendor::metadata(WHAT, ABSENT, &url)?;
            let request = vendor.request(Method::GET).header("x-identity-header", secret);
            let request = self.managed_identity(request, APP_SERVICE_VERSION);
            (vendor, request)
        } else {
            let host = variable("AZURE_POD_IDENTITY_AUTHORITY_HOST");
            let host = host.as_deref().unwrap_or(METADATA).trim_end_matches('/');
            let vendor = Vendor::metadata(WHAT, ABSENT, &format!("{host}{METADATA_PATH}"))?;
            let request = vendor.request(Method::GET).header("metadata", "true");
            let request = self.managed_identity(request, METADATA_VERSION);
            (vendor, request)
        };
        let request = request.header(ACCEPT, "application/json");
        let answer: TokenAnswer = vendor.answer(request).await?.json()?;
        vendor::token(WHAT, answer.access_token.expose_secret())
    }

    fn managed_identity(&self, request: RequestBuilder, version: &str) -> RequestBuilder {
        let request = request.query(&[("api-version", version), ("resource", &self.resource)]);
        match &self.managed {
            Some(ManagedIdentity::Client(id)) => request.query(&[("client_id", id)]),
            Some(ManagedIdentity::Object(id)) => request.query(&[("object_id", id)]),
            None => request,
        }
    }

    /// The workload that the environment describes, if it is to be used.
    fn workload(&self) -> Result<Option<Workload>, Error> {
        if self.workload_identity == Some(false) {
            return Ok(None);
        }
        let client_id = match &self.managed {
            Some(ManagedIdentity::Client(id)) => Some(id.clone()),
            _ => variable("AZURE_CLIENT_ID"),
        };
        let found = client_id.zip(variable("AZURE_TENANT_ID"));
        let found = found.zip(variable("AZURE_FEDERATED_TOKEN_FILE"));
        match found {
            Some(((client_id, tenant), file))
                if self.workload_identity == Some(true) || Path::new(&file).exists() =>
            {
                Ok(Some(Workload { client_id, tenant, file }))
            }
            None if self.workload_identity == Some(true) => Err(Error::NotHere {
                what: "this is not a federated workload of Azure",
                cause: "one of `AZURE_CLIENT_ID`, `AZURE_TENANT_ID` and \
                        `AZURE_FEDERATED_TOKEN_FILE` is not set"
                    .into(),
            }),
            _ => Ok(None),
        }
    }
}

const ABSENT: &str = "this is not a machine of Azure, or it has no managed identity";

/// A workload whose own token Azure takes for one of its identities.
struct Workload {
    client_id: String,
    tenant: String,
    file: String,
}

impl Workload {
    fn ask(&self, resource: &str, client: &Client) -> Result<(Vendor, RequestBuilder), Error> {
        // The cluster replaces it, so it is read at each login.
        let assertion = fs::read_to_string(&self.file).map_err(|error| Error::NoProof {
            what: WHAT,
            cause: format!("`{}` (`AZURE_FEDERATED_TOKEN_FILE`): {error}", self.file).into(),
        })?;
        let assertion = vendor::token("the federated token", &assertion)?;
        let authority = variable("AZURE_AUTHORITY_HOST");
        let authority = authority.as_deref().unwrap_or(AUTHORITY).trim_end_matches('/');
        let url = format!("{authority}/{}/oauth2/v2.0/token", self.tenant);
        let vendor = Vendor::endpoint(WHAT, &url, client)?;
        let scope = format!("{}/.default", resource.trim_end_matches('/'));
        let request = vendor.request(Method::POST).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.expose_secret()),
            ("scope", &scope),
        ]);
        Ok((vendor, request))
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
}

impl Prove for Azure {
    type Method = azure::Azure;

    async fn prove(&self, context: &LoginContext, client: &Client) -> Result<JwtProof, Error> {
        let jwt = self.token(client).await?;
        Ok(context.jwt_proof(self.identity, jwt))
    }
}
