//! `kms service-token delete`.

use crate::{
    Context,
    cli::ConfirmArg,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// End a service token
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Id of the service token
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    confirm: ConfirmArg,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    if args.id.starts_with(kms_api::service_tokens::PREFIX) {
        return Err(CliError::usage("that is a token, not its id")
            .hint("the ids: `kms service-token list`"));
    }
    let what = format!("the service token `{}`", args.id);
    let client = context.settings.client()?;
    context.ui.confirm_deletion(&what, args.confirm.yes)?;
    let answer = client.delete_service_token(&args.id).await;
    let token = answer.context(format!("could not delete {what}"))?.service_token_data;
    if output == Output::Json {
        return context.ui.json(&token);
    }
    context.ui.notice(&format!("Deleted the service token `{}`", token.name));
    Ok(())
}
