//! A person's login: direct, by questions, or through the browser.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use std::path::PathBuf;

use clap::ArgAction;
use kms_api::OrganizationId;
use secrecy::{ExposeSecret, SecretString};

use super::{
    browser,
    domain::{self, Menu},
    session::{self, LoggedIn},
    shape::{Parts, Shape, Source, missing_parts, shape},
};
use crate::{
    Context, credential,
    env_vars::{self, Variable},
    error::CliError,
    profiles::NewSession,
    prompt,
    settings::Settings,
    ui::Ui,
};

/// What a machine does instead.
pub(super) const MACHINE: &str = "a machine logs in with `kms login --method=universal-auth --client-id=ID --client-secret-file=FILE`";

/// What a person's login may be told.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Options of user")]
#[group(skip)]
pub(super) struct Args {
    /// E-mail address [env: INFISICAL_EMAIL]
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,

    /// Password [env: INFISICAL_PASSWORD]; shows in the process list
    #[arg(long, value_name = "PASSWORD", group = "user_password")]
    password: Option<SecretString>,

    /// Read the password from a file
    #[arg(long, value_name = "FILE", group = "user_password")]
    password_file: Option<PathBuf>,

    /// Read the password from standard input
    #[arg(long, group = "user_password")]
    password_stdin: bool,

    /// Id of the organization or sub-organization to act in [env: INFISICAL_ORGANIZATION_ID]
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,

    /// Code of the second factor, or a recovery code [env: KMS_MFA_CODE]
    #[arg(long, value_name = "CODE")]
    mfa_code: Option<SecretString>,

    /// Ask for everything that is not given
    #[arg(long, short, num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(default_value_t, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    interactive: bool,

    #[command(flatten)]
    browser: browser::Args,

    /// Forget the servers that were logged in to before, and do nothing else
    #[arg(long)]
    clear_domains: bool,
}

/// What was given, by flag or environment.
pub(super) struct Given {
    pub(super) email: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) organization: Option<OrganizationId>,
    pub(super) mfa_code: Option<SecretString>,
}

pub(super) async fn run(args: &Args, plain: bool, context: &Context) -> Result<(), CliError> {
    let profiles = &context.settings.profiles;
    if args.clear_domains {
        profiles.clear_domains()?;
        context.ui.notice("The servers used before are forgotten. Logins to them stay.");
        return Ok(());
    }
    let parts = args.parts(&context.settings);
    let shape = shape(args.interactive, args.browser.way(), &parts, context.ui.interactive)
        .map_err(|error| with_commands(error, args, context))?;
    if shape == Shape::Browser && args.browser.way().is_none() {
        explain_browser(&parts, context.ui);
    }
    let work = log_in(shape, args, plain, context);
    if context.ui.interactive { prompt::guarded(work).await } else { work.await }
}

/// Says what keeps parts of the environment from being enough.
fn explain_browser(parts: &Parts, ui: Ui) {
    let is_there = |source| source == Source::Environment;
    if parts.iter().any(|(_, source)| is_there(*source)) {
        let missing = parts.iter().filter(|(_, source)| !is_there(*source));
        ui.notice(&missing_parts(missing.map(|(flag, _)| *flag)).source.to_string());
    }
}

async fn log_in(shape: Shape, args: &Args, plain: bool, context: &Context) -> Result<(), CliError> {
    // Asked before a password is: a login that cannot be kept is of use only if it is printed.
    let vault = context.settings.profiles.vault_available();
    if !plain {
        vault?;
    }
    let menu = if shape == Shape::Interactive { Menu::Shown } else { Menu::Hidden };
    let origin = domain::choose(menu, context).await?;
    let login = if shape == Shape::Browser {
        let organization = organization(args, &context.settings)?;
        browser::log_in(&origin, args.browser.way(), organization, context).await?
    } else {
        session::log_in(&origin, Given::read(args, context)?, context).await?
    };
    keep(login, plain, context).await
}

/// Keeps the login, and says so. With `--plain` the token counts: it is printed even where it can't
/// be kept.
async fn keep(login: LoggedIn, plain: bool, context: &Context) -> Result<(), CliError> {
    let (ui, profiles) = (context.ui, &context.settings.profiles);
    let kept = profiles.remember(NewSession {
        origin: login.origin.clone(),
        user_id: login.user_id,
        email: login.email.clone(),
        organization: login.place.root.clone(),
        sub_organization: login.place.sub.clone(),
        access_token: login.access_token.clone(),
        refresh_token: login.refresh_token.clone(),
    });
    if plain {
        if let Err(error) = &kept {
            let reasons: Vec<_> = error.chain().collect();
            ui.warn(&format!("the token is printed, not kept: {}", reasons.join(": ")));
        }
        return ui.line(login.access_token.expose_secret());
    }
    let profile = match kept {
        Ok(profile) => profile,
        Err(error) => {
            login.end().await;
            return Err(error.hint(
                "to use the token without keeping it: \
                 `export INFISICAL_TOKEN=$(kms login --plain --silent)`",
            ));
        }
    };
    ui.notice(&format!(
        "You are now logged in as {} in {} at {}",
        login.email,
        login.place.title(),
        login.origin
    ));
    ui.notice(&format!(
        "The login `{}` is kept in {}",
        profile.name,
        profiles.config()?.vault.title()
    ));
    warn_about_token(context);
    ui.hint("next: `kms init` in the folder of your project, then `kms secrets` and `kms run`");
    Ok(())
}

/// A token of the environment wins over every login that is kept.
fn warn_about_token(context: &Context) {
    let by = context.settings.token.as_ref().and_then(|token| token.by.as_deref());
    if let Some(by) = by.filter(|by| *by != "--token") {
        context.ui.warn(&format!("`{by}` is set: commands use that token, not this login"));
    }
}

impl Args {
    /// Where e-mail address, password and organization come from.
    fn parts(&self, settings: &Settings) -> Parts {
        let source = |flag: Option<&str>, variable: &Variable| match flag {
            Some(text) if !text.trim().is_empty() => Source::Flag,
            _ if settings.env.value(variable).is_some() => Source::Environment,
            Some(_) => Source::EmptyFlag,
            None => Source::Nowhere,
        };
        let password = if self.password_stdin || self.password_file.is_some() {
            Source::Flag
        } else {
            source(self.password.as_ref().map(ExposeSecret::expose_secret), &env_vars::PASSWORD)
        };
        [
            ("--email", source(self.email.as_deref(), &env_vars::EMAIL)),
            ("--password", password),
            (
                "--organization-id",
                source(self.organization_id.as_deref(), &env_vars::ORGANIZATION_ID),
            ),
        ]
    }
}

/// Adds the commands that would work.
fn with_commands(error: CliError, args: &Args, context: &Context) -> CliError {
    let direct = direct_command(
        context.settings.optional(args.email.as_deref(), &env_vars::EMAIL).as_deref(),
        context
            .settings
            .optional(args.organization_id.as_deref(), &env_vars::ORGANIZATION_ID)
            .as_deref(),
        &context.settings,
    );
    let error = error.hint(format!("all of it by flags: `{direct}`")).hint(format!(
        "or by the environment: {}, {}, {}",
        env_vars::EMAIL.display(),
        env_vars::PASSWORD.display(),
        env_vars::ORGANIZATION_ID.display()
    ));
    if context.ui.interactive {
        error.hint("or by questions: `kms login --interactive`")
    } else {
        let device = browser::command(context, "--device");
        error.hint(format!("with a browser on another device: `{device}`")).hint(MACHINE)
    }
}

/// A direct login that can be typed, with what is known filled in.
pub(super) fn direct_command(
    email: Option<&str>,
    organization: Option<&str>,
    settings: &Settings,
) -> String {
    let domain = match &settings.origin.by {
        Some(_) => format!(" --domain={}", settings.origin.value),
        None => String::new(),
    };
    let email = email.map_or("ADDRESS".into(), shell_word);
    let organization = organization.map_or("ID".into(), shell_word);
    format!(
        "kms login{domain} --email={email} --password-file=FILE --organization-id={organization}"
    )
}

/// A word as a POSIX shell reads it back.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

impl Given {
    /// Reads what the flags and the environment say.
    fn read(args: &Args, context: &Context) -> Result<Self, CliError> {
        let settings = &context.settings;
        let organization = organization(args, settings)?;
        let code = args.mfa_code.as_ref().map(ExposeSecret::expose_secret);
        Ok(Self {
            email: settings.optional(args.email.as_deref().map(str::trim), &env_vars::EMAIL),
            password: password(args, context)?,
            organization,
            mfa_code: settings
                .optional(code.map(str::trim), &env_vars::MFA_CODE)
                .map(SecretString::from),
        })
    }
}

fn organization(args: &Args, settings: &Settings) -> Result<Option<OrganizationId>, CliError> {
    let given = settings.optional(args.organization_id.as_deref(), &env_vars::ORGANIZATION_ID);
    given.map(|text| organization_id(&text)).transpose()
}

fn organization_id(text: &str) -> Result<OrganizationId, CliError> {
    text.trim().parse().map_err(|_| {
        CliError::usage(format!("`{text}` is not the id of an organization"))
            .hint("an id looks like 0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d")
            .hint("to choose from a list: `kms login --interactive`")
    })
}

fn password(args: &Args, context: &Context) -> Result<Option<SecretString>, CliError> {
    if args.password_stdin {
        return credential::from_stdin("password").map(Some);
    }
    if let Some(file) = &args.password_file {
        return credential::from_file("password", file).map(Some);
    }
    let flag = args.password.as_ref().map(ExposeSecret::expose_secret);
    if flag.is_some_and(|flag| !flag.is_empty()) {
        context.ui.warn(
            "`--password` shows in the process list; prefer `--password-file`, \
             `--password-stdin` or `INFISICAL_PASSWORD`",
        );
    }
    Ok(context.settings.optional(flag, &env_vars::PASSWORD).map(SecretString::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_commands_can_be_pasted() {
        assert_eq!(shell_word("a@b.c"), "a@b.c");
        assert_eq!(shell_word("it's $(x)"), "'it'\\''s $(x)'");
        assert_eq!(shell_word(""), "''");
    }
}
