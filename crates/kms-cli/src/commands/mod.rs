//! The commands: one file each, a directory for those that belong together.

mod audit;
mod bootstrap;
mod demo;
mod doctor;
mod environments;
mod export;
pub(crate) mod help;
mod identities;
mod init;
mod login;
mod login_status;
mod logout;
mod open_address;
mod organizations;
mod principal;
mod projects;
mod reset;
mod run;
mod secrets;
mod service_token;
mod token;
mod user;
mod vault;
mod whoami;

use std::process::ExitCode;

use clap::Subcommand;

pub(crate) use open_address::NAME as OPEN_ADDRESS;

use crate::{
    Context,
    error::CliError,
    mount::{Keep, REMOVE},
    supervise::{START, Start},
    update::{self, LOOK, Look},
};

/// Every command of the client.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the documentation of the arguments is the help of the command")]
pub enum Command {
    Login(Box<login::Args>),
    Logout(logout::Args),
    User(user::Args),
    Whoami(whoami::Args),
    #[command(visible_alias = "vaults")]
    Vault(vault::Args),
    Reset(reset::Args),
    Doctor(doctor::Args),
    #[command(subcommand)]
    Token(token::Token),
    Init(init::Args),
    #[command(subcommand)]
    ServiceToken(service_token::ServiceToken),
    Secrets(Box<secrets::Args>),
    Export(Box<export::Args>),
    Run(Box<run::Args>),
    Bootstrap(bootstrap::Args),
    #[command(subcommand, visible_alias = "project")]
    Projects(projects::Projects),
    #[command(subcommand, visible_alias = "environment")]
    Environments(environments::Environments),
    #[command(subcommand, visible_alias = "identity")]
    Identities(identities::Identities),
    #[command(subcommand, visible_alias = "organization")]
    Organizations(organizations::Organizations),
    Audit(audit::Args),
    Demo(demo::Args),
    Help(help::Args),
    #[command(name = OPEN_ADDRESS, hide = true)]
    OpenAddress(open_address::Args),
    #[command(name = LOOK, hide = true)]
    LookForUpdate(Look),
    #[command(name = START, hide = true)]
    StartProgram(Start),
    #[command(name = REMOVE, hide = true)]
    RemoveMount(Keep),
}

impl Command {
    /// Carries the command out.
    pub(crate) async fn run(self, context: &Context) -> Result<ExitCode, CliError> {
        match self {
            Self::Login(args) => login::run(*args, context).await?,
            Self::Logout(args) => logout::run(args, context).await?,
            Self::User(args) => user::run(args, context).await?,
            Self::Whoami(args) => whoami::run(&args, context).await?,
            Self::Vault(args) => vault::run(args, context)?,
            Self::Reset(args) => reset::run(&args, context)?,
            Self::Doctor(args) => doctor::run(&args, context).await?,
            Self::Token(command) => token::run(command, context).await?,
            Self::Init(args) => init::run(args, context).await?,
            Self::ServiceToken(command) => service_token::run(command, context).await?,
            Self::Secrets(args) => return secrets::run(*args, context).await,
            Self::Export(args) => export::run(*args, context).await?,
            Self::Run(args) => return run::run(*args, context).await,
            Self::Bootstrap(args) => bootstrap::run(args, context).await?,
            Self::Projects(command) => projects::run(command, context).await?,
            Self::Environments(command) => environments::run(command, context).await?,
            Self::Identities(command) => identities::run(command, context).await?,
            Self::Organizations(command) => organizations::run(command, context).await?,
            Self::Audit(args) => audit::run(args, context).await?,
            Self::Demo(args) => demo::run(args, context).await?,
            Self::LookForUpdate(args) => update::look(&args, context).await?,
            Self::OpenAddress(args) => open_address::run(&args)?,
            Self::Help(_) | Self::StartProgram(_) | Self::RemoveMount(_) => {
                return Err(CliError::internal("the command was carried out before"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
