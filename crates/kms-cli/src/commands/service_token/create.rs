//! `kms service-token create`.

use kms_api::service_tokens::{CreateServiceToken, Permission, Scope};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::{
    Context,
    cli::ProjectArg,
    error::{CliError, ResultExt as _},
    settings::Output,
};

/// Create a service token and print it; it is shown this once
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    project: ProjectArg,

    /// Environment and folder that it is good for, such as `dev:/app` or `dev:/app/**`; can be
    /// repeated
    #[arg(long, short, value_name = "ENV:PATH", value_delimiter = ',')]
    scope: Vec<String>,

    /// What it is good for there; can be repeated
    #[arg(long, short, value_name = "LEVEL", value_delimiter = ',', value_parser = level)]
    access_level: Vec<Permission>,

    /// Name of the token
    #[arg(long, short, default_value = "Service token generated via CLI")]
    name: String,

    /// Seconds until it ends; 0 for never
    #[arg(long, short, value_name = "SECONDS", default_value_t = 86_400)]
    expiry_seconds: i64,

    /// Say nothing but the token
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false)]
    #[arg(default_missing_value = "true", action = clap::ArgAction::Set, value_name = "BOOL")]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    token_only: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let body = CreateServiceToken {
        workspace_id: context.settings.project_id(args.project.project_id.as_deref())?,
        scopes: scopes(&args.scope)?,
        permissions: levels(&args.access_level)?,
        name: args.name,
        expires_in: Some(args.expiry_seconds),
        // Compatible servers want them, of projects whose keys are the server's too.
        encrypted_key: Some(String::new()),
        iv: Some(String::new()),
        tag: Some(String::new()),
    };
    let client = context.settings.client()?;
    let doing = format!("could not create a service token in the project `{}`", body.workspace_id);
    let made = client.create_service_token(&body).await.context(doing)?;
    // Compatible clients take only tokens of four parts; the last one is theirs alone.
    let own = Uuid::new_v4().simple();
    let token = format!("{}.{own}", made.service_token.expose_secret());
    if output == Output::Json {
        let json = serde_json::json!({
            "serviceToken": token,
            "serviceTokenData": made.service_token_data,
        });
        return context.ui.json(&json);
    }
    context.ui.line(&token)?;
    if !args.token_only {
        let data = &made.service_token_data;
        let ends = data.expires_at.map_or("never ends".into(), |end| format!("ends {end}"));
        context.ui.notice(&format!(
            "Created the service token `{}` ({}; {}); it {ends}",
            data.name,
            super::scopes(data),
            super::permissions(data)
        ));
    }
    Ok(())
}

fn level(text: &str) -> Result<Permission, String> {
    match text {
        "read" => Ok(Permission::Read),
        "write" => Ok(Permission::Write),
        _ => Err("it is neither `read` nor `write`".to_owned()),
    }
}

fn levels(given: &[Permission]) -> Result<Vec<Permission>, CliError> {
    if given.is_empty() {
        return Err(CliError::usage("`--access-level` is missing")
            .hint("add `--access-level read`, `--access-level write` or both"));
    }
    Ok(given.to_vec())
}

fn scopes(given: &[String]) -> Result<Vec<Scope>, CliError> {
    let example = "write it as `--scope dev:/app` or `--scope 'dev:/app/**'`";
    if given.is_empty() {
        return Err(CliError::usage("`--scope` is missing").hint(example));
    }
    let scope = |text: &String| match text.split_once(':') {
        Some((environment, path)) if !environment.is_empty() && !path.is_empty() => {
            Ok(Scope { environment: environment.into(), secret_path: path.into() })
        }
        _ => Err(CliError::usage(format!("the scope `{text}` has no environment or no path"))
            .hint(example)),
    };
    given.iter().map(scope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_an_environment_and_a_path() {
        let read = scopes(&["dev:/a".into(), "prod:/b/**".into()]).unwrap();
        assert_eq!(read[1], Scope { environment: "prod".into(), secret_path: "/b/**".into() });
        for wrong in ["dev", ":/a", "dev:", ""] {
            assert!(scopes(&[wrong.into()]).is_err(), "{wrong}");
        }
        assert!(scopes(&[]).is_err());
    }
}
