//! References, imports, folders below, and what else a request of the crate can say.

use infisical::{
    InfisicalError,
    secrets::{
        CreateSecretRequest, GetSecretRequest, ListSecretsRequest, Secret, UpdateSecretRequest,
    },
};
use kms_conformance_rust::Place;

async fn put(place: &Place, path: &str, name: &str, value: &str) {
    let request =
        CreateSecretRequest::builder(name, value, &place.project, "dev").path(path).build();
    place.client.secrets().create(request).await.expect("is made");
}

async fn get(place: &Place, name: &str, expand: bool) -> Result<Secret, InfisicalError> {
    let request = GetSecretRequest::builder(name, &place.project, "dev")
        .path(&place.path)
        .expand_secret_references(expand)
        .build();
    place.client.secrets().get(request).await
}

/// Names and values as the crate gives them, sorted.
async fn list(place: &Place, request: ListSecretsRequest) -> Vec<(String, String)> {
    let listed = place.client.secrets().list(request).await.expect("a list");
    let mut pairs: Vec<_> =
        listed.into_iter().map(|secret| (secret.secret_key, secret.secret_value)).collect();
    pairs.sort();
    pairs
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn references_are_expanded_unless_told_otherwise() {
    let place = Place::new().await;
    put(&place, &place.path, "HOST", "db").await;
    put(&place, &place.path, "URL", "pg://${HOST}/${HOST}").await;
    for (expand, expected) in [(true, "pg://db/db"), (false, "pg://${HOST}/${HOST}")] {
        assert_eq!(get(&place, "URL", expand).await.unwrap().secret_value, expected);
        let request = ListSecretsRequest::builder(&place.project, "dev")
            .path(&place.path)
            .expand_secret_references(expand)
            .build();
        assert_eq!(list(&place, request).await, pairs(&[("HOST", "db"), ("URL", expected)]));
    }
    let unsaid = ListSecretsRequest::builder(&place.project, "dev").path(&place.path).build();
    assert_eq!(list(&place, unsaid).await, pairs(&[("HOST", "db"), ("URL", "pg://db/db")]));
}

#[tokio::test]
async fn references_reach_other_folders_and_follow_a_new_name() {
    let place = Place::new().await;
    let inner = place.folder("inner").await;
    let dotted = |name: &str| format!("${{dev.{}.{name}}}", inner[1..].replace('/', "."));
    put(&place, &inner, "A", "a").await;
    put(&place, &place.path, "TOP", &format!("<{}>", dotted("A"))).await;
    assert_eq!(get(&place, "TOP", true).await.unwrap().secret_value, "<a>");
    let request = UpdateSecretRequest::builder("A", &place.project, "dev")
        .path(&inner)
        .new_secret_name("Z")
        .build();
    place.client.secrets().update(request).await.unwrap();
    assert_eq!(get(&place, "TOP", true).await.unwrap().secret_value, "<a>");
    let raw = get(&place, "TOP", false).await.unwrap().secret_value;
    assert_eq!(raw, format!("<{}>", dotted("Z")));
}

#[tokio::test]
async fn imports_come_along_and_own_secrets_win() {
    let place = Place::new().await;
    let (first, second) = (place.folder("first").await, place.folder("second").await);
    put(&place, &place.path, "BOTH", "own").await;
    for (path, name, value) in [
        (&first, "BOTH", "first"),
        (&first, "A", "first"),
        (&second, "A", "second"),
        (&second, "B", "${A}!"),
    ] {
        put(&place, path, name, value).await;
    }
    for source in [&first, &second] {
        place.import(source).await;
    }
    let request = ListSecretsRequest::builder(&place.project, "dev").path(&place.path).build();
    // This crate keeps what two imports have of one name.
    let expected = [("A", "first"), ("A", "second"), ("B", "second!"), ("BOTH", "own")];
    assert_eq!(list(&place, request).await, pairs(&expected));
    // One secret is the server's to find: the last import wins.
    for (name, value) in [("BOTH", "own"), ("A", "second"), ("B", "second!")] {
        assert_eq!(get(&place, name, true).await.unwrap().secret_value, value);
    }
    let missing = get(&place, "NONE", true).await;
    assert!(matches!(missing, Err(InfisicalError::HttpError { status, .. }) if status == 404));
}

#[tokio::test]
async fn folders_below_are_listed_on_request() {
    let place = Place::new().await;
    let inner = place.folder("inner").await;
    put(&place, &place.path, "OUTER", "1").await;
    put(&place, &inner, "INNER", "2").await;
    for (recursive, expected) in
        [(false, vec![("OUTER", "1")]), (true, vec![("INNER", "2"), ("OUTER", "1")])]
    {
        let request = ListSecretsRequest::builder(&place.project, "dev")
            .path(&place.path)
            .recursive(recursive)
            .build();
        assert_eq!(list(&place, request).await, pairs(&expected));
    }
}

#[tokio::test]
async fn a_list_can_fill_the_environment_of_the_process() {
    let place = Place::new().await;
    let name = format!("CONFORMANCE_{}", std::process::id());
    put(&place, &place.path, &name, "from the server").await;
    assert!(std::env::var(&name).is_err());
    let request = ListSecretsRequest::builder(&place.project, "dev")
        .path(&place.path)
        .attach_to_process_env(true)
        .build();
    assert_eq!(list(&place, request).await.len(), 1);
    assert_eq!(std::env::var(&name).as_deref(), Ok("from the server"));
}

#[tokio::test]
async fn a_comment_changes_without_the_value() {
    let place = Place::new().await;
    put(&place, &place.path, "KEY", "one").await;
    let request = UpdateSecretRequest::builder("KEY", &place.project, "dev")
        .path(&place.path)
        .secret_comment("why")
        .skip_multiline_encoding(true)
        .build();
    let changed = place.client.secrets().update(request).await.unwrap();
    assert_eq!((changed.version, changed.secret_comment.as_str()), (2, "why"));
    let read = get(&place, "KEY", true).await.unwrap();
    assert_eq!((read.secret_value.as_str(), read.secret_comment.as_str()), ("one", "why"));
}

#[tokio::test]
async fn a_machine_has_no_overrides() {
    let place = Place::new().await;
    put(&place, &place.path, "KEY", "shared").await;
    let request = CreateSecretRequest::builder("KEY", "mine", &place.project, "dev")
        .path(&place.path)
        .r#type("personal")
        .build();
    let refused = place.client.secrets().create(request).await;
    assert!(matches!(refused, Err(InfisicalError::HttpError { status, .. }) if status == 400));
    let request = GetSecretRequest::builder("KEY", &place.project, "dev")
        .path(&place.path)
        .r#type("personal")
        .build();
    let missing = place.client.secrets().get(request).await;
    assert!(matches!(missing, Err(InfisicalError::HttpError { status, .. }) if status == 404));
    assert_eq!(get(&place, "KEY", true).await.unwrap().secret_value, "shared");
}
