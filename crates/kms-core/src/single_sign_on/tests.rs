//! What rests in rows, against whoever has the database file, and the policy over all that it
//! depends on.

use kms_api::single_sign_on::{BY_HAND, OidcConfigQuery, WriteOidcConfig};
use kms_crypto::CryptoError;
use kms_store::{
    identity_providers::{self, LinkRow, ProviderRow},
    user_sessions::SessionRow,
    users::UserRow,
};
use uuid::Uuid;

use crate::{
    Error, Origin, Result,
    access::link_mac,
    people::{OIDC, Start},
    testing::{World, person, signed_in},
};

const SITE: &str = "https://kms.example.com";

/// A provider that nobody signs in by, so that nothing is called.
fn body() -> WriteOidcConfig {
    WriteOidcConfig {
        configuration_type: Some(BY_HAND.into()),
        issuer: Some("https://id.example.com".into()),
        authorization_endpoint: Some("https://id.example.com/authorize".into()),
        token_endpoint: Some("https://id.example.com/token".into()),
        jwks_uri: Some("https://id.example.com/keys".into()),
        client_id: Some("kms".into()),
        client_secret: Some("provider-secret".into()),
        is_active: Some(false),
        allowed_email_domains: Some("corp.example".into()),
        ..WriteOidcConfig::default()
    }
}

impl World {
    async fn provider(&self) -> ProviderRow {
        self.core.create_oidc_config(&self.ours, &body(), SITE).await.unwrap();
        let row = identity_providers::of_organization(&self.store, self.ours.organization).await;
        row.unwrap().unwrap()
    }

    async fn administrator(&self) -> UserRow {
        let id = self.ours.actor.user().unwrap().id;
        kms_store::users::find(&self.store, id).await.unwrap().unwrap()
    }

    /// The access token of a session that rests on a provider's word.
    async fn by_provider(&self, provider: &ProviderRow) -> String {
        let user = self.administrator().await;
        let start = Start { auth_method: OIDC, chosen: None, longest: None };
        let mut tx = self.store.begin().await.unwrap();
        let mut row = SessionRow {
            provider_id: Some(provider.id),
            ..self.core.new_session(&user, &start, &Origin::default())
        };
        self.core.insert_session(&mut tx, &mut row).await.unwrap();
        tx.commit().await.unwrap();
        secrecy::ExposeSecret::expose_secret(&self.core.page_token(&row, None).unwrap().token)
            .into()
    }
}

#[track_caller]
fn assert_tampered<T>(result: Result<T>) {
    let Err(Error::Internal(source)) = result else { panic!("it was not noticed") };
    assert!(matches!(source.downcast_ref(), Some(CryptoError::Tampered)), "{source}");
}

#[tokio::test]
async fn k8_an_edited_provider_is_noticed_when_it_is_used() {
    for edit in [
        "UPDATE identity_providers SET issuer = 'https://evil.example'",
        "UPDATE identity_providers SET client_id = 'evil'",
        "UPDATE identity_providers SET config = '{\"algorithm\":\"RS256\"}'",
        "UPDATE identity_providers SET email_domains = '[\"evil.example\"]'",
        "UPDATE identity_providers SET is_active = TRUE",
        "UPDATE identity_providers SET sealed = x'00'",
    ] {
        let world = World::new().await;
        world.provider().await;
        assert_eq!(world.tamper(edit).await, 1);
        let read = world.core.oidc_config(&world.ours, &OidcConfigQuery::default(), SITE).await;
        assert_tampered(read);
    }
}

#[tokio::test]
async fn k8_what_a_session_rests_on_and_what_an_organization_asks_for_cannot_be_edited() {
    let world = World::new().await;
    let provider = world.provider().await;
    let token = world.by_provider(&provider).await;
    let person = world.core.authenticate_page(&token, Origin::default()).await.unwrap();
    assert_eq!(person.provider, Some(provider.id));
    world.tamper("UPDATE user_sessions SET provider_id = NULL").await;
    assert_tampered(world.core.authenticate_page(&token, Origin::default()).await);

    for edit in [
        "UPDATE organizations SET auth_enforced = TRUE",
        "UPDATE organizations SET bypass_org_auth = TRUE",
    ] {
        let world = World::new().await;
        let id = world.ours.organization;
        world.tamper(edit).await;
        assert_tampered(world.core.page_place(&signed_in(&world.ours), id).await);
    }
}

#[tokio::test]
async fn k8_a_link_moved_to_another_account_is_noticed() {
    let world = World::new().await;
    let provider = world.provider().await;
    let user = world.administrator().await;
    let mut link = LinkRow {
        provider_id: provider.id,
        issuer: provider.issuer.clone(),
        subject: "subject".into(),
        user_id: user.id,
        created_at: 1,
        mac: Vec::new(),
    };
    link.mac = link_mac(&world.core.keys.rows, &link).finish().to_vec();
    link_mac(&world.core.keys.rows, &link).verify(&link.mac).unwrap();
    let moved = [
        LinkRow { user_id: Uuid::from_u128(1).into(), ..link.clone() },
        LinkRow { subject: "another".into(), ..link.clone() },
        LinkRow { issuer: "https://evil.example".into(), ..link.clone() },
        LinkRow { provider_id: Uuid::from_u128(1).into(), ..link.clone() },
    ];
    for row in moved {
        assert!(link_mac(&world.core.keys.rows, &row).verify(&row.mac).is_err(), "{row:?}");
    }
}

/// The secret rests sealed, and opens in its own organization alone.
#[tokio::test]
async fn k1_the_secret_of_a_provider_cannot_be_read_or_moved() {
    let world = World::new().await;
    let row = world.provider().await;
    let sealed = String::from_utf8_lossy(&row.sealed);
    assert!(!sealed.contains("provider-secret"));
    let find = async |id| kms_store::organizations::find(&world.store, id).await.unwrap().unwrap();
    let ours = find(world.ours.organization).await;
    let theirs = find(world.theirs.organization).await;
    let opened = world.core.opened(&ours, &row).unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&opened.client_secret), "provider-secret");
    assert!(world.core.opened(&theirs, &row).is_err());
    let moved = ProviderRow { id: Uuid::from_u128(1).into(), ..row };
    assert!(world.core.opened(&ours, &moved).is_err());
}

#[tokio::test]
async fn t4_members_do_not_set_up_how_everybody_signs_in() {
    let world = World::new().await;
    let id = world.ours.actor.user().unwrap().id;
    for role in ["member", "no-access"] {
        let caller = person(id, world.ours.organization, role);
        let made = world.core.create_oidc_config(&caller, &body(), SITE).await;
        assert!(matches!(made, Err(Error::PermissionDenied { .. })), "{role}");
        let read = world.core.oidc_config(&caller, &OidcConfigQuery::default(), SITE).await;
        assert!(matches!(read, Err(Error::PermissionDenied { .. })), "{role}");
    }
}
