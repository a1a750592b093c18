//! `kms service-token list`.

use kms_api::service_tokens::ServiceTokenData;

use crate::{
    Context,
    cli::ProjectArg,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// List the service tokens of a project
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    project: ProjectArg,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let project = context.settings.project_id(args.project.project_id.as_deref())?;
    let client = context.settings.client()?;
    let answer = client.list_service_tokens(&project).await;
    let doing = format!("could not list the service tokens of the project `{project}`");
    let tokens = answer.context(doing)?.service_token_data;
    if output == Output::Json {
        return context.ui.json(&tokens);
    }
    let row = |token: &ServiceTokenData| {
        let ends = token.expires_at.map_or("never".to_owned(), |end| end.to_string());
        let (scopes, permissions) = (super::scopes(token), super::permissions(token));
        vec![token.id.to_string(), token.name.clone(), scopes, permissions, ends]
    };
    let headers = ["id", "name", "scopes", "access", "ends"];
    context.ui.table(&headers, tokens.iter().map(row).collect())
}
