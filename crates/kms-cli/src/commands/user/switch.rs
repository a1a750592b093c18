//! `kms user switch`.

use super::{names, title};
use crate::{
    Context,
    error::CliError,
    profiles::{Config, Profile},
    prompt,
};

/// Choose the login that commands use where nothing else chooses one
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Its name, as `kms user` shows it; asked for when left out
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let profiles = &context.settings.profiles;
    let config = profiles.config()?;
    if config.profiles.is_empty() {
        return Err(context.settings.nobody());
    }
    let profile = pick(args.name, &config, context).await?;
    profiles.make_current(profile.id)?;
    context.ui.notice(&format!("Commands now act as {}", title(&profile)));
    Ok(())
}

async fn pick(
    name: Option<String>,
    config: &Config,
    context: &Context,
) -> Result<Profile, CliError> {
    if let Some(name) = name {
        return config.named(&name).cloned().ok_or_else(|| {
            CliError::usage(format!("there is no login `{name}` here"))
                .hint(format!("the logins here: {}", names(config)))
        });
    }
    if !context.ui.interactive {
        return Err(CliError::needs_person("nobody is there to choose a login")
            .hint(format!("name it: `kms user switch NAME`, of {}", names(config))));
    }
    let titles: Vec<_> = config.profiles.iter().map(title).collect();
    let chosen = prompt::choose("Which login shall commands use?", &titles).await?;
    Ok(config.profiles[chosen].clone())
}
