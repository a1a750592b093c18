//! `kms secrets rollback`.

use kms_api::history::RollbackSecret;

use super::{
    Common,
    rows::{Form, Row},
    versions::{explain, secret_id},
};
use crate::{Context, error::CliError, selection::Place};

/// Take a secret back to one of its versions, in a new version
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Name of the secret
    #[arg(value_name = "NAME")]
    name: String,

    /// Version whose value, comment, metadata and tags come back; `kms secrets history` lists them
    #[arg(long, value_name = "N")]
    version: i64,
}

pub(super) async fn run(args: &Args, common: &Common, context: &Context) -> Result<(), CliError> {
    common.read.refuse("secrets rollback")?;
    let structured = Form::decide(common, context)?.structured()?;
    let place = Place::resolve(&common.place, context)?;
    let path = place.path()?;
    let client = context.settings.client()?;
    let id = secret_id(&client, &place, &args.name).await?;
    let answer = client.roll_secret_back(id, &RollbackSecret { version: args.version }).await;
    let secret = answer.map_err(|error| explain(&place, "roll back", &args.name, error))?.secret;
    if let Some(structured) = structured {
        let row = Row {
            secret_key: secret.secret_key,
            secret_value: None,
            secret_value_hidden: false,
            secret_path: Some(path.to_owned()),
            operation: None,
        };
        return structured.print(&[row], context);
    }
    context.ui.notice(&format!(
        "Took the secret `{}` in `{path}` of `{}` back to version {}, as version {}",
        args.name, place.environment, args.version, secret.version
    ));
    Ok(())
}
