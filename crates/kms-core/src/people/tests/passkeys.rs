use kms_api::{UserId, users::UpdateMfa};
use secrecy::ExposeSecret as _;

use super::{device::Device, refused};
use crate::{
    Core, Error, Page, PasskeyAnswer, PasskeyRequest, Result, SignedIn,
    testing::{
        World,
        machines::{HOME, from},
    },
};

/// Where people find the server.
pub(super) const SITE: &str = "https://kms.example.test";

impl World {
    /// Ada, signed in with a browser by password.
    async fn at_a_page(&self) -> SignedIn {
        let body = kms_api::auth::user::PasswordLogin {
            email: super::EMAIL.into(),
            password: super::PASSWORD.into(),
        };
        let page = self.core.page_login(&body, None, &from(HOME)).await.unwrap();
        self.seen(&page).await.unwrap()
    }

    /// Who a browser's sign-in stands for.
    async fn seen(&self, page: &Page) -> Result<SignedIn> {
        self.core.authenticate_page(page.token.expose_secret(), from(HOME)).await
    }

    async fn add(&self, who: &SignedIn, device: &mut Device) -> Result<()> {
        let asked = self.core.new_passkey_request(who, SITE).await?;
        let response = device.make(&asked.options);
        self.core.add_passkey(who, &answer(&asked, &response), "My phone", SITE).await
    }

    fn asked(&self) -> PasskeyRequest {
        self.core.passkey_login_request(SITE).unwrap().unwrap()
    }

    async fn meet(&self, asked: &PasskeyRequest, response: &str) -> Result<Page> {
        self.core.passkey_login(&answer(asked, response), SITE, &from(HOME)).await
    }

    async fn sign_in_with(&self, device: &mut Device) -> Result<Page> {
        let asked = self.asked();
        let response = device.sign(&asked.options);
        self.meet(&asked, &response).await
    }

    async fn give_as_factor(&self, who: &SignedIn, device: &mut Device) -> Result<Page> {
        let asked = self.core.passkey_factor_request(who, SITE).await?.unwrap();
        let response = device.sign(&asked.options);
        self.core.passkey_factor(who, &answer(&asked, &response), SITE).await
    }

    /// Ada with a passkey.
    async fn with_passkey(&self) -> (UserId, Device) {
        let ada = self.ada().await;
        let mut device = Device::new(b"credential-of-ada");
        self.add(&self.at_a_page().await, &mut device).await.unwrap();
        (ada, device)
    }
}

fn answer<'a>(asked: &'a PasskeyRequest, response: &'a str) -> PasskeyAnswer<'a> {
    PasskeyAnswer { state: &asked.state, response }
}

#[track_caller]
fn is_refused<T>(result: Result<T>) {
    match refused(result) {
        Error::BadRequest { message, .. } => {
            assert_eq!(message, "This passkey was not accepted, or it took too long; try again");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_passkey_signs_its_owner_in_and_is_both_factors() {
    let world = World::new().await;
    let (ada, mut device) = world.with_passkey().await;
    world.change_ours(|row| row.enforce_mfa = true).await;
    let page = world.sign_in_with(&mut device).await.unwrap();
    let who = world.seen(&page).await.unwrap();
    assert_eq!((who.user.id, &*who.auth_method), (ada, "webauthn"));
    assert_eq!(who.factor.as_deref(), Some("webauthn"));
    let place = world.core.page_place(&who, world.ours.organization).await.unwrap();
    assert_eq!(place.owed, None);
    let held = world.core.passkeys(&who).await.unwrap();
    assert_eq!(held[0].name, "My phone");
    assert_eq!(held[0].last_used_at, Some(world.core.now()));
    let events = world.events().await;
    for kind in ["passkey-add", "user-login"] {
        assert!(events.iter().any(|event| event == kind), "{kind}: {events:?}");
    }
}

#[tokio::test]
async fn a_passkey_is_a_second_factor_after_a_password() {
    let world = World::new().await;
    let (_, mut device) = world.with_passkey().await;
    for method in ["webauthn", "totp", "email"] {
        world
            .change_ours(|row| {
                row.enforce_mfa = true;
                row.selected_mfa_method = Some(method.into());
            })
            .await;
        let who = world.at_a_page().await;
        let ours = world.ours.organization;
        assert_eq!(world.core.page_place(&who, ours).await.unwrap().owed, Some(method));
        let page = world.give_as_factor(&who, &mut device).await.unwrap();
        let who = world.seen(&page).await.unwrap();
        assert_eq!(world.core.page_place(&who, ours).await.unwrap().owed, None, "{method}");
        assert_eq!(&*who.auth_method, "email");
    }
}

/// What is wrong with an answer, and the device that gives it.
type Wrong = (&'static str, fn(&mut Device));

#[tokio::test]
async fn j5_an_answer_for_another_server_or_page_is_refused() {
    let world = World::new().await;
    let (_, mut device) = world.with_passkey().await;
    let wrong: [Wrong; 7] = [
        ("another site", |device| device.origin = "https://evil.test".into()),
        ("another port", |device| device.origin = format!("{SITE}:8443")),
        ("without TLS", |device| device.origin = "http://kms.example.test".into()),
        ("below our name", |device| device.origin = "https://a.kms.example.test".into()),
        ("above our name", |device| device.origin = "https://example.test".into()),
        ("another server", |device| device.server = "evil.test".into()),
        ("the name above", |device| device.server = "example.test".into()),
    ];
    for (what, change) in wrong {
        let (origin, server) = (device.origin.clone(), device.server.clone());
        change(&mut device);
        assert!(world.sign_in_with(&mut device).await.is_err(), "{what}");
        (device.origin, device.server) = (origin, server);
    }
    world.sign_in_with(&mut device).await.unwrap();
    // The public URL decides, not where the answer says that it was asked.
    device.origin = "https://evil.test".into();
    let asked = world.asked();
    let response = device.sign(&asked.options);
    is_refused(world.meet(&asked, &response).await);
}

#[tokio::test]
async fn h3_an_answer_is_good_once_for_what_it_was_asked_for_and_for_five_minutes() {
    let world = World::new().await;
    world.ada().await;
    let mut device = Device::new(b"synchronised");
    (device.counter, device.step) = (0, 0);
    world.add(&world.at_a_page().await, &mut device).await.unwrap();
    let asked = world.asked();
    let response = device.sign(&asked.options);
    world.meet(&asked, &response).await.unwrap();
    is_refused(world.meet(&asked, &response).await);

    // An answer to one challenge is none to another.
    let (first, second) = (world.asked(), world.asked());
    let response = device.sign(&first.options);
    is_refused(world.meet(&second, &response).await);

    // The challenge of a login is none of a second factor, and neither is one of another session.
    let who = world.at_a_page().await;
    let response = device.sign(&first.options);
    is_refused(world.core.passkey_factor(&who, &answer(&first, &response), SITE).await);
    let other = world.at_a_page().await;
    let asked = world.core.passkey_factor_request(&other, SITE).await.unwrap().unwrap();
    let response = device.sign(&asked.options);
    is_refused(world.core.passkey_factor(&who, &answer(&asked, &response), SITE).await);
    is_refused(world.meet(&asked, &response).await);

    let asked = world.asked();
    let response = device.sign(&asked.options);
    world.clock.advance(300);
    is_refused(world.meet(&asked, &response).await);
    world.core.sweep().await.unwrap();
    let left = world.tamper("DELETE FROM passkey_challenges").await;
    assert_eq!(left, 0, "what was met is forgotten when nobody can meet it any more");
}

#[tokio::test]
async fn j5_a_challenge_of_ones_own_making_is_refused() {
    let world = World::new().await;
    let (_, mut device) = world.with_passkey().await;
    let asked = world.asked();
    let response = device.sign(&asked.options);
    for at in [0, 20, 45, 60, asked.state.len() - 1] {
        let mut state = asked.state.clone().into_bytes();
        state[at] = if state[at] == b'A' { b'B' } else { b'A' };
        let forged =
            PasskeyRequest { state: String::from_utf8(state).unwrap(), options: String::new() };
        is_refused(world.meet(&forged, &response).await);
    }
    for state in ["", "AAAA", "!"] {
        let forged = PasskeyRequest { state: state.into(), options: String::new() };
        is_refused(world.meet(&forged, &response).await);
    }
    world.meet(&asked, &response).await.unwrap();
}

#[tokio::test]
async fn a_counter_that_goes_back_shows_a_copied_device() {
    let world = World::new().await;
    let (_, mut device) = world.with_passkey().await;
    device.counter = 41;
    world.sign_in_with(&mut device).await.unwrap();
    for copy in [10, 41] {
        device.counter = copy;
        is_refused(world.sign_in_with(&mut device).await);
    }
    device.counter = 42;
    world.sign_in_with(&mut device).await.unwrap();
}

#[tokio::test]
async fn h5_a_device_that_did_not_recognise_its_user_is_no_factor() {
    let world = World::new().await;
    let (_, mut device) = world.with_passkey().await;
    device.recognises = false;
    is_refused(world.sign_in_with(&mut device).await);
    let who = world.at_a_page().await;
    is_refused(world.give_as_factor(&who, &mut device).await);
    // Neither is it added.
    device.recognises = true;
    let page = world.sign_in_with(&mut device).await.unwrap();
    let who = world.seen(&page).await.unwrap();
    let mut careless = Device::new(b"careless");
    careless.recognises = false;
    assert!(world.add(&who, &mut careless).await.is_err());
}

#[tokio::test]
async fn j5_a_passkey_is_its_owners_alone() {
    let world = World::new().await;
    let (ada, mut device) = world.with_passkey().await;
    let mut theirs = crate::testing::signed_in(&world.theirs);
    theirs.proven_at = world.core.now().micros();
    // Somebody else's handle on a passkey of Ada's.
    device.user = Some(theirs.user.id.uuid().as_bytes().to_vec());
    is_refused(world.sign_in_with(&mut device).await);
    device.user = None;
    is_refused(world.sign_in_with(&mut device).await);
    device.user = Some(ada.uuid().as_bytes().to_vec());

    // Ada's passkey as the factor of somebody else's login.
    let mut stranger = Device::new(b"of-another");
    world.add(&theirs, &mut stranger).await.unwrap();
    let asked = world.core.passkey_factor_request(&theirs, SITE).await.unwrap().unwrap();
    let response = device.sign(&asked.options);
    is_refused(world.core.passkey_factor(&theirs, &answer(&asked, &response), SITE).await);

    // A credential that Ada has is not added to another account, nor listed, renamed or removed.
    let mut copy = Device::new(b"credential-of-ada");
    theirs.factor = Some("webauthn".into());
    assert!(world.add(&theirs, &mut copy).await.is_err());
    let page = world.sign_in_with(&mut device).await.unwrap();
    let id = world.core.passkeys(&world.seen(&page).await.unwrap()).await.unwrap()[0].id;
    assert!(world.core.passkeys(&theirs).await.unwrap().iter().all(|held| held.id != id));
    assert!(world.core.rename_passkey(&theirs, id, "mine").await.is_err());
    assert!(world.core.remove_passkey(&theirs, id).await.is_err());
    // Another key under the same name signs nothing.
    copy.user = device.user.clone();
    copy.counter = 1_000;
    is_refused(world.sign_in_with(&mut copy).await);
}

#[tokio::test]
async fn h5_a_password_alone_neither_adds_nor_removes_a_passkey_beside_another() {
    let world = World::new().await;
    let (_, mut device) = world.with_passkey().await;
    let who = world.at_a_page().await;
    let mut another = Device::new(b"another");
    let error = refused(world.add(&who, &mut another).await);
    assert!(error.to_string().contains("second factor"), "{error}");
    let id = world.core.passkeys(&who).await.unwrap()[0].id;
    assert!(world.core.remove_passkey(&who, id).await.is_err());
    assert!(world.core.register_totp(&who).await.is_err(), "nor an app");

    let page = world.give_as_factor(&who, &mut device).await.unwrap();
    let who = world.seen(&page).await.unwrap();
    world.add(&who, &mut another).await.unwrap();
    world.core.rename_passkey(&who, id, "Old phone").await.unwrap();
    world.clock.advance(601);
    assert!(world.core.remove_passkey(&who, id).await.is_err(), "some time ago");
    let page = world.give_as_factor(&who, &mut another).await.unwrap();
    let who = world.seen(&page).await.unwrap();
    world.core.remove_passkey(&who, id).await.unwrap();
    is_refused(world.sign_in_with(&mut device).await);
    world.sign_in_with(&mut another).await.unwrap();
}

#[tokio::test]
async fn whoever_asks_for_passkeys_has_one_and_asks_no_more_without() {
    let world = World::new().await;
    world.ada().await;
    let who = world.at_a_page().await;
    let ask =
        UpdateMfa { is_mfa_enabled: Some(true), selected_mfa_method: Some("webauthn".into()) };
    assert!(world.core.update_mfa(&who, &ask).await.is_err(), "without one");
    let mut device = Device::new(b"one");
    world.add(&who, &mut device).await.unwrap();
    let page = world.sign_in_with(&mut device).await.unwrap();
    let who = world.seen(&page).await.unwrap();
    world.core.update_mfa(&who, &ask).await.unwrap();
    let by_password = world.at_a_page().await;
    let ours = world.ours.organization;
    assert_eq!(world.core.page_place(&by_password, ours).await.unwrap().owed, Some("webauthn"));
    // On a terminal there is no way to give it, and the answer says where there is.
    let login = world.log_in().await;
    let owed = world.owe(&login).await;
    assert_eq!(owed.mfa_method.as_deref(), Some("webauthn"));
    let pending = world.core.authenticate_pending(&owed.token, from(HOME)).await.unwrap();
    assert!(world.core.pending_has_passkeys(&pending).await.unwrap());
    let code = kms_api::auth::user::VerifyRecoveryCode { recovery_code: "abcdefgh".into() };
    let error = refused(world.core.verify_recovery_code(&pending, &code).await);
    assert!(error.to_string().contains("`kms login`"), "{error}");

    let id = world.core.passkeys(&who).await.unwrap()[0].id;
    world.core.remove_passkey(&who, id).await.unwrap();
    let by_password = world.at_a_page().await;
    assert_eq!(world.core.page_place(&by_password, ours).await.unwrap().owed, None);
}

#[tokio::test]
async fn k8_a_passkey_edited_in_the_database_is_noticed() {
    let world = World::new().await;
    let (_, mut device) = world.with_passkey().await;
    world.sign_in_with(&mut device).await.unwrap();
    // Back to an older counter, as a copied device would like it.
    let sql =
        "UPDATE passkeys SET credential = REPLACE(credential, '\"counter\":2', '\"counter\":0')";
    assert_eq!(world.tamper(sql).await, 1);
    let error = refused(world.sign_in_with(&mut device).await);
    assert!(matches!(error, Error::Internal(_)), "{error}");
}

#[test]
fn passkeys_need_a_name_and_a_page_that_browsers_trust() {
    for works in
        ["https://kms.example.test", "https://kms.example.test:8443", "http://localhost:8080"]
    {
        assert!(Core::passkeys_work(works), "{works}");
    }
    for not in [
        "http://kms.example.test",
        "https://192.0.2.1",
        "http://127.0.0.1:8080",
        "https://[::1]",
        "",
    ] {
        assert!(!Core::passkeys_work(not), "{not}");
    }
}
