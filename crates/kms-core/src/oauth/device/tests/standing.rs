//! What an approval rests on, asked when it is given and again when it is used.

use super::{DEVICE, code_of, name_of};
use crate::{
    Error, SignedIn,
    oauth::OAuthError,
    testing::{World, machines::from},
};

#[tokio::test]
async fn h5_whoever_owes_a_second_factor_approves_nothing() {
    let world = World::new().await;
    let (owner, ours) = (world.owner_at_page().await, world.ours.organization);
    let device = world.ask().await;
    world
        .change_policy(|row| {
            row.enforce_mfa = true;
            row.selected_mfa_method = Some("totp".into());
        })
        .await;
    for factor in [None, Some("email".to_owned())] {
        let owing = SignedIn { factor, ..owner.clone() };
        assert_eq!(name_of(world.core.may_approve_devices(&owing, ours).await), "MfaRequired");
        let refused = world.core.approve_device(&owing, &device.user_code, ours).await;
        assert_eq!(name_of(refused), "MfaRequired");
    }
    assert_eq!(code_of(world.poll(&device).await), "authorization_pending");
    let given = SignedIn { factor: Some("totp".into()), ..owner };
    world.core.approve_device(&given, &device.user_code, ours).await.unwrap();
    let tokens = world.poll(&device).await.unwrap();
    let refreshed = world.core.refresh(Some(&tokens.refresh_token), &from(DEVICE)).await;
    assert!(refreshed.is_ok(), "the session keeps which factor was given");
}

#[tokio::test]
async fn h5_what_is_asked_for_since_the_approval_counts() {
    let world = World::new().await;
    let (owner, ours) = (world.owner_at_page().await, world.ours.organization);
    let device = world.ask().await;
    world.core.approve_device(&owner, &device.user_code, ours).await.unwrap();
    world
        .change_policy(|row| {
            row.enforce_mfa = true;
            row.selected_mfa_method = Some("totp".into());
        })
        .await;
    assert_eq!(code_of(world.poll(&device).await), "invalid_grant");
    world.change_policy(|row| row.enforce_mfa = false).await;
    assert_eq!(code_of(world.poll(&device).await), "invalid_grant", "it was used up");
    assert_eq!(world.recorded("device-login-refused").await, 1);
}

#[tokio::test]
async fn t6_an_approval_ends_with_the_page_the_membership_and_the_account() {
    for change in
        ["DELETE FROM user_sessions", "DELETE FROM organization_memberships", "DELETE FROM users"]
    {
        let world = World::new().await;
        let (owner, ours) = (world.owner_at_page().await, world.ours.organization);
        let device = world.ask().await;
        world.core.approve_device(&owner, &device.user_code, ours).await.unwrap();
        world.tamper(change).await;
        assert_eq!(code_of(world.poll(&device).await), "invalid_grant", "{change}");
    }
}

#[tokio::test]
async fn k8_a_login_edited_in_the_database_is_noticed() {
    for edit in [
        "state = 'approved'",
        "expires_at = expires_at + 1",
        "host = 'trusted.example'",
        "ip = NULL",
        "user_agent = 'another'",
        "org_id = id",
    ] {
        let world = World::new().await;
        let owner = world.owner_at_page().await;
        let device = world.ask().await;
        world.tamper(format!("UPDATE device_logins SET {edit}").leak()).await;
        let polled = world.poll(&device).await;
        assert!(matches!(polled, Err(OAuthError::Core(Error::Internal(_)))), "{edit}");
        if edit.starts_with("state") {
            continue;
        }
        let seen = world.core.device_login(&owner, &device.user_code).await;
        assert!(matches!(seen, Err(Error::Internal(_))), "{edit}");
    }
    for edit in ["user_id = (SELECT MIN(id) FROM users WHERE id <> user_id)", "factor = 'totp'"] {
        let world = World::new().await;
        let (owner, ours) = (world.owner_at_page().await, world.ours.organization);
        let device = world.ask().await;
        world.core.approve_device(&owner, &device.user_code, ours).await.unwrap();
        world.tamper(format!("UPDATE device_logins SET {edit}").leak()).await;
        let polled = world.poll(&device).await;
        assert!(matches!(polled, Err(OAuthError::Core(Error::Internal(_)))), "{edit}");
    }
}
