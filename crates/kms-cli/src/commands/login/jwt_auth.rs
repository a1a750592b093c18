//! JWT: a token that somebody has signed.

use kms_client::login::Jwt;

use super::machine::{self, Login};
use crate::{env_vars, error::CliError};

pub(super) async fn run(login: &Login<'_>) -> Result<(), CliError> {
    let identity = login.args.identity(login.context)?;
    let token = login
        .args
        .jwt(login.context, None, &[&env_vars::JWT])?
        .ok_or_else(machine::Args::no_jwt)?;
    login.run(&Jwt { identity, token }).await
}
