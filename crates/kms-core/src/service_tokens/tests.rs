use std::sync::Arc;

use kms_api::{
    ProjectId,
    folders::{FolderPlace, ListFoldersQuery},
    secrets::{GetSecretQuery, ListSecretsQuery, ProjectRef},
    service_tokens::{CreateServiceToken, Permission, Scope},
};
use kms_store::{Source as _, identities::CountRow};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::{
    Actor, Caller, Error, Origin, Result,
    access::{Action, Subject},
    testbed::Bed,
    testing::machines::{from, unauthorized},
};

fn body(bed: &Bed, scopes: &[(&str, &str)], permissions: &[Permission]) -> CreateServiceToken {
    let scope = |(environment, path): &(&str, &str)| Scope {
        environment: (*environment).into(),
        secret_path: (*path).into(),
    };
    CreateServiceToken {
        name: "ci".into(),
        workspace_id: bed.project.to_string(),
        scopes: scopes.iter().map(scope).collect(),
        permissions: permissions.to_vec(),
        ..CreateServiceToken::default()
    }
}

const BOTH: [Permission; 2] = [Permission::Read, Permission::Write];

async fn token(bed: &Bed, scopes: &[(&str, &str)], permissions: &[Permission]) -> String {
    let made = bed.core.create_service_token(&bed.admin, &body(bed, scopes, permissions)).await;
    made.unwrap().service_token.expose_secret().to_owned()
}

async fn shown(bed: &Bed, token: &str) -> Result<Caller> {
    bed.core.authenticate(token, from("192.0.2.10")).await
}

async fn caller(bed: &Bed, scopes: &[(&str, &str)], permissions: &[Permission]) -> Caller {
    let token = token(bed, scopes, permissions).await;
    shown(bed, &token).await.unwrap()
}

#[tokio::test]
async fn a_token_is_shown_in_three_parts_or_four_and_reaches_its_folder() {
    let bed = Bed::new().await;
    bed.create("/", "A", "one").await;
    let token = token(&bed, &[("dev", "/")], &BOTH).await;
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!((parts.len(), parts[0], parts[2].len()), (3, "st", 64));
    for spelled in [token.clone(), format!("{token}.0123"), format!("{token}.")] {
        let caller = shown(&bed, &spelled).await.unwrap();
        let secret = bed.get_as(&caller, "A", &bed.one("/")).await.unwrap();
        assert_eq!(secret.secret_value.expose(), "one");
    }
    let caller = shown(&bed, &token).await.unwrap();
    assert_eq!(caller.actor.kind(), "service");
    let made = bed.create_as(&caller, "/", "B", "two").await.unwrap();
    let actor = made.actor.unwrap();
    assert_eq!(actor.actor_type.as_deref(), Some("service"));
    assert_eq!(actor.name.as_deref(), Some("ci"));
    let personal = GetSecretQuery { r#type: Some("personal".into()), ..bed.one("/") };
    assert!(bed.get_as(&caller, "A", &personal).await.is_ok(), "nothing is its own");
    let own = bed.core.own_service_token(&caller).await.unwrap();
    assert_eq!((own.id, own.workspace), (caller.actor.id().into(), Some(bed.project)));
    assert_eq!(own.scopes[0].secret_path, "/");
    assert_eq!(own.user.unwrap().email.unwrap(), "admin@ours.test");
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused_with_one_text() {
    let bed = Bed::new().await;
    let token = token(&bed, &[("dev", "/")], &BOTH).await;
    let other = self::token(&bed, &[("dev", "/")], &BOTH).await;
    let (id, secret) = token.strip_prefix("st.").unwrap().split_once('.').unwrap();
    let foreign = other.rsplit('.').next().unwrap();
    let flipped = if secret.starts_with('0') { "1" } else { "0" };
    for wrong in [
        format!("st.{id}.{flipped}{}", &secret[1..]),
        format!("st.{id}.{foreign}"),
        format!("st.{id}."),
        format!("st.{id}"),
        format!("st.{}.{secret}", uuid::Uuid::nil()),
        format!("st.nonsense.{secret}"),
        format!("st.{id}.{secret}.x.y"),
        format!("st..{id}.{secret}"),
        "st.".into(),
    ] {
        assert_eq!(unauthorized(shown(&bed, &wrong).await), "Invalid service token", "{wrong}");
    }
    assert!(shown(&bed, &token).await.is_ok());
}

#[tokio::test]
async fn j11_a_token_that_was_deleted_or_has_ended_is_refused_at_once() {
    let bed = Bed::new().await;
    let mut ending = body(&bed, &[("dev", "/")], &BOTH);
    ending.expires_in = Some(60);
    let ending = bed.core.create_service_token(&bed.admin, &ending).await.unwrap();
    let ending = ending.service_token.expose_secret().to_owned();
    let lasting = token(&bed, &[("dev", "/")], &BOTH).await;
    for token in [&ending, &lasting] {
        shown(&bed, token).await.unwrap();
    }
    bed.clock.advance(60);
    assert_eq!(unauthorized(shown(&bed, &ending).await), "Service token has expired");
    let caller = shown(&bed, &lasting).await.unwrap();
    let id = caller.actor.id().into();
    bed.core.delete_service_token(&bed.admin, id).await.unwrap();
    assert_eq!(unauthorized(shown(&bed, &lasting).await), "Invalid service token");
    let again = bed.core.delete_service_token(&bed.admin, id).await;
    assert!(matches!(again, Err(Error::NotFound(_))), "{again:?}");
    bed.core.delete_project(&bed.admin, bed.project).await.unwrap();
    assert_eq!(unauthorized(shown(&bed, &ending).await), "Invalid service token");
}

#[tokio::test]
async fn one_query_finds_a_token_and_none_while_nothing_changes() {
    let bed = Bed::new().await;
    let token = token(&bed, &[("dev", "/")], &BOTH).await;
    let known = |caller: &Caller| match &caller.actor {
        Actor::Service(service) => Arc::as_ptr(&service.rules),
        other => panic!("{other:?}"),
    };
    let first = shown(&bed, &token).await.unwrap();
    let again = shown(&bed, &token).await.unwrap();
    assert_eq!(known(&first), known(&again), "remembered");
    bed.core.epochs.raise_rights();
    let later = shown(&bed, &token).await.unwrap();
    assert_ne!(known(&first), known(&later), "looked up again");
}

#[tokio::test]
async fn when_a_token_was_used_is_noted_now_and_then() {
    let bed = Bed::new().await;
    let token = token(&bed, &[("dev", "/")], &BOTH).await;
    let used = async || {
        let listed = bed.core.list_service_tokens(&bed.admin, bed.project).await.unwrap();
        listed.service_token_data[0].last_used
    };
    assert_eq!(used().await, None);
    let start = bed.core.now();
    for (seconds, noted) in [(0, 0), (599, 0), (1, 600), (5, 600)] {
        bed.clock.advance(seconds);
        shown(&bed, &token).await.unwrap();
        assert_eq!(used().await, Some(start.plus_seconds(noted)), "{seconds}");
    }
}

#[tokio::test]
async fn a_token_reaches_no_other_folder_environment_or_project() {
    let bed = Bed::new().await;
    bed.folder("/app").await;
    bed.folder("/app/db").await;
    bed.create("/", "ROOT", "x").await;
    bed.create("/app", "APP", "x").await;
    bed.create("/app/db", "DB", "x").await;
    let caller = caller(&bed, &[("dev", "/app/**")], &[Permission::Read]).await;
    let names = |secrets: Vec<kms_api::secrets::Secret>| {
        secrets.into_iter().map(|secret| secret.secret_key).collect::<Vec<_>>()
    };
    let below = bed.list_as(&caller, &bed.all("/app", true)).await.unwrap();
    assert_eq!(names(below), ["APP", "DB"]);
    let all = bed.list_as(&caller, &bed.all("/", true)).await.unwrap();
    assert_eq!(names(all), ["APP", "DB"], "T3: no name outside of the scope");
    let root = bed.get_as(&caller, "ROOT", &bed.one("/")).await;
    assert!(matches!(root, Err(Error::PermissionDenied { .. })), "{root:?}");
    let prod = ListSecretsQuery { environment: Some("prod".into()), ..bed.all("/app", false) };
    assert!(bed.list_as(&caller, &prod).await.is_err());
    let write = bed.create_as(&caller, "/app", "NEW", "x").await;
    assert!(matches!(write, Err(Error::PermissionDenied { .. })), "{write:?}");
    let elsewhere = |project: ProjectId| ListSecretsQuery {
        project: ProjectRef::id(project),
        ..bed.all("/app", false)
    };
    let other: ProjectId = {
        let body = serde_json::from_value(json!({ "projectName": "other" })).unwrap();
        bed.core.create_project(&bed.admin, &body).await.unwrap().project.id
    };
    let absent: ProjectId = bed.core.new_id();
    let text = async |project: ProjectId| match bed.list_as(&caller, &elsewhere(project)).await {
        Err(Error::NotFound(text)) => text.replace(&project.to_string(), "ID"),
        other => panic!("{other:?}"),
    };
    assert_eq!(text(other).await, text(absent).await, "T1");
}

#[tokio::test]
async fn a_token_of_one_folder_fills_in_what_a_read_leaves_out() {
    let bed = Bed::new().await;
    bed.folder("/app").await;
    bed.create("/app", "APP", "x").await;
    let one = caller(&bed, &[("dev", "/app")], &[Permission::Read]).await;
    let nothing = ListSecretsQuery::default();
    assert_eq!(bed.list_as(&one, &nothing).await.unwrap().len(), 1);
    let get = bed.get_as(&one, "APP", &GetSecretQuery::default()).await.unwrap();
    assert_eq!(get.secret_path.as_deref(), Some("/app"));
    let named = ListSecretsQuery { environment: Some("dev".into()), ..nothing.clone() };
    assert_eq!(bed.list_as(&one, &named).await.unwrap().len(), 1);
    // What else is named means nothing: older clients always name something.
    let other = ListSecretsQuery {
        project: ProjectRef::id(uuid::Uuid::nil()),
        environment: Some("prod".into()),
        secret_path: Some("/".into()),
        ..nothing.clone()
    };
    assert_eq!(bed.list_as(&one, &other).await.unwrap().len(), 1);
    for scopes in [&[("dev", "/app"), ("prod", "/")][..], &[("dev", "/app/**")]] {
        let several = caller(&bed, scopes, &[Permission::Read]).await;
        let refused = bed.list_as(&several, &nothing).await;
        assert!(matches!(refused, Err(Error::BadRequest { .. })), "{refused:?}");
    }
    let person = bed.list_as(&bed.admin, &nothing).await;
    assert!(matches!(person, Err(Error::BadRequest { .. })), "{person:?}");
}

#[tokio::test]
async fn folders_follow_the_scope_too() {
    let bed = Bed::new().await;
    bed.folder("/app").await;
    bed.folder("/app/db").await;
    let caller = caller(&bed, &[("dev", "/app")], &[Permission::Read]).await;
    let list = async |path: &str| {
        let place = FolderPlace {
            project: bed.reference(),
            environment: Some("dev".into()),
            path: Some(path.into()),
            directory: None,
        };
        let query = ListFoldersQuery { place, ..ListFoldersQuery::default() };
        bed.core.list_folders(&caller, &query).await
    };
    assert_eq!(list("/app").await.unwrap().folders[0].name, "db");
    assert!(matches!(list("/").await, Err(Error::PermissionDenied { .. })));
}

#[tokio::test]
async fn t4_nobody_makes_a_token_that_reaches_further_than_they() {
    let bed = Bed::new().await;
    let world = bed.core.clone();
    let limited = {
        // A person with rules of their own: a machine's rules under a person's name.
        let machine = bed
            .machine(json!([
                {"subject": "service-tokens", "action": ["create", "read", "delete"]},
                {"subject": "secrets", "action": "read", "conditions": {"environment": "dev"}},
                {"subject": "secret-folders", "action": "read",
                    "conditions": {"environment": "dev"}},
                {"subject": "secret-imports", "action": "read",
                    "conditions": {"environment": "dev"}},
            ]))
            .await;
        let access = world.project_access(&machine, bed.project).await.unwrap();
        let person = crate::testing::administrator(&world, "limited").await;
        let person = Caller { organization: bed.admin.organization, ..person };
        let key = (person.actor.id(), bed.project, person.organization, uuid::Uuid::nil());
        world.access_memory.insert(key, (world.epochs.rights(), i64::MAX, access));
        person
    };
    let make = async |scopes: &[(&str, &str)], permissions: &[Permission]| {
        // Whatever changes rights forgets the rules that were slipped in.
        bed.core.create_service_token(&limited, &body(&bed, scopes, permissions)).await
    };
    make(&[("dev", "/app/**")], &[Permission::Read]).await.unwrap();
    for (scopes, permissions) in [
        (&[("prod", "/")][..], &[Permission::Read][..]),
        (&[("dev", "/"), ("prod", "/")], &[Permission::Read]),
        (&[("dev", "/")], &[Permission::Write]),
        (&[("dev", "/")], &BOTH),
    ] {
        let refused = make(scopes, permissions).await;
        assert!(matches!(refused, Err(Error::PermissionBoundary { .. })), "{scopes:?}");
    }
    let machine = bed.machine(json!([{"subject": "service-tokens", "action": ["create"]}])).await;
    let refused =
        bed.core.create_service_token(&machine, &body(&bed, &[("dev", "/")], &BOTH)).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })), "people alone make tokens");
}

#[tokio::test]
async fn what_a_token_is_good_for_is_checked_when_it_is_made() {
    let bed = Bed::new().await;
    let read = &[Permission::Read][..];
    let make =
        async |body: CreateServiceToken| bed.core.create_service_token(&bed.admin, &body).await;
    for scopes in [
        &[][..],
        &[("dev", "//")],
        &[("dev", "/a b")],
        &[("dev", "app/**")],
        &[("dev", "/{{identity.id}}/**")],
        &[("dev", "/{1..3}")],
        &[("de v", "/")],
    ] {
        let refused = make(body(&bed, scopes, read)).await;
        assert!(matches!(refused, Err(Error::Validation(_))), "{scopes:?} {:?}", refused.err());
    }
    let unknown = make(body(&bed, &[("nowhere", "/")], read)).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))));
    for seconds in [-1, i64::MAX] {
        let mut body = body(&bed, &[("dev", "/")], read);
        body.expires_in = Some(seconds);
        assert!(matches!(make(body).await, Err(Error::Validation(_))), "{seconds}");
    }
    assert!(matches!(make(body(&bed, &[("dev", "/")], &[])).await, Err(Error::Validation(_))));
    let mut nameless = body(&bed, &[("dev", "/")], read);
    nameless.name = " ".into();
    assert!(matches!(make(nameless).await, Err(Error::Validation(_))));
    let token = make(body(&bed, &[("dev", "app/"), ("dev", "/app")], &[BOTH[1], BOTH[0], BOTH[0]]));
    let token = token.await.unwrap().service_token_data;
    assert_eq!((token.scopes.len(), token.scopes[0].secret_path.as_str()), (1, "/app"));
    assert_eq!(token.permissions, BOTH);
}

#[tokio::test]
async fn t1_a_token_of_another_organization_is_one_that_does_not_exist() {
    let bed = Bed::new().await;
    let token = token(&bed, &[("dev", "/")], &BOTH).await;
    let id = shown(&bed, &token).await.unwrap().actor.id();
    let theirs = crate::testing::administrator(&bed.core, "theirs").await;
    let text = async |id: uuid::Uuid| match bed.core.delete_service_token(&theirs, id.into()).await
    {
        Err(Error::NotFound(text)) => text.replace(&id.to_string(), "ID"),
        other => panic!("{:?}", other.err()),
    };
    assert_eq!(text(id).await, text(uuid::Uuid::now_v7()).await);
    let listed = bed.core.list_service_tokens(&theirs, bed.project).await;
    assert!(matches!(listed, Err(Error::NotFound(_))));
    assert!(shown(&bed, &token).await.is_ok());
}

#[tokio::test]
async fn k8_a_token_edited_in_the_database_opens_nothing() {
    for edit in [
        "UPDATE service_tokens SET scopes = '[{\"environment\":\"prod\",\"secretPath\":\"/**\"}]'",
        "UPDATE service_tokens SET permissions = '[\"read\",\"write\"]'",
        "UPDATE service_tokens SET expires_at = NULL",
        "UPDATE service_tokens SET expires_at = expires_at + 1",
        "UPDATE service_tokens SET secret_hash = X'00'",
        "UPDATE service_tokens SET created_by = org_id",
        "UPDATE service_tokens SET org_id = project_id",
        "UPDATE service_tokens SET mac = X'00'",
    ] {
        let bed = Bed::new().await;
        let mut body = body(&bed, &[("dev", "/")], &[Permission::Read]);
        body.expires_in = Some(600);
        let made = bed.core.create_service_token(&bed.admin, &body).await.unwrap();
        let token = made.service_token.expose_secret();
        shown(&bed, token).await.unwrap();
        bed.run(edit, ()).await;
        bed.core.epochs.raise_rights();
        let used = shown(&bed, token).await;
        assert!(matches!(used, Err(Error::Internal(_))), "{edit}: {:?}", used.err());
    }
}

#[tokio::test]
async fn everything_about_a_token_is_recorded_and_nothing_secret() {
    let bed = Bed::new().await;
    bed.create("/", "A", "one").await;
    let token = token(&bed, &[("dev", "/")], &BOTH).await;
    let caller = bed.core.authenticate(&token, Origin::default()).await.unwrap();
    bed.get_as(&caller, "A", &bed.one("/")).await.unwrap();
    bed.core.delete_service_token(&bed.admin, caller.actor.id().into()).await.unwrap();
    bed.core.read_log.flush().await;
    let count = async |sql: &'static str| {
        let row: Option<CountRow> = bed.core.store.fetch_optional(sql, ()).await.unwrap();
        row.unwrap().count
    };
    for (sql, expected) in [
        ("SELECT COUNT(*) FROM audit_logs WHERE event_type = 'create-service-token'", 1),
        ("SELECT COUNT(*) FROM audit_logs WHERE event_type = 'delete-service-token'", 1),
        (
            "SELECT COUNT(*) FROM audit_logs WHERE event_type = 'get-secret'
                AND actor_type = 'service' AND actor_metadata LIKE '%\"serviceId\"%'",
            1,
        ),
    ] {
        assert_eq!(count(sql).await, expected, "{sql}");
    }
    let secret = token.rsplit('.').next().unwrap();
    let dump = std::fs::read_dir(bed.directory.path()).unwrap().filter_map(|file| {
        let file = file.unwrap();
        file.file_type().unwrap().is_file().then(|| std::fs::read(file.path()).unwrap())
    });
    for file in dump {
        assert!(!file.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()));
    }
}

#[tokio::test]
async fn the_rules_of_a_token_speak_of_nothing_else() {
    let bed = Bed::new().await;
    let caller = caller(&bed, &[("dev", "/**")], &BOTH).await;
    let access = bed.core.project_access(&caller, bed.project).await.unwrap();
    for subject in Subject::ALL {
        let place =
            [Subject::Secrets, Subject::SecretFolders, Subject::SecretImports].contains(subject);
        for action in Action::ALL {
            assert!(place || !access.rules.allows_some(*action, *subject), "{subject:?}");
            assert!(!caller.rules.allows_some(*action, *subject), "nothing in the organization");
        }
    }
}
