//! AWS: a principal of IAM.

use kms_client::login::AwsIam;

use super::machine::Login;
use crate::error::CliError;

pub(super) const ELSEWHERE: &str = "`aws sts get-caller-identity` finds credentials in the same places; `AWS_PROFILE` chooses one \
     of several logins";

pub(super) async fn run(login: &Login<'_>) -> Result<(), CliError> {
    let prover = AwsIam { identity: login.args.identity(login.context)? };
    login.run(&prover).await
}
