//! The server that a person logs in to.

use kms_client::Origin;

use crate::{Context, error::CliError, prompt};

/// Who may be asked about it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Menu {
    /// `--interactive` asks where the account is hosted.
    Shown,
    /// Everything else takes the server of the current login, else the default.
    Hidden,
}

/// Decides the server. What flag or environment say is taken as it is. A project file comes from
/// whoever wrote the repository, and a password is about to be sent: it may name a server that is
/// known here, and any other only if a person agrees.
pub(super) async fn choose(menu: Menu, context: &Context) -> Result<Origin, CliError> {
    let decided = &context.settings.origin;
    if decided.by.is_some() {
        return Ok(decided.value.clone());
    }
    let remembered = context.settings.profiles.remembered_domains()?;
    if let Some(origin) = of_project_file(context, &remembered).await? {
        return Ok(origin);
    }
    match menu {
        Menu::Shown => ask(&remembered).await,
        Menu::Hidden => {
            let origin = &decided.value;
            if origin.to_string() != Origin::US_CLOUD {
                context.ui.notice(&format!(
                    "Logging in to `{origin}`, as before; `--domain` names another server"
                ));
            }
            Ok(origin.clone())
        }
    }
}

async fn of_project_file(context: &Context, known: &[Origin]) -> Result<Option<Origin>, CliError> {
    let Some(file) = context.settings.project_file()? else { return Ok(None) };
    let Some(domain) = &file.domain else { return Ok(None) };
    let path = file.path.display();
    let origin: Origin = domain
        .parse()
        .map_err(|error| CliError::from(error).context(format!("`domain` of `{path}`")))?;
    if origin.is_cloud() || known.iter().any(|known| known.is_same_server(&origin)) {
        context.ui.warn(&format!("logging in to `{origin}`, which `{path}` names"));
        return Ok(Some(origin));
    }
    let question =
        format!("`{path}` names the server `{origin}`, which is new here. Log in to it?");
    if context.ui.interactive && prompt::confirm(&question).await? {
        return Ok(Some(origin));
    }
    Err(CliError::needs_person(format!(
        "`{path}` names the server `{origin}`, which was not logged in to from here before"
    ))
    .hint(format!("if it is yours, pass `--domain {origin}`"))
    .hint(format!("for the hosted service, pass `--domain {}`", Origin::US_CLOUD)))
}

async fn ask(remembered: &[Origin]) -> Result<Origin, CliError> {
    let mut labels = vec![
        format!("US cloud ({})", Origin::US_CLOUD),
        format!("EU cloud ({})", Origin::EU_CLOUD),
    ];
    labels.extend(remembered.iter().map(|origin| format!("Own server ({origin})")));
    labels.push("Another server of your own".to_owned());
    match prompt::choose("Where is your account?", &labels).await? {
        0 => Ok(Origin::US_CLOUD.parse()?),
        1 => Ok(Origin::EU_CLOUD.parse()?),
        chosen => match remembered.get(chosen - 2) {
            Some(origin) => Ok(origin.clone()),
            None => own().await,
        },
    }
}

async fn own() -> Result<Origin, CliError> {
    let check = |text: &str| text.parse::<Origin>().map(drop).map_err(|error| error.to_string());
    let help = "such as https://kms.example.com";
    Ok(prompt::text("Address of your server:", Some(help), None, check).await?.parse()?)
}
