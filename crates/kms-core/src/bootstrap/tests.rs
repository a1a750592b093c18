use std::{collections::HashSet, sync::Arc};

use kms_api::admin::{AdminSignUp, AdminSignUpResponse, Bootstrap};
use secrecy::{ExposeSecret as _, SecretString};

use super::Installer;
use crate::{Actor, Core, Error, Origin, Result, testing::empty};

const PASSWORD: &str = "a long enough password";

fn asked(password: &str, setup_token: Option<SecretString>) -> Bootstrap {
    Bootstrap {
        email: " Ada@Example.TEST ".into(),
        password: password.into(),
        organization: "Acme 1".into(),
        setup_token,
    }
}

fn signing_up(setup_token: Option<SecretString>) -> AdminSignUp {
    AdminSignUp {
        email: "ada@example.test".into(),
        password: PASSWORD.into(),
        first_name: "Ada".into(),
        last_name: Some(String::new()),
        setup_token,
    }
}

fn local() -> Installer {
    Installer { local: true, ..Installer::default() }
}

async fn token(core: &Core) -> SecretString {
    core.setup_token().await.unwrap().expect("the instance is not set up")
}

fn is_set_up<T: std::fmt::Debug>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::BadRequest { message, .. })
        if message == "Instance has already been set up")
}

async fn is_initialized(core: &Core) -> bool {
    core.instance_config().await.unwrap().config.initialized
}

#[tokio::test]
async fn bootstrap_makes_an_administrator_an_organization_and_an_identity_that_works() {
    let (core, _store, _clock, _directory) = empty().await;
    assert!(!is_initialized(&core).await);
    let made = core.bootstrap(&asked(PASSWORD, None), &local()).await.unwrap();
    assert!(is_initialized(&core).await);
    assert_eq!(made.message, "Successfully bootstrapped instance");
    assert_eq!((made.user.username.as_str(), made.user.super_admin), ("ada@example.test", true));
    assert_eq!(made.user.email, "ada@example.test");
    assert_eq!(made.organization.name, "Acme 1");
    let bearer = &made.identity.credentials.token;
    let caller = core.authenticate(bearer, Origin::default()).await.unwrap();
    assert_eq!(caller.organization, made.organization.id);
    assert!(caller.instance_admin);
    assert!(matches!(caller.actor, Actor::Identity(actor) if actor.id == made.identity.id));
    let caller = core.authenticate(bearer, Origin::default()).await.unwrap();
    let project = serde_json::from_value(serde_json::json!({"projectName": "first"})).unwrap();
    core.create_project(&caller, &project).await.unwrap();
}

#[tokio::test]
async fn sign_up_makes_an_administrator_who_is_logged_in() {
    let (core, _store, _clock, _directory) = empty().await;
    let body = signing_up(Some(token(&core).await));
    let made = core.admin_sign_up(&body, &Installer::default()).await.unwrap();
    let made: AdminSignUpResponse = made.answer;
    assert_eq!((made.organization.name.as_str(), made.user.super_admin), ("Admin Org", true));
    assert_eq!(made.user.last_name, None);
    assert_eq!(made.token, made.new);
    let caller = core.authenticate(&made.token, Origin::default()).await.unwrap();
    assert_eq!(caller.organization, made.organization.id);
    assert!(caller.instance_admin);
    let list =
        core.list_organizations(&crate::testing::signed_in(&caller)).await.unwrap().organizations;
    assert_eq!(list[0].user_role.as_deref(), Some("admin"));
}

#[tokio::test]
async fn h12_the_set_up_token_is_needed_unless_on_the_same_machine_and_never_for_sign_up() {
    let (core, _store, _clock, _directory) = empty().await;
    let old = token(&core).await;
    let right = token(&core).await;
    let mut wrong: Vec<Option<SecretString>> = vec![None, Some("".into()), Some(old)];
    wrong.push(Some(format!("{}0", right.expose_secret()).into()));
    wrong.push(Some(right.expose_secret().to_uppercase().into()));
    for given in wrong {
        let beside = Installer { setup_token: given.clone(), ..Installer::default() };
        for (in_body, installer) in
            [(given.clone(), Installer::default()), (None, beside), (given, local())]
        {
            let refused =
                core.admin_sign_up(&signing_up(in_body.clone()), &installer).await.map(|_| ());
            assert!(matches!(refused, Err(Error::Forbidden { .. })));
            if !installer.local {
                let refused = core.bootstrap(&asked(PASSWORD, in_body), &installer).await;
                assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
            }
        }
    }
    assert!(!is_initialized(&core).await);
    let beside = Installer { setup_token: Some(right), ..Installer::default() };
    core.bootstrap(&asked(PASSWORD, None), &beside).await.unwrap();
}

#[tokio::test]
async fn h12_an_instance_is_set_up_once_and_its_token_dies_with_it() {
    let (core, _store, _clock, _directory) = empty().await;
    let right = token(&core).await;
    core.bootstrap(&asked(PASSWORD, Some(right.clone())), &Installer::default()).await.unwrap();
    let again = core.bootstrap(&asked(PASSWORD, Some(right.clone())), &local()).await;
    assert!(is_set_up(&again), "{again:?}");
    let again =
        core.admin_sign_up(&signing_up(Some(right)), &Installer::default()).await.map(|_| ());
    assert!(is_set_up(&again));
    assert!(core.setup_token().await.unwrap().is_none(), "there is nothing to set up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn h12_of_a_hundred_parallel_bootstraps_exactly_one_succeeds() {
    let (core, store, _clock, _directory) = empty().await;
    let core = Arc::new(core);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let core = Arc::clone(&core);
        tasks.spawn(async move { core.bootstrap(&asked(PASSWORD, None), &local()).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for refused in results.iter().filter(|result| result.is_err()) {
        let sent_away = matches!(refused, Err(Error::RateLimited { .. }));
        assert!(sent_away || is_set_up(refused), "{refused:?}");
    }
    for table in ["users", "organizations", "identities"] {
        use kms_store::Source as _;
        let sql = match table {
            "users" => "SELECT COUNT(*) FROM users",
            "organizations" => "SELECT COUNT(*) FROM organizations",
            _ => "SELECT COUNT(*) FROM identities",
        };
        assert_eq!(store.fetch_all::<(i64,)>(sql, ()).await.unwrap()[0].0, 1, "{table}");
    }
}

#[tokio::test]
async fn bodies_outside_the_rules_are_refused_by_field_and_leave_the_instance_open() {
    let (core, _store, _clock, _directory) = empty().await;
    let email = |email: &str| Bootstrap { email: email.into(), ..asked(PASSWORD, None) };
    let organization =
        |name: &str| Bootstrap { organization: name.into(), ..asked(PASSWORD, None) };
    for (body, field) in [
        (email("not an address"), "email"),
        (email(""), "email"),
        (organization(""), "organization"),
        (organization("a/b"), "organization"),
        (asked("", None), "password"),
        (asked("1234567", None), "password"),
        (asked("12345678", None), "password"),
        (asked(&"x".repeat(257), None), "password"),
    ] {
        let refused = core.bootstrap(&body, &local()).await;
        let Err(Error::Validation(issues)) = refused else { panic!("{field}: {refused:?}") };
        assert_eq!(issues[0].path, [field]);
    }
    assert!(!is_initialized(&core).await);
    core.bootstrap(&asked("8 chars!", None), &local()).await.unwrap();
}

#[tokio::test]
async fn k8_neither_password_nor_tokens_can_be_read_from_the_database() {
    let (core, store, _clock, directory) = empty().await;
    let right = token(&core).await;
    let body = asked(PASSWORD, Some(right.clone()));
    let made = core.bootstrap(&body, &Installer::default()).await.unwrap();
    core.close().await;
    drop((core, store));
    let bearer = made.identity.credentials.token;
    let canaries = [PASSWORD, right.expose_secret(), &bearer];
    let mut files = HashSet::new();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for canary in canaries {
            let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "{}", path.display());
        }
        files.insert(path);
    }
    assert!(!files.is_empty());
}
