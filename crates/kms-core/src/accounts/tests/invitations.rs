//! Invitations.

use kms_api::{
    accounts::{CompleteInvitation, InviteToProject, VerifyInvitation},
    organizations::CreateSubOrganization,
    projects::CreateProject,
};
use kms_store::{organizations, users};
use secrecy::SecretString;

use super::{PASSWORD, SITE, invite, link_of, token_of};
use crate::{
    Caller, Error, Origin,
    testing::{World, person, signed_in},
};

const ADDRESS: &str = "bob@example.test";

fn accept(world: &World, email: &str, code: &str) -> VerifyInvitation {
    VerifyInvitation {
        email: email.into(),
        organization_id: world.ours.organization,
        code: SecretString::from(code),
    }
}

fn account(email: &str, password: &str) -> CompleteInvitation {
    CompleteInvitation {
        email: email.into(),
        first_name: "Bob".into(),
        last_name: Some("Builder".into()),
        password: SecretString::from(password),
    }
}

#[tokio::test]
async fn an_invited_person_completes_an_account_and_is_a_member() {
    let (world, mailbox) = World::mailing().await;
    let (core, origin) = (&world.core, Origin::default());
    let answer = core.invite(&world.ours, &invite(&world, &[ADDRESS]), SITE).await.unwrap();
    assert!(answer.complete_invite_links.is_none(), "the link goes by mail alone");
    let mail = mailbox.take().remove(0);
    assert_eq!(mail.to, ADDRESS);
    let link = link_of(&mail);
    assert!(link.starts_with(&format!("{SITE}/signupinvite?token=")), "{link}");
    assert!(link.contains("&to=bob%40example.test&organization_id="), "{link}");
    let body = accept(&world, ADDRESS, &token_of(&link));
    let token = core.verify_invitation(&body, &origin).await.unwrap().token.unwrap();
    let again = core.verify_invitation(&body, &origin).await;
    assert!(matches!(again, Err(Error::Unauthorized(_))), "{again:?}");
    let proven = core.authenticate_proven(&token).unwrap();
    for weak in ["short", "password", ADDRESS] {
        let refused = core.complete_invitation(&proven, &account(ADDRESS, weak), &origin).await;
        assert!(matches!(refused.map(drop), Err(Error::Validation(_))), "{weak}");
    }
    let body = account(ADDRESS, PASSWORD);
    let made = core.complete_invitation(&proven, &body, &origin).await.unwrap();
    assert!(made.answer.user.is_email_verified);
    let bob = core.authenticate_user(&made.answer.token, origin.clone()).await.unwrap();
    assert_eq!(bob.organization, None, "a second factor is asked for where one is chosen");
    let list = core.list_organizations(&bob).await.unwrap().organizations;
    assert_eq!(list[0].id, world.ours.organization);
    assert_eq!(list[0].user_role.as_deref(), Some("member"));
    let again = core.complete_invitation(&proven, &body, &origin).await;
    assert!(matches!(again.map(drop), Err(Error::Unauthorized(_))));
}

#[tokio::test]
async fn without_a_mail_server_the_administrator_gets_the_link() {
    let world = World::new().await;
    let (core, origin) = (&world.core, Origin::default());
    let answer = core.invite(&world.ours, &invite(&world, &[ADDRESS]), SITE).await.unwrap();
    let links = answer.complete_invite_links.unwrap();
    assert_eq!((links.len(), links[0].email.as_str()), (1, ADDRESS));
    let body = accept(&world, ADDRESS, &token_of(&links[0].link));
    let verified = core.verify_invitation(&body, &origin).await.unwrap();
    assert!(!verified.user.is_email_verified, "the link shows nothing about the address");
    // A link that was lost is replaced by inviting again, and is no use any more.
    let second = invite(&world, &["carol@example.test"]);
    let lost = core.invite(&world.ours, &second, SITE).await.unwrap().complete_invite_links;
    let again = core.invite(&world.ours, &second, SITE).await.unwrap().complete_invite_links;
    let token = |links: Option<Vec<_>>| {
        let links: Vec<kms_api::accounts::InvitationLink> = links.unwrap();
        token_of(&links[0].link)
    };
    let (lost, again) = (token(lost), token(again));
    let body = accept(&world, "carol@example.test", &lost);
    assert!(core.verify_invitation(&body, &origin).await.is_err());
    let body = accept(&world, "carol@example.test", &again);
    core.verify_invitation(&body, &origin).await.unwrap();
}

#[tokio::test]
async fn somebody_with_an_account_accepts_by_the_link_alone_and_not_before() {
    let (world, mailbox) = World::mailing().await;
    let (core, origin) = (&world.core, Origin::default());
    let theirs = signed_in(&world.theirs);
    let body = invite(&world, &["admin@theirs.test"]);
    core.invite(&world.ours, &body, SITE).await.unwrap();
    // Attack T6: invited is not member.
    let count = async || core.list_organizations(&theirs).await.unwrap().organizations.len();
    assert_eq!(count().await, 1);
    let token = token_of(&link_of(&mailbox.take()[0]));
    let body_of_link = accept(&world, "admin@theirs.test", &token);
    let answer = core.verify_invitation(&body_of_link, &origin).await.unwrap();
    assert!(answer.token.is_none());
    assert_eq!(count().await, 2);
    // Whoever is a member is not invited again.
    core.invite(&world.ours, &body, SITE).await.unwrap();
    assert!(mailbox.take().is_empty());
}

#[tokio::test]
async fn h1_an_invitation_is_answered_alike_for_known_and_unknown_addresses() {
    let (world, _) = World::mailing().await;
    let answer = async |address: &str| {
        let body = invite(&world, &[address]);
        let answer = world.core.invite(&world.ours, &body, SITE).await.unwrap();
        serde_json::to_string(&answer).unwrap().replace(address, "…")
    };
    assert_eq!(answer("admin@theirs.test").await, answer("nobody@theirs.test").await);
    let org = world.ours.organization;
    let users = world.core.list_organization_users(&world.ours, org).await.unwrap().users;
    let told = |address: &str| {
        let user = users.iter().find(|user| user.user.username == address).unwrap();
        (user.status.clone(), user.user.first_name.clone(), user.user.last_name.clone())
    };
    assert_eq!(told("admin@theirs.test"), told("nobody@theirs.test"));
}

#[tokio::test]
async fn t4_nobody_invites_to_more_than_they_hold() {
    let (world, mailbox) = World::mailing().await;
    let core = &world.core;
    let mut body = invite(&world, &[ADDRESS]);
    body.organization_role_slug = Some("admin".into());
    for role in ["member", "no-access"] {
        let caller = person(world.ours.actor.id().into(), world.ours.organization, role);
        let refused = core.invite(&caller, &body, SITE).await;
        assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{role}: {refused:?}");
    }
    let elsewhere = Caller { organization: world.theirs.organization, ..world.ours.clone() };
    let refused = core.invite(&elsewhere, &body, SITE).await;
    assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
    // A project of others, and one that the inviter may not add members to.
    let project = CreateProject { project_name: "p".into(), ..CreateProject::default() };
    let theirs = core.create_project(&world.theirs, &project).await.unwrap().project.id;
    body.organization_role_slug = None;
    body.projects = Some(vec![InviteToProject { id: theirs, project_role_slug: None }]);
    let refused = core.invite(&world.ours, &body, SITE).await;
    assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
    assert!(mailbox.take().is_empty());
    assert!(users::by_username(&world.store, ADDRESS).await.unwrap().is_none());
}

#[tokio::test]
async fn an_invitation_reaches_into_projects_and_ends_with_the_membership() {
    let (world, mailbox) = World::mailing().await;
    let (core, org) = (&world.core, world.ours.organization);
    let project = CreateProject { project_name: "p".into(), ..CreateProject::default() };
    let project = core.create_project(&world.ours, &project).await.unwrap().project.id;
    let mut body = invite(&world, &[ADDRESS]);
    body.projects =
        Some(vec![InviteToProject { id: project, project_role_slug: Some(vec!["viewer".into()]) }]);
    core.invite(&world.ours, &body, SITE).await.unwrap();
    let members = core.list_user_memberships(&world.ours, project).await.unwrap();
    let bob = members.iter().find(|member| member.user.username == ADDRESS).unwrap();
    assert_eq!(bob.roles[0].role, "viewer");
    let bob = users::by_username(&world.store, ADDRESS).await.unwrap().unwrap().id;
    let membership = organizations::membership(&world.store, org, bob.uuid(), "user").await;
    let membership = membership.unwrap().unwrap().id;
    core.remove_organization_membership(&world.ours, org, membership).await.unwrap();
    assert_eq!(core.list_user_memberships(&world.ours, project).await.unwrap().len(), 1);
    // Attack T6: what was mailed is no way back.
    let token = token_of(&link_of(&mailbox.take()[0]));
    let late = core.verify_invitation(&accept(&world, ADDRESS, &token), &Origin::default()).await;
    assert!(matches!(late, Err(Error::Unauthorized(_))), "{late:?}");
}

#[tokio::test]
async fn members_of_the_root_are_added_to_a_sub_organization_at_once_and_nobody_else() {
    let (world, mailbox) = World::mailing().await;
    let core = &world.core;
    let body = CreateSubOrganization { name: "team".into(), slug: None };
    let team = core.create_sub_organization(&world.ours, &body).await.unwrap().organization.id;
    let within = person(world.ours.actor.id().into(), team, "admin");
    let grace = crate::users::NewUser {
        email: "grace@ours.test".into(),
        first_name: None,
        last_name: None,
        password_hash: None,
        super_admin: false,
        is_accepted: true,
        is_email_verified: true,
    };
    let mut tx = world.store.begin().await.unwrap();
    let grace = core.insert_user(&mut tx, grace).await.unwrap().id;
    let principal = ("user", grace.uuid());
    let org = world.ours.organization;
    core.insert_organization_member(&mut tx, org, principal, "member").await.unwrap();
    tx.commit().await.unwrap();
    let mut body = invite(&world, &["grace@ours.test"]);
    body.organization_id = team;
    core.invite(&within, &body, SITE).await.unwrap();
    assert!(mailbox.take().is_empty());
    let grace = person(grace, org, "member");
    let list = core.list_accessible_organizations(&signed_in(&grace)).await.unwrap();
    assert_eq!(list.organizations[0].sub_organizations[0].id, team);
    for stranger in ["admin@theirs.test", "nobody@ours.test"] {
        let mut body = invite(&world, &[stranger]);
        body.organization_id = team;
        let refused = core.invite(&within, &body, SITE).await;
        let text = refused.map(drop).unwrap_err().to_string();
        let expected = format!("{stranger} is not a member of the root organization");
        assert_eq!(text, expected);
    }
}
