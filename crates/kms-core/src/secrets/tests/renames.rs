use kms_api::{
    secrets::{BatchBody, UpdateSecret},
    wire::WireBool,
};
use serde_json::json;

use crate::testbed::Bed;

async fn rename(bed: &Bed, path: &str, old: &str, new: &str) {
    let mut secret = bed.body(path, "");
    secret.fields = serde_json::from_value(json!({})).unwrap();
    let body = UpdateSecret { secret, new_secret_name: Some(new.into()) };
    bed.core.update_secret(&bed.admin, old, &body).await.unwrap();
}

/// Everything in `dev` as it is stored, as `path:name=value@version`.
async fn stored(bed: &Bed) -> Vec<String> {
    let mut query = bed.all("/", true);
    query.expand_secret_references = Some(WireBool(false));
    let secrets = bed.list_as(&bed.admin, &query).await.unwrap();
    let line = |secret: kms_api::secrets::Secret| {
        let path = secret.secret_path.unwrap_or_default();
        let value = secret.secret_value.expose();
        format!("{path}:{}={value}@{}", secret.secret_key, secret.version)
    };
    secrets.into_iter().map(line).collect()
}

/// A value in the root folder as it is stored.
async fn value(bed: &Bed, name: &str) -> String {
    let mut query = bed.one("/");
    query.expand_secret_references = Some(WireBool(false));
    let secret = bed.get_as(&bed.admin, name, &query).await.unwrap();
    secret.secret_value.expose().to_owned()
}

#[tokio::test]
async fn references_follow_a_rename_everywhere_in_the_project() {
    let bed = Bed::new().await;
    bed.folder("/sub").await;
    bed.create("/sub", "OLD", "${OLD} itself").await;
    bed.create("/", "OLD", "another").await;
    bed.create("/sub", "LOCAL", "a ${OLD} b ${OLD}${OLDER} $${OLD}").await;
    bed.create("/", "FAR", "${dev.sub.OLD} ${OLD} ${dev.OLD} ${prod.sub.OLD}").await;
    bed.create("/", "NONE", "OLD {OLD} ${dev.sub.OLDER}").await;
    let mut body = bed.body("/", "${dev.sub.OLD}!");
    body.environment = Some("prod".into());
    bed.core.create_secret(&bed.admin, "PROD", &body).await.unwrap();
    rename(&bed, "/sub", "OLD", "NEW").await;
    assert_eq!(
        stored(&bed).await,
        [
            "/:FAR=${dev.sub.NEW} ${OLD} ${dev.OLD} ${prod.sub.OLD}@2",
            "/:NONE=OLD {OLD} ${dev.sub.OLDER}@1",
            "/:OLD=another@1",
            "/sub:LOCAL=a ${NEW} b ${NEW}${OLDER} $${NEW}@2",
            "/sub:NEW=${NEW} itself@2",
        ]
    );
    let mut query = bed.one("/");
    query.environment = Some("prod".into());
    query.expand_secret_references = Some(WireBool(false));
    let prod = bed.get_as(&bed.admin, "PROD", &query).await.unwrap();
    assert_eq!((prod.secret_value.expose(), prod.version), ("${dev.sub.NEW}!", 2));
}

#[tokio::test]
async fn a_name_that_no_reference_can_spell_is_not_followed() {
    let bed = Bed::new().await;
    bed.create("/", "A", "v").await;
    bed.create("/", "B", "${A} ${dev.A}").await;
    rename(&bed, "/", "A", "with space").await;
    assert_eq!(value(&bed, "B").await, "${A} ${dev.A}");
    rename(&bed, "/", "with space", "A").await;
    rename(&bed, "/", "A", "dot.ted").await;
    assert_eq!(value(&bed, "B").await, "${dot.ted} ${dev.A}", "a local name may have dots");
}

#[tokio::test]
async fn a_name_with_dots_that_is_there_is_not_taken_for_a_place() {
    let bed = Bed::new().await;
    bed.create("/", "KEY", "v").await;
    bed.create("/", "dev.KEY", "w").await;
    bed.create("/", "B", "${dev.KEY}").await;
    rename(&bed, "/", "KEY", "NEW").await;
    assert_eq!(value(&bed, "B").await, "${dev.KEY}");
}

#[tokio::test]
async fn references_follow_the_renames_of_a_batch_that_happen() {
    let bed = Bed::new().await;
    for (name, value) in [("A", "1"), ("B", "2"), ("USES", "${A} ${B} ${C}")] {
        bed.create("/", name, value).await;
    }
    let body: BatchBody = serde_json::from_value(json!({
        "projectId": bed.project, "environment": "dev", "mode": "ignore", "secrets": [
            { "secretKey": "A", "newSecretName": "A2", "secretValue": "${B}" },
            { "secretKey": "B", "newSecretName": "B2" },
            { "secretKey": "C", "newSecretName": "C2" },
        ],
    }))
    .unwrap();
    bed.core.update_secrets(&bed.admin, &body).await.unwrap();
    let expected = ["/:A2=${B}@2", "/:B2=2@2", "/:USES=${A2} ${B2} ${C}@2"];
    assert_eq!(stored(&bed).await, expected, "a value that is sent is kept as it is sent");
}

#[tokio::test]
async fn whoever_renames_need_not_be_allowed_to_edit_what_follows() {
    let bed = Bed::new().await;
    bed.create("/", "A", "v").await;
    bed.create("/", "B", "${A}").await;
    let caller = bed
        .machine(json!([{ "subject": "secrets", "action": ["read", "edit"],
            "conditions": { "secretName": { "$in": ["A", "A2"] } } }]))
        .await;
    let mut secret = bed.body("/", "");
    secret.fields = serde_json::from_value(json!({})).unwrap();
    let body = UpdateSecret { secret, new_secret_name: Some("A2".into()) };
    bed.core.update_secret(&caller, "A", &body).await.unwrap();
    assert_eq!(stored(&bed).await, ["/:A2=v@2", "/:B=${A2}@2"]);
}
