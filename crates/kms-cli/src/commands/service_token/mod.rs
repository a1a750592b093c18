//! `kms service-token`.

mod create;
mod delete;
mod list;

use kms_api::service_tokens::{Permission, ServiceTokenData};

use crate::{Context, error::CliError};

/// Work with service tokens: access to folders of one project, without an identity
#[derive(Debug, clap::Subcommand)]
pub enum ServiceToken {
    Create(create::Args),
    List(list::Args),
    Delete(delete::Args),
}

pub(crate) async fn run(command: ServiceToken, context: &Context) -> Result<(), CliError> {
    match command {
        ServiceToken::Create(args) => create::run(args, context).await,
        ServiceToken::List(args) => list::run(args, context).await,
        ServiceToken::Delete(args) => delete::run(args, context).await,
    }
}

/// The places that a token is good for, as `create` reads them.
fn scopes(token: &ServiceTokenData) -> String {
    let scopes = token.scopes.iter();
    let scopes = scopes.map(|scope| format!("{}:{}", scope.environment, scope.secret_path));
    scopes.collect::<Vec<_>>().join(", ")
}

fn permissions(token: &ServiceTokenData) -> String {
    let words = token.permissions.iter().map(|permission| match permission {
        Permission::Read => "read",
        Permission::Write => "write",
    });
    words.collect::<Vec<_>>().join(", ")
}
