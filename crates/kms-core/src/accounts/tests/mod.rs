//! Accounts from the first mail on, and what strangers try.

mod invitations;
mod recovery;
mod sign_up;

use std::sync::Arc;

use kms_api::{
    accounts::{Invite, SignUpStart, SignUpVerify},
    admin::UpdateInstanceConfig,
};
use secrecy::SecretString;

use crate::{
    Caller,
    mail::Mail,
    testing::{Mailbox, World},
};

/// Where the server says that it is.
const SITE: &str = "https://kms.example.test";
/// Long enough, and nobody's.
const PASSWORD: &str = "correct horse battery";

/// An instance with mail where anyone may sign up.
async fn open_to_all() -> (World, Arc<Mailbox>) {
    let (world, mailbox) = World::mailing().await;
    let body = UpdateInstanceConfig { allow_sign_up: Some(true), ..Default::default() };
    let admin = Caller { instance_admin: true, ..world.ours.clone() };
    world.core.update_instance_config(&admin, &body).await.unwrap();
    (world, mailbox)
}

/// The six digits of a mail.
fn code_of(mail: &Mail) -> String {
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    mail.text.lines().map(str::trim).find(is_code).expect("a code").to_owned()
}

/// The link of a mail.
fn link_of(mail: &Mail) -> String {
    let is_link = |line: &&str| line.starts_with("http");
    mail.text.lines().map(str::trim).find(is_link).expect("a link").to_owned()
}

/// `token` of a link.
fn token_of(link: &str) -> String {
    let token = link.split("token=").nth(1).expect("a token");
    token.split('&').next().unwrap_or_default().to_owned()
}

fn start(email: &str) -> SignUpStart {
    SignUpStart { email: email.into() }
}

fn verify(email: &str, code: &str) -> SignUpVerify {
    SignUpVerify { email: email.into(), code: SecretString::from(code) }
}

fn invite(world: &World, emails: &[&str]) -> Invite {
    Invite {
        organization_id: world.ours.organization,
        invitee_emails: Some(emails.iter().map(|email| (*email).into()).collect()),
        invitee_email: None,
        organization_role_slug: None,
        projects: None,
    }
}
