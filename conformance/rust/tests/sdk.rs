//! Universal-auth login and everything the crate does with secrets.

use infisical::{
    AuthMethod, InfisicalError,
    secrets::{
        CreateSecretRequest, DeleteSecretRequest, GetSecretRequest, ListSecretsRequest, Secret,
        UpdateSecretRequest,
    },
};
use kms_conformance_rust::{Place, said, server, stranger};

fn status<T: std::fmt::Debug>(answer: Result<T, InfisicalError>) -> u16 {
    match answer {
        Err(InfisicalError::HttpError { status, .. }) => status.as_u16(),
        other => panic!("not an answer of the server's: {other:?}"),
    }
}

/// Shorthands for calls at one place.
struct At<'a>(&'a Place);

impl At<'_> {
    async fn create(&self, name: &str, value: &str) -> Result<Secret, InfisicalError> {
        let request = CreateSecretRequest::builder(name, value, &self.0.project, "dev")
            .path(&self.0.path)
            .secret_comment("why")
            .build();
        self.0.client.secrets().create(request).await
    }

    async fn get(&self, name: &str) -> Result<Secret, InfisicalError> {
        let request =
            GetSecretRequest::builder(name, &self.0.project, "dev").path(&self.0.path).build();
        self.0.client.secrets().get(request).await
    }

    async fn delete(&self, name: &str) -> Result<Secret, InfisicalError> {
        let request =
            DeleteSecretRequest::builder(name, &self.0.project, "dev").path(&self.0.path).build();
        self.0.client.secrets().delete(request).await
    }

    /// Names and values, sorted.
    async fn list(&self) -> Vec<(String, String)> {
        let request =
            ListSecretsRequest::builder(&self.0.project, "dev").path(&self.0.path).build();
        let listed = self.0.client.secrets().list(request).await.expect("a list");
        let mut pairs: Vec<_> =
            listed.into_iter().map(|secret| (secret.secret_key, secret.secret_value)).collect();
        pairs.sort();
        pairs
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let server = server();
    let mut client = stranger(&server).await;
    let id = said(&server, "/machineIdentity/clientId");
    let answer = client.login(AuthMethod::new_universal_auth(id, "0".repeat(64))).await;
    assert_eq!(status(answer), 401);
    assert!(!client.logged_in);
}

#[tokio::test]
async fn a_created_secret_is_described_in_full() {
    let place = Place::new().await;
    let at = At(&place);
    let made = at.create("URL", "postgres://db").await.unwrap();
    let read = at.get("URL").await.unwrap();
    for secret in [&made, &read] {
        assert_eq!(secret.id, made.id);
        assert_eq!(secret.project_id, place.project);
        assert_eq!((secret.version, secret.secret_type.as_str()), (1, "shared"));
        assert_eq!(secret.environment, "dev");
        assert_eq!(
            (secret.secret_key.as_str(), secret.secret_value.as_str()),
            ("URL", "postgres://db")
        );
        assert_eq!(secret.secret_comment, "why");
    }
}

#[tokio::test]
async fn a_list_holds_what_its_folder_holds() {
    let place = Place::new().await;
    let at = At(&place);
    assert!(at.list().await.is_empty());
    for name in ["B", "A"] {
        at.create(name, &format!("v-{name}")).await.unwrap();
    }
    assert_eq!(at.list().await, [pair("A", "v-A"), pair("B", "v-B")]);
}

#[tokio::test]
async fn an_update_makes_a_version_and_keeps_the_rest() {
    let place = Place::new().await;
    let at = At(&place);
    at.create("KEY", "one").await.unwrap();
    let request = UpdateSecretRequest::builder("KEY", &place.project, "dev")
        .path(&place.path)
        .secret_value("two")
        .build();
    let changed = place.client.secrets().update(request).await.unwrap();
    assert_eq!((changed.version, changed.secret_value.as_str()), (2, "two"));
    let read = at.get("KEY").await.unwrap();
    assert_eq!((read.version, read.secret_value.as_str()), (2, "two"));
    assert_eq!(read.secret_comment, "why");
}

#[tokio::test]
async fn a_renamed_secret_is_found_by_its_new_name_only() {
    let place = Place::new().await;
    let at = At(&place);
    at.create("OLD", "v").await.unwrap();
    let request = UpdateSecretRequest::builder("OLD", &place.project, "dev")
        .path(&place.path)
        .new_secret_name("NEW")
        .build();
    let renamed = place.client.secrets().update(request).await.unwrap();
    assert_eq!(renamed.secret_key, "NEW");
    assert_eq!(at.list().await, [pair("NEW", "v")]);
    assert_eq!(status(at.get("OLD").await), 404);
}

#[tokio::test]
async fn a_deleted_secret_is_gone() {
    let place = Place::new().await;
    let at = At(&place);
    let made = at.create("KEY", "v").await.unwrap();
    assert_eq!(at.delete("KEY").await.unwrap().id, made.id);
    assert_eq!(status(at.get("KEY").await), 404);
    assert_eq!(status(at.delete("KEY").await), 404);
    assert!(at.list().await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_its_status() {
    let place = Place::new().await;
    let at = At(&place);
    at.create("KEY", "v").await.unwrap();
    assert_eq!(status(at.create("KEY", "w").await), 400);
    let nowhere = ListSecretsRequest::builder(&place.project, "nowhere").build();
    assert_eq!(status(place.client.secrets().list(nowhere).await), 404);
    assert_eq!(at.list().await, [pair("KEY", "v")]);
}

#[tokio::test]
async fn a_value_comes_back_as_it_went_in() {
    let place = Place::new().await;
    let at = At(&place);
    for value in ["", "two\nlines\n", "\"q\" ' \\ $HOME", "žluťoučký 馬 🐎"] {
        at.create("KEY", value).await.unwrap();
        assert_eq!(at.get("KEY").await.unwrap().secret_value, value);
        assert_eq!(at.list().await, [pair("KEY", value)]);
        at.delete("KEY").await.unwrap();
    }
}
