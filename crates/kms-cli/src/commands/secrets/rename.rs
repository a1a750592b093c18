//! `kms secrets rename`.

use kms_api::secrets::{CreateSecret, ProjectRef, UpdateSecret};

use super::{
    Common,
    rows::{Form, Row},
    versions::explain,
};
use crate::{Context, error::CliError, selection::Place};

/// Give a secret another name; references to it follow
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Name of the secret
    #[arg(value_name = "NAME")]
    name: String,

    /// Its new name, which no other secret of the folder may have
    #[arg(value_name = "NEW_NAME")]
    new_name: String,
}

pub(super) async fn run(args: Args, common: &Common, context: &Context) -> Result<(), CliError> {
    common.read.refuse("secrets rename")?;
    common.refuse_plain("secrets rename")?;
    let structured = Form::decide(common, context)?.structured()?;
    super::set::warn_about_name(&args.new_name, context);
    let place = Place::resolve(&common.place, context)?;
    let path = place.path()?;
    let body = UpdateSecret {
        secret: CreateSecret {
            project: ProjectRef::id(&place.project),
            environment: Some(place.environment.clone()),
            secret_path: Some(path.to_owned()),
            ..CreateSecret::default()
        },
        new_secret_name: Some(args.new_name),
    };
    let answer = context.settings.client()?.update_secret(&args.name, &body).await;
    let secret = answer.map_err(|error| explain(&place, "rename", &args.name, error))?.secret;
    if let Some(structured) = structured {
        let row = Row { secret_path: Some(path.to_owned()), ..Row::named(secret.secret_key) };
        return structured.print(&[row], context);
    }
    context.ui.notice(&format!(
        "Renamed the secret `{}` in `{path}` of `{}` to `{}`",
        args.name, place.environment, secret.secret_key
    ));
    Ok(())
}
