use kms_api::auth::user::PasswordLogin;
use secrecy::ExposeSecret as _;

use super::{EMAIL, PASSWORD};
use crate::{
    Missing, Page, SignedIn,
    testing::{
        World,
        machines::{HOME, from},
    },
};

const MINUTE: i64 = 60;

impl World {
    async fn who(&self, page: &Page) -> SignedIn {
        self.core.authenticate_page(page.token.expose_secret(), from(HOME)).await.unwrap()
    }

    async fn missing(&self, page: &Page) -> Option<Missing> {
        self.core.missing_to_change(&self.who(page).await).await.unwrap()
    }

    async fn browser(&self) -> Page {
        let body = PasswordLogin { email: EMAIL.into(), password: PASSWORD.into() };
        self.core.page_login(&body, None, &from(HOME)).await.unwrap()
    }
}

#[tokio::test]
async fn a_login_counts_for_ten_minutes_and_the_password_for_ten_more() {
    let world = World::new().await;
    world.ada().await;
    let page = world.browser().await;
    world.clock.advance(10 * MINUTE);
    assert_eq!(world.missing(&page).await, None);
    world.clock.advance(1);
    assert_eq!(world.missing(&page).await, Some(Missing::Password));
    let signed_in = world.who(&page).await;
    assert!(world.core.require_recent(&signed_in).is_err());
    assert!(world.core.confirm_page(&signed_in, &"a guess".into()).await.is_err());
    let confirmed = world.core.confirm_page(&signed_in, &PASSWORD.into()).await.unwrap();
    assert_eq!(world.missing(&confirmed).await, None);
    assert_eq!(world.missing(&page).await, Some(Missing::Password), "another token");
    world.clock.advance(10 * MINUTE + 1);
    assert_eq!(world.missing(&confirmed).await, Some(Missing::Password));
    let events = world.events().await;
    for kind in ["confirm-login-failed", "confirm-login"] {
        assert!(events.iter().any(|event| event == kind), "{kind} {events:?}");
    }
}

/// The session ends when it would have ended anyway, however often the password is given.
#[tokio::test]
async fn giving_the_password_again_prolongs_nothing() {
    let world = World::new().await;
    world.ada().await;
    let page = world.browser().await;
    world.clock.advance(11 * 60 * MINUTE);
    let signed_in = world.who(&page).await;
    let confirmed = world.core.confirm_page(&signed_in, &PASSWORD.into()).await.unwrap();
    assert_eq!(confirmed.seconds, 60 * MINUTE);
    world.clock.advance(60 * MINUTE);
    let token = confirmed.token.expose_secret();
    assert!(world.core.authenticate_page(token, from(HOME)).await.is_err());
}

#[tokio::test]
async fn who_has_no_password_logs_in_again() {
    let world = World::new().await;
    let ada = world.ada().await;
    let page = world.browser().await;
    world.change_user(ada, |user| user.password_hash = None).await;
    assert_eq!(world.missing(&page).await, None);
    world.clock.advance(10 * MINUTE + 1);
    assert_eq!(world.missing(&page).await, Some(Missing::Login));
    let signed_in = world.who(&page).await;
    assert!(world.core.confirm_page(&signed_in, &PASSWORD.into()).await.is_err());
}
