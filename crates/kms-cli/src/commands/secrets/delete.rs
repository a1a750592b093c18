//! `kms secrets delete`.

use kms_api::secrets::{BatchBody, BatchItem, DeleteSecret, ProjectRef};

use super::{
    Common,
    rows::{Form, Row},
    set::Type,
};
use crate::{
    Context,
    error::CliError,
    selection::{Place, shell_word},
};

/// Delete secrets, all of the named or none
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Names of the secrets
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,

    /// Whose value to delete; deleting the shared one deletes the secret
    #[arg(long, value_enum, default_value_t = Type::Shared)]
    r#type: Type,
}

pub(super) async fn run(
    mut args: Args,
    common: &Common,
    context: &Context,
) -> Result<(), CliError> {
    common.read.refuse("secrets delete")?;
    let structured = Form::decide(common, context)?.structured()?;
    let place = Place::resolve(&common.place, context)?;
    let path = place.path()?;
    args.names.sort();
    args.names.dedup();
    delete(&args, &place, path, context).await?;
    if let Some(structured) = structured {
        let row = |name: &String| Row {
            secret_key: name.clone(),
            secret_value: None,
            secret_value_hidden: false,
            secret_path: None,
            operation: None,
        };
        return structured.print(&args.names.iter().map(row).collect::<Vec<_>>(), context);
    }
    for name in &args.names {
        context.ui.notice(&format!(
            "Deleted the secret `{name}` from `{path}` of `{}`",
            place.environment
        ));
    }
    Ok(())
}

async fn delete(args: &Args, place: &Place, path: &str, context: &Context) -> Result<(), CliError> {
    let client = context.settings.client()?;
    let result = match args.r#type {
        Type::Shared => {
            let item = |name: &String| BatchItem {
                secret_key: name.clone(),
                r#type: Some(Type::Shared.wire()),
                ..BatchItem::default()
            };
            let body = BatchBody {
                project: ProjectRef::id(&place.project),
                environment: Some(place.environment.clone()),
                secret_path: Some(path.to_owned()),
                mode: None,
                secrets: args.names.iter().map(item).collect(),
            };
            client.delete_secrets(&body).await.map(drop)
        }
        Type::Personal => {
            let body = DeleteSecret {
                project: ProjectRef::id(&place.project),
                environment: Some(place.environment.clone()),
                secret_path: Some(path.to_owned()),
                r#type: Some(Type::Personal.wire()),
            };
            let mut result = Ok(());
            for name in &args.names {
                result = result.and(client.delete_secret(name, &body).await.map(drop));
            }
            result
        }
    };
    result.map_err(|error| {
        place.explain("delete secrets in", path, error).hint(format!(
            "the names that exist: `kms secrets --projectId {} --env {} --path {}`",
            shell_word(&place.project),
            shell_word(&place.environment),
            shell_word(path)
        ))
    })
}
