//! Devices and their owners against the server, and those who would be either.

mod limits;
mod standing;

use kms_api::{
    OrganizationId,
    oauth::{
        CLI_CLIENT, DEVICE_GRANT, DeviceAuthorizationRequest, DeviceAuthorizationResponse,
        TokenRequest, TokenResponse,
    },
};
use kms_store::organizations;

use crate::{
    Error, Origin, SignedIn,
    oauth::OAuthError,
    testing::{
        World,
        machines::{HOME, from},
    },
};

const ISSUER: &str = "https://kms.example.test";
/// Where devices ask from.
const DEVICE: &str = "198.51.100.7";

pub(super) fn request() -> DeviceAuthorizationRequest {
    DeviceAuthorizationRequest {
        client_id: CLI_CLIENT.into(),
        organization_id: None,
        host: Some("build-7".into()),
    }
}

fn poll(device_code: &str) -> TokenRequest {
    TokenRequest {
        grant_type: DEVICE_GRANT.into(),
        client_id: Some(CLI_CLIENT.into()),
        code: None,
        redirect_uri: None,
        code_verifier: None,
        device_code: Some(device_code.into()),
        refresh_token: None,
    }
}

impl World {
    /// The administrator of our organization, at a page.
    async fn owner_at_page(&self) -> SignedIn {
        let user = self.ours.actor.user().unwrap().id;
        let token = self.sign_in(user, self.ours.organization).await;
        let signed_in = self.core.authenticate_user(&token, from(HOME)).await.unwrap();
        SignedIn { organization: None, ..signed_in }
    }

    async fn ask(&self) -> DeviceAuthorizationResponse {
        self.core.ask_device(&request(), ISSUER, &from(DEVICE)).await.unwrap()
    }

    /// A device's question, as soon as it may be asked again.
    async fn poll(
        &self,
        device: &DeviceAuthorizationResponse,
    ) -> Result<TokenResponse, OAuthError> {
        self.clock.advance(5);
        self.core.token(&poll(&device.device_code), &from(DEVICE)).await
    }

    /// Changes what our organization asks for.
    async fn change_policy(&self, change: impl FnOnce(&mut organizations::OrganizationRow)) {
        let mut tx = self.store.begin().await.unwrap();
        let found = organizations::find(&mut tx, self.ours.organization).await.unwrap();
        let mut row = found.unwrap();
        change(&mut row);
        self.core.update_row(&mut tx, &mut row).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn waiting(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM device_logins").await
    }
}

/// The error of the RFCs.
#[track_caller]
fn code_of<T>(answer: Result<T, OAuthError>) -> &'static str {
    match answer {
        Ok(_) => "let through",
        Err(OAuthError::Core(error)) => panic!("another error: {error}"),
        Err(error) => error.code().unwrap(),
    }
}

#[track_caller]
fn name_of<T>(answer: crate::Result<T>) -> String {
    match answer {
        Ok(_) => "let through".into(),
        Err(Error::BadRequest { name, .. }) => name.into(),
        Err(Error::Forbidden { name, .. }) => name.into_owned(),
        Err(other) => panic!("another error: {other}"),
    }
}

#[tokio::test]
async fn a_device_is_logged_in_once_its_owner_approved() {
    let world = World::new().await;
    let owner = world.owner_at_page().await;
    let device = world.ask().await;
    assert_eq!(device.verification_uri, format!("{ISSUER}/device"));
    let complete = format!("{ISSUER}/device?user_code={}", device.user_code);
    assert_eq!(device.verification_uri_complete, Some(complete));
    assert_eq!((device.expires_in, device.interval), (600, 5));
    assert_eq!(device.device_code.len(), 64, "256 bits");
    assert_eq!(code_of(world.poll(&device).await), "authorization_pending");
    let typed = device.user_code.to_lowercase().replace('-', " ");
    world.core.approve_device(&owner, &typed, world.ours.organization).await.unwrap();
    let given = world.poll(&device).await.unwrap();
    let session = given.session.unwrap();
    assert_eq!(session.user_id, owner.user.id);
    assert_eq!(session.organization.id, world.ours.organization);
    let caller = world.core.authenticate(&given.access_token, from(DEVICE)).await.unwrap();
    assert_eq!(caller.organization, world.ours.organization);
    assert!(world.core.refresh(Some(&given.refresh_token), &from(DEVICE)).await.is_ok());
    let made = caller.actor.user().unwrap().session;
    assert_ne!(made, owner.user.session, "a session of its own");
    assert_eq!(world.waiting().await, 0, "used up");
    for kind in ["device-login-asked", "device-login-approved", "user-login"] {
        assert_eq!(world.recorded(kind).await, 1, "{kind}");
    }
}

#[tokio::test]
async fn what_was_answered_or_used_is_no_more() {
    let world = World::new().await;
    let (owner, ours) = (world.owner_at_page().await, world.ours.organization);
    let device = world.ask().await;
    let approve = async || world.core.approve_device(&owner, &device.user_code, ours).await;
    approve().await.unwrap();
    assert_eq!(name_of(approve().await), "UnknownUserCode");
    assert_eq!(name_of(world.core.deny_device(&owner, &device.user_code).await), "UnknownUserCode");
    world.poll(&device).await.unwrap();
    assert_eq!(code_of(world.poll(&device).await), "invalid_grant");
    let denied = world.ask().await;
    world.core.deny_device(&owner, &denied.user_code).await.unwrap();
    for _ in 0..3 {
        assert_eq!(code_of(world.poll(&denied).await), "access_denied");
    }
    assert_eq!(world.recorded("device-login-denied").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_approval_is_good_for_one_session_of_many_that_ask() {
    let world = std::sync::Arc::new(World::new().await);
    let owner = world.owner_at_page().await;
    let device = world.ask().await;
    let ours = world.ours.organization;
    world.core.approve_device(&owner, &device.user_code, ours).await.unwrap();
    let sessions = world.number("SELECT COUNT(*) FROM user_sessions").await;
    let mut racers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (core, polled) = (world.core.clone(), poll(&device.device_code));
        racers.spawn(async move { core.token(&polled, &from(DEVICE)).await.is_ok() });
    }
    assert_eq!(racers.join_all().await.into_iter().filter(|won| *won).count(), 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM user_sessions").await, sessions + 1);
}

#[tokio::test]
async fn a_code_ends_after_ten_minutes_and_the_device_is_told() {
    let world = World::new().await;
    let (owner, ours) = (world.owner_at_page().await, world.ours.organization);
    let (device, approved) = (world.ask().await, world.ask().await);
    world.core.approve_device(&owner, &approved.user_code, ours).await.unwrap();
    world.clock.advance(600);
    let late = world.core.approve_device(&owner, &device.user_code, ours).await;
    assert_eq!(name_of(late), "UnknownUserCode");
    world.core.sweep().await.unwrap();
    for late in [&device, &approved] {
        assert_eq!(code_of(world.poll(late).await), "expired_token");
    }
    world.clock.advance(60);
    world.core.sweep().await.unwrap();
    assert_eq!(world.waiting().await, 0);
    assert_eq!(code_of(world.poll(&device).await), "invalid_grant");
}

#[tokio::test]
async fn only_the_one_client_asks_and_says_what_it_has_to() {
    let world = World::new().await;
    let other = DeviceAuthorizationRequest { client_id: "another".into(), ..request() };
    assert_eq!(
        code_of(world.core.ask_device(&other, ISSUER, &from(DEVICE)).await),
        "invalid_client"
    );
    let device = world.ask().await;
    let asked = poll(&device.device_code);
    for (body, code) in [
        (TokenRequest { client_id: Some("another".into()), ..asked.clone() }, "invalid_client"),
        (TokenRequest { client_id: None, ..asked.clone() }, "invalid_request"),
        (TokenRequest { device_code: None, ..asked.clone() }, "invalid_request"),
        (poll("nobody has this one"), "invalid_grant"),
        (poll(&device.user_code), "invalid_grant"),
    ] {
        assert_eq!(code_of(world.core.token(&body, &from(DEVICE)).await), code, "{body:?}");
    }
}

#[tokio::test]
async fn l5_the_page_shows_what_asked_and_hides_none_of_it() {
    let world = World::new().await;
    let owner = world.owner_at_page().await;
    let asked = DeviceAuthorizationRequest {
        organization_id: Some(world.ours.organization),
        host: Some("\u{202e}evil\u{7}.example\n".into()),
        ..request()
    };
    let origin = Origin { user_agent: Some("kms-cli/1.0 (linux)".into()), ..from(DEVICE) };
    let device = world.core.ask_device(&asked, ISSUER, &origin).await.unwrap();
    let at = world.core.now();
    world.clock.advance(90);
    let seen = world.core.device_login(&owner, &device.user_code).await.unwrap();
    assert_eq!(seen.user_code, device.user_code);
    assert_eq!(seen.host.as_deref(), Some("\u{fffd}evil\u{fffd}.example"));
    assert_eq!(seen.program.as_deref(), Some("kms-cli/1.0 (linux)"));
    assert_eq!(seen.address.as_deref(), Some(DEVICE));
    assert_eq!((seen.asked_at, seen.organization), (at, Some(world.ours.organization)));
    // To look is not to approve.
    assert_eq!(code_of(world.poll(&device).await), "authorization_pending");
}

#[tokio::test]
async fn l5_an_organization_switches_logins_of_devices_off() {
    let world = World::new().await;
    let (owner, ours) = (world.owner_at_page().await, world.ours.organization);
    let (before, after) = (world.ask().await, world.ask().await);
    world.core.approve_device(&owner, &before.user_code, ours).await.unwrap();
    world.change_policy(|row| row.device_login = false).await;
    assert_eq!(name_of(world.core.may_approve_devices(&owner, ours).await), "DeviceLoginOff");
    let refused = world.core.approve_device(&owner, &after.user_code, ours).await;
    assert_eq!(name_of(refused), "DeviceLoginOff");
    assert_eq!(world.recorded("device-login-refused").await, 2);
    assert_eq!(code_of(world.poll(&before).await), "invalid_grant", "approved before");
    assert_eq!(code_of(world.poll(&after).await), "authorization_pending");
    world.change_policy(|row| row.device_login = true).await;
    world.core.approve_device(&owner, &after.user_code, ours).await.unwrap();
    assert!(world.poll(&after).await.is_ok());
}

#[tokio::test]
async fn t1_an_organization_of_others_answers_as_if_there_were_none() {
    let world = World::new().await;
    let owner = world.owner_at_page().await;
    let device = world.ask().await;
    let nowhere = OrganizationId::from(uuid::Uuid::nil());
    for id in [world.theirs.organization, nowhere] {
        let text = format!("Organization with ID '{id}' not found");
        let refused = world.core.approve_device(&owner, &device.user_code, id).await.unwrap_err();
        assert!(matches!(refused, Error::NotFound(_)), "{refused}");
        assert_eq!(refused.to_string(), text);
        let refused = world.core.may_approve_devices(&owner, id).await.unwrap_err();
        assert_eq!(refused.to_string(), text);
    }
    let asked = DeviceAuthorizationRequest { organization_id: Some(nowhere), ..request() };
    let device = world.core.ask_device(&asked, ISSUER, &from(DEVICE)).await.unwrap();
    let ours = world.ours.organization;
    let other = world.core.approve_device(&owner, &device.user_code, ours).await;
    assert_eq!(name_of(other), "BadRequest", "it asked for another one");
}
