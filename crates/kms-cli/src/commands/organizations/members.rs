//! `kms organizations members` and `invite`.

use kms_api::{
    OrganizationId,
    accounts::Invite,
    organizations::{OrganizationUser, OrganizationsResponse},
};

use crate::{
    Context,
    error::{CliError, ResultExt as _},
    settings::Output,
    ui::escape_line,
};

/// List the members of an organization
#[derive(clap::Args, Debug)]
pub struct MembersArgs {
    /// Id of the organization or sub-organization [default: that of the login in use,
    /// or your only one]
    #[arg(long, value_name = "ID")]
    organization_id: Option<OrganizationId>,
}

/// Invite people to an organization
///
/// They are told by mail. Where the server sends none, the links to pass on are printed: whoever
/// has one can accept in that name.
#[derive(clap::Args, Debug)]
pub struct InviteArgs {
    /// E-mail addresses
    #[arg(value_name = "EMAIL", required = true)]
    emails: Vec<String>,

    /// Their role in the organization [default: that of new members]
    #[arg(long)]
    role: Option<String>,

    #[command(flatten)]
    organization: MembersArgs,
}

pub(super) async fn list(args: &MembersArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let organization = organization(args, context).await?;
    let client = context.settings.client()?;
    let answer = client.list_organization_users(&organization.to_string()).await;
    let users = answer.context("could not list the members of the organization")?.users;
    if output == Output::Json {
        return context.ui.json(&users);
    }
    let row = |user: &OrganizationUser| {
        let state = if user.is_active { user.status.clone() } else { "suspended".to_owned() };
        vec![user.id.to_string(), user.user.username.clone(), user.role.clone(), state]
    };
    context.ui.table(&["membership", "name", "role", "state"], users.iter().map(row).collect())
}

pub(super) async fn invite(args: InviteArgs, context: &Context) -> Result<(), CliError> {
    let output = context.settings.table_or_json()?;
    let body = Invite {
        organization_id: organization(&args.organization, context).await?,
        invitee_emails: Some(args.emails),
        invitee_email: None,
        organization_role_slug: args.role,
        projects: None,
    };
    let client = context.settings.client()?;
    let answer = client.invite(&body).await.context("could not invite")?;
    if output == Output::Json {
        return context.ui.json(&answer);
    }
    match answer.complete_invite_links {
        Some(links) if !links.is_empty() => {
            context.ui.notice("The server sends no mail: pass each link on to its owner alone");
            // A table would cut them to the width of the terminal.
            links.iter().try_for_each(|link| {
                let (email, link) = (escape_line(&link.email), escape_line(&link.link));
                context.ui.line(&format!("{email} {link}"))
            })
        }
        _ => {
            context.ui.notice("Invited");
            Ok(())
        }
    }
}

/// The organization that was named, that of the login in use, or the only one there is.
async fn organization(args: &MembersArgs, context: &Context) -> Result<OrganizationId, CliError> {
    if let Some(id) = args.organization_id {
        return Ok(id);
    }
    if context.settings.token.is_none()
        && let Some(chosen) = context.settings.chosen()?
    {
        let profile = &chosen.profile;
        return Ok(profile.sub_organization.as_ref().unwrap_or(&profile.organization).id);
    }
    let client = context.settings.client()?;
    let answer = client.list_organizations().await;
    let OrganizationsResponse { organizations } =
        answer.context("could not find your organization")?;
    match &organizations[..] {
        [one] => Ok(one.id),
        [] => Err(CliError::failed("you are not a member of any organization")),
        several => {
            let hint = |organization: &kms_api::organizations::Organization| {
                format!("--organization-id={}  # {}", organization.id, organization.name)
            };
            let text = "you are a member of several organizations, and none was named";
            Err(several.iter().map(hint).fold(CliError::usage(text), CliError::hint))
        }
    }
}
