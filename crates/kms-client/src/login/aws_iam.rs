//! AWS: a request for `GetCallerIdentity`, signed with whatever credentials AWS knows this process
//! by, proves it. The server sends the request on; it is never sent from here.

mod sign;
mod transport;

use std::{error::Error as _, time::SystemTime};

use aws_config::{
    BehaviorVersion,
    default_provider::credentials::DefaultCredentialsChain,
    environment::region::EnvironmentVariableRegionProvider,
    imds::{self, client::error::ImdsError, region::ImdsRegionProvider},
    meta::region::RegionProviderChain,
    profile::ProfileFileRegionProvider,
    provider_config::ProviderConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials as _, error::CredentialsError},
};
use kms_api::{
    IdentityId,
    auth::aws_iam::{Aws, Proof},
};

use self::transport::Transport;
use super::{LoginContext, Prove, variable, vendor};
use crate::{Client, Error};

const WHAT: &str = "credentials of AWS";

/// How often the instance metadata service is asked when it is out of order for a moment.
const METADATA_TRIES: u32 = 2;

/// A principal of AWS. Its credentials come from where AWS's own tools look for them: the
/// environment, the profile, a web identity, the container, the instance.
#[derive(Clone, Debug)]
pub struct AwsIam {
    /// The machine identity.
    pub identity: IdentityId,
}

impl Prove for AwsIam {
    type Method = Aws;

    async fn prove(&self, context: &LoginContext, client: &Client) -> Result<Proof, Error> {
        let (credentials, region) = find(client).await?;
        let request = sign::Request {
            region: &region,
            server: &client.origin().to_string(),
            time: SystemTime::now(),
        };
        let (body, headers) = request.sign(credentials)?;
        Ok(Proof {
            identity_id: self.identity,
            iam_http_request_method: "POST".into(),
            iam_request_body: body,
            iam_request_headers: headers,
            organization_slug: context.organization_slug.clone(),
        })
    }
}

/// Looks for credentials and region. One client of the metadata service serves both, so that its
/// session token is asked for once.
async fn find(client: &Client) -> Result<(Credentials, String), Error> {
    let config = ProviderConfig::without_region()
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_http_client(Transport::new(client.certificates()));
    let metadata = imds::Client::builder()
        .configure(&config)
        .connect_timeout(vendor::CONNECT_NEAR)
        .read_timeout(vendor::CONNECT_NEAR)
        .max_attempts(METADATA_TRIES)
        .build();
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::builder().configure(&config).build())
        .or_else(
            ImdsRegionProvider::builder().configure(&config).imds_client(metadata.clone()).build(),
        );
    let region = region.region().await;
    let chain = DefaultCredentialsChain::builder()
        .configure(config)
        .region(region.clone())
        .imds_client(metadata)
        .build()
        .await;
    let credentials = chain.provide_credentials().await.map_err(refused)?;
    let region = region.ok_or_else(|| Error::NoProof {
        what: "the region of AWS",
        cause: "neither `AWS_REGION` nor the profile nor the instance names it".into(),
    })?;
    Ok((credentials, region.to_string()))
}

fn refused(error: CredentialsError) -> Error {
    // The instance is asked last. Whatever went wrong there, this is no instance with a role.
    let is_absent = matches!(error, CredentialsError::CredentialsNotLoaded(_));
    if !is_absent && !is_of_instance(&error) {
        return Error::NoProof { what: WHAT, cause: error.into() };
    }
    let profile = variable("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
    let metadata = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let metadata = metadata.as_deref().unwrap_or("http://169.254.169.254");
    let cause = format!(
        "tried the environment (`AWS_ACCESS_KEY_ID`), the profile `{profile}`, a web identity \
         (`AWS_WEB_IDENTITY_TOKEN_FILE`), the container (`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`, \
         `AWS_CONTAINER_CREDENTIALS_FULL_URI`) and the instance (`{metadata}`)"
    );
    Error::NotHere { what: "there are no credentials of AWS here", cause: cause.into() }
}

fn is_of_instance(error: &CredentialsError) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if error.is::<ImdsError>() {
            return true;
        }
        next = error.source();
    }
    false
}
