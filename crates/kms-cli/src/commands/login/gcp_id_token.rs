//! GCP: the ID token of a machine of Google Cloud.

use kms_client::login::GcpIdToken;

use super::machine::Login;
use crate::error::CliError;

pub(super) const ELSEWHERE: &str = "with the key of a service account use \
     `kms login --method=gcp-iam`; `GCE_METADATA_HOST` names another metadata server";

pub(super) async fn run(login: &Login<'_>) -> Result<(), CliError> {
    let prover = GcpIdToken { identity: login.args.identity(login.context)? };
    login.run(&prover).await
}
