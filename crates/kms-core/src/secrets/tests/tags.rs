use kms_api::{
    TagId,
    secrets::{BatchBody, ListVersionsQuery, Secret, UpdateSecret},
    tags::{CreateTag, SecretTagsBody},
    wire::WireBool,
};
use serde_json::{Value, json};

use super::{
    imported::{import, imports_as},
    refused,
};
use crate::{Caller, Result, testbed::Bed};

/// Makes tags.
async fn tags<const N: usize>(bed: &Bed, slugs: [&str; N]) -> [TagId; N] {
    let mut ids = Vec::new();
    for slug in slugs {
        let body: CreateTag = serde_json::from_value(json!({ "slug": slug })).unwrap();
        ids.push(bed.core.create_tag(&bed.admin, bed.project, &body).await.unwrap().id);
    }
    ids.try_into().unwrap()
}

async fn create(bed: &Bed, caller: &Caller, name: &str, ids: &[TagId]) -> Result<Secret> {
    let mut body = bed.body("/", name);
    body.fields.tag_ids = Some(ids.to_vec());
    Ok(bed.core.create_secret(caller, name, &body).await?.secret)
}

async fn retag(bed: &Bed, caller: &Caller, name: &str, ids: &[TagId]) -> Result<Secret> {
    let mut secret = bed.body("/", "");
    secret.fields = serde_json::from_value(json!({ "tagIds": ids })).unwrap();
    let body = UpdateSecret { secret, new_secret_name: None };
    Ok(bed.core.update_secret(caller, name, &body).await?.secret)
}

fn slugs(secret: &Secret) -> Vec<&str> {
    secret.tags.as_ref().unwrap().iter().map(|tag| tag.slug.as_str()).collect()
}

async fn filtered(bed: &Bed, caller: &Caller, filter: &str) -> Result<Vec<String>> {
    let query = kms_api::secrets::ListSecretsQuery {
        tag_slugs: Some(filter.into()),
        ..bed.all("/", false)
    };
    let found = bed.list_as(caller, &query).await?;
    Ok(found.into_iter().map(|secret| secret.secret_key).collect())
}

#[tokio::test]
async fn tags_are_set_kept_replaced_and_taken_off() {
    let bed = Bed::new().await;
    let [a, b] = tags(&bed, ["a", "b"]).await;
    assert_eq!(slugs(&create(&bed, &bed.admin, "X", &[b, a, b]).await.unwrap()), ["a", "b"]);
    let changed = bed.update_as(&bed.admin, "/", "X", "v2").await.unwrap();
    assert_eq!(slugs(&changed), ["a", "b"], "what is left out stays");
    assert_eq!(slugs(&retag(&bed, &bed.admin, "X", &[b]).await.unwrap()), ["b"]);
    let emptied = retag(&bed, &bed.admin, "X", &[]).await.unwrap();
    assert_eq!((slugs(&emptied).len(), emptied.version), (0, 4));
    let mut query = bed.one("/");
    for (version, expected) in [("1", &["a", "b"][..]), ("3", &["b"]), ("4", &[])] {
        query.version = Some(version.into());
        let read = bed.get_as(&bed.admin, "X", &query).await.unwrap();
        assert_eq!(slugs(&read), expected, "version {version}");
    }
    let deleted = bed.delete_as(&bed.admin, "/", "X").await.unwrap();
    assert!(slugs(&deleted).is_empty());
}

#[tokio::test]
async fn a_tag_that_is_not_of_the_project_is_refused() {
    let bed = Bed::new().await;
    let [a] = tags(&bed, ["a"]).await;
    let none: TagId = uuid::Uuid::now_v7().into();
    let error = create(&bed, &bed.admin, "X", &[a, none]).await.err().unwrap();
    assert_eq!(error.to_string(), "Tag not found. Found a");
    create(&bed, &bed.admin, "X", &[a]).await.unwrap();
    assert_eq!(refused(retag(&bed, &bed.admin, "X", &[none]).await), 404);
    let batch = |mode: &str| -> BatchBody {
        let secrets = json!([
            { "secretKey": "X", "secretValue": "n" },
            { "secretKey": "Y", "secretValue": "n", "tagIds": [none] },
        ]);
        let body = json!({ "projectId": bed.project, "environment": "dev", "mode": mode,
            "secrets": secrets });
        serde_json::from_value(body).unwrap()
    };
    assert_eq!(refused(bed.core.update_secrets(&bed.admin, &batch("upsert")).await), 404);
    assert_eq!(bed.dump().await, ["/:X=X@1"]);
}

#[tokio::test]
async fn a_tag_that_is_removed_is_gone_from_every_secret_and_version() {
    let bed = Bed::new().await;
    let [a, b] = tags(&bed, ["a", "b"]).await;
    let made = create(&bed, &bed.admin, "X", &[a, b]).await.unwrap();
    bed.update_as(&bed.admin, "/", "X", "v2").await.unwrap();
    let read = || async { bed.get_as(&bed.admin, "X", &bed.one("/")).await.unwrap() };
    assert_eq!(slugs(&read().await), ["a", "b"]);
    bed.core.delete_tag(&bed.admin, bed.project, a).await.unwrap();
    assert_eq!(slugs(&read().await), ["b"], "also in what was remembered");
    let history = bed
        .core
        .list_secret_versions(&bed.admin, &made.id.to_string(), &ListVersionsQuery::default())
        .await
        .unwrap();
    assert!(history.secret_versions.iter().all(|version| version.tags.len() == 1));
    assert!(filtered(&bed, &bed.admin, "a").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_list_by_tags_holds_what_has_any_of_them_and_costs_one_more_query() {
    let bed = Bed::remembering(0).await;
    let [a, b, _] = tags(&bed, ["a", "b", "c"]).await;
    for (name, ids) in [("A", &[a][..]), ("AB", &[a, b]), ("B", &[b]), ("NONE", &[])] {
        create(&bed, &bed.admin, name, ids).await.unwrap();
    }
    for (filter, expected) in [
        ("a", &["A", "AB"][..]),
        (" a , b ", &["A", "AB", "B"]),
        ("c", &[]),
        ("nope", &[]),
        (",", &[]),
    ] {
        assert_eq!(filtered(&bed, &bed.admin, filter).await.unwrap(), expected, "{filter}");
    }
    let cost = async |path: &str| {
        let before = bed.core.store.statements();
        bed.list_as(&bed.admin, &bed.all(path, true)).await.unwrap();
        bed.core.store.statements() - before
    };
    bed.folder("/plain").await;
    bed.create("/plain", "P", "v").await;
    cost("/").await;
    assert_eq!(cost("/").await, cost("/plain").await + 1);
}

#[tokio::test]
async fn tags_are_put_on_and_taken_off_by_their_slugs() {
    let bed = Bed::new().await;
    let [a, b] = tags(&bed, ["a", "b"]).await;
    create(&bed, &bed.admin, "X", &[a]).await.unwrap();
    let body = |slugs: &[&str]| -> SecretTagsBody {
        serde_json::from_value(json!({ "projectSlug": bed.slug, "environment": "dev",
            "secretPath": "/", "type": "shared", "tagSlugs": slugs }))
        .unwrap()
    };
    let put = bed.core.attach_tags(&bed.admin, "X", &body(&["a", "b"])).await.unwrap().secret;
    assert_eq!((slugs(&put), put.version), (vec!["a", "b"], 2));
    let off = bed.core.detach_tags(&bed.admin, "X", &body(&["a"])).await.unwrap().secret;
    assert_eq!((slugs(&off), off.version), (vec!["b"], 3));
    assert_eq!(off.tags.unwrap()[0].id, b.uuid());
    assert_eq!(refused(bed.core.attach_tags(&bed.admin, "X", &body(&["nope"])).await), 404);
    assert_eq!(refused(bed.core.attach_tags(&bed.admin, "X", &body(&[])).await), 422);
    assert_eq!(refused(bed.core.attach_tags(&bed.admin, "NO", &body(&["a"])).await), 404);
}

/// May read and write what has the tag `mine`, and nothing else.
fn only_mine() -> Value {
    json!([{ "subject": "secrets", "action": ["read", "create", "edit", "delete"],
        "conditions": { "secretTags": { "$in": ["mine"] } } }])
}

#[tokio::test]
async fn t3_rules_about_tags_hold_on_every_way_to_a_secret() {
    let bed = Bed::new().await;
    let [mine, other] = tags(&bed, ["mine", "other"]).await;
    create(&bed, &bed.admin, "MINE", &[mine]).await.unwrap();
    create(&bed, &bed.admin, "OTHER", &[other]).await.unwrap();
    bed.create("/", "PLAIN", "v").await;
    let caller = bed.machine(only_mine()).await;
    let listed = bed.list_as(&caller, &bed.all("/", true)).await.unwrap();
    assert_eq!(listed.iter().map(|each| &*each.secret_key).collect::<Vec<_>>(), ["MINE"]);
    assert!(filtered(&bed, &caller, "other,mine").await.unwrap() == ["MINE"]);
    assert_eq!(bed.get_as(&caller, "MINE", &bed.one("/")).await.unwrap().version, 1);
    // What is there and not theirs answers like what is not there.
    let mut answers = Vec::new();
    for name in ["OTHER", "PLAIN", "MISSING"] {
        let read = bed.get_as(&caller, name, &bed.one("/")).await.err().unwrap();
        let changed = bed.update_as(&caller, "/", name, "x").await.err().unwrap();
        let deleted = bed.delete_as(&caller, "/", name).await.err().unwrap();
        answers
            .push([read, changed, deleted].map(|error| (super::status(&error), error.to_string())));
    }
    assert!(answers.iter().flatten().all(|(status, _)| *status == 403), "{answers:?}");
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(refused(bed.create_as(&caller, "/", "NEW", "x").await), 403);
    create(&bed, &caller, "NEW", &[mine]).await.unwrap();
    assert_eq!(refused(create(&bed, &caller, "NEW_2", &[other]).await), 403);
}

#[tokio::test]
async fn t4_a_change_of_tags_needs_the_right_to_the_old_and_to_the_new() {
    let bed = Bed::new().await;
    let [mine, other] = tags(&bed, ["mine", "other"]).await;
    create(&bed, &bed.admin, "MINE", &[mine]).await.unwrap();
    create(&bed, &bed.admin, "OTHER", &[other]).await.unwrap();
    let caller = bed.machine(only_mine()).await;
    assert_eq!(refused(retag(&bed, &caller, "OTHER", &[mine]).await), 403, "taken from others");
    assert_eq!(refused(retag(&bed, &caller, "MINE", &[other]).await), 403, "given away");
    assert_eq!(refused(retag(&bed, &caller, "MINE", &[]).await), 403);
    assert_eq!(slugs(&retag(&bed, &caller, "MINE", &[mine, other]).await.unwrap()).len(), 2);
    assert_eq!(bed.dump().await, ["/:MINE=MINE@2", "/:OTHER=OTHER@1"]);
}

/// Whoever may edit and not read gains nothing by a tag, neither for themselves nor for others.
#[tokio::test]
async fn t4_a_tag_shows_nobody_what_they_may_not_read() {
    let bed = Bed::new().await;
    let [open, other] = tags(&bed, ["open", "other"]).await;
    create(&bed, &bed.admin, "PRIVATE", &[other]).await.unwrap();
    create(&bed, &bed.admin, "OPEN", &[open]).await.unwrap();
    let caller = bed
        .machine(json!([
            { "subject": "secrets", "action": ["edit", "describeSecret"] },
            { "subject": "secrets", "action": ["readValue"],
              "conditions": { "secretTags": { "$in": ["open"] } } },
        ]))
        .await;
    let body: kms_api::tags::SecretTagsBody = serde_json::from_value(json!({
        "projectId": bed.project, "environment": "dev", "secretPath": "/", "tagSlugs": ["open"],
    }))
    .unwrap();
    assert_eq!(refused(bed.core.attach_tags(&caller, "PRIVATE", &body).await), 403);
    assert_eq!(refused(retag(&bed, &caller, "PRIVATE", &[open]).await), 403);
    assert_eq!(refused(retag(&bed, &caller, "PRIVATE", &[]).await), 403, "for somebody else");
    assert_eq!(refused(bed.get_as(&caller, "PRIVATE", &bed.one("/")).await), 403);
    assert_eq!(slugs(&retag(&bed, &caller, "OPEN", &[other]).await.unwrap()), ["other"]);
    assert_eq!(
        slugs(&retag(&bed, &caller, "OPEN", &[other]).await.unwrap()),
        ["other"],
        "as it is"
    );
}

#[tokio::test]
async fn t3_a_tag_that_forbids_hides_a_secret_as_if_it_were_not_there() {
    let bed = Bed::new().await;
    let [locked] = tags(&bed, ["locked"]).await;
    create(&bed, &bed.admin, "LOCKED", &[locked]).await.unwrap();
    bed.create("/", "PLAIN", "v").await;
    let caller = bed
        .machine(json!([
            { "subject": "secrets", "action": ["read", "edit", "delete"] },
            { "subject": "secrets", "action": ["read", "edit", "delete"], "inverted": true,
              "conditions": { "secretTags": { "$in": ["locked"] } } },
        ]))
        .await;
    let listed = bed.list_as(&caller, &bed.all("/", false)).await.unwrap();
    assert_eq!(listed.iter().map(|each| &*each.secret_key).collect::<Vec<_>>(), ["PLAIN"]);
    assert!(filtered(&bed, &caller, "locked").await.unwrap().is_empty());
    for (name, told) in [("LOCKED", "LOCKED"), ("MISSING", "MISSING")] {
        let texts = [
            bed.get_as(&caller, name, &bed.one("/")).await.err().unwrap(),
            bed.update_as(&caller, "/", name, "x").await.err().unwrap(),
            bed.delete_as(&caller, "/", name).await.err().unwrap(),
        ];
        for error in texts {
            let expected = format!("Secret with name '{told}' not found in path '/'");
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[tokio::test]
async fn t3_filters_tell_nothing_of_what_may_not_be_described() {
    let bed = Bed::new().await;
    let [t] = tags(&bed, ["t"]).await;
    let mut body = bed.body("/", "v");
    body.fields = serde_json::from_value(json!({ "secretValue": "v", "tagIds": [t],
        "secretMetadata": [{ "key": "team", "value": "red" }] }))
    .unwrap();
    for name in ["HIDDEN", "SHOWN", "DESCRIBED"] {
        bed.core.create_secret(&bed.admin, name, &body).await.unwrap();
    }
    let caller = bed
        .machine(json!([
            { "subject": "secrets", "action": ["read"], "conditions": { "secretName": "SHOWN" } },
            { "subject": "secrets", "action": ["describeSecret"],
              "conditions": { "secretName": "DESCRIBED" } },
        ]))
        .await;
    for (tags, metadata) in [(Some("t"), None), (None, Some("key=team,value=red"))] {
        let mut query = bed.all("/", false);
        query.tag_slugs = tags.map(str::to_owned);
        query.metadata_filter = metadata.map(str::to_owned);
        assert_eq!(refused(bed.list_as(&caller, &query).await), 403, "a value is not theirs");
        query.view_secret_value = Some(WireBool(false));
        let found = bed.list_as(&caller, &query).await.unwrap();
        let names: Vec<_> = found.iter().map(|each| each.secret_key.as_str()).collect();
        assert_eq!(names, ["DESCRIBED", "SHOWN"]);
    }
    // What a filter leaves out need not be readable.
    retag(&bed, &bed.admin, "DESCRIBED", &[]).await.unwrap();
    assert_eq!(filtered(&bed, &caller, "t").await.unwrap(), ["SHOWN"]);
}

#[tokio::test]
async fn k8_which_tags_a_secret_has_is_not_for_the_database_to_say() {
    let bed = Bed::remembering(0).await;
    let [mine] = tags(&bed, ["mine"]).await;
    let tagged = create(&bed, &bed.admin, "MINE", &[mine]).await.unwrap();
    let plain = bed.create("/", "PLAIN", "v").await;
    bed.run(
        "UPDATE secrets SET sealed = (SELECT o.sealed FROM secrets o WHERE o.id = $1)
            WHERE id = $2",
        (tagged.id, plain.id),
    )
    .await;
    let caller = bed.machine(only_mine()).await;
    assert_eq!(refused(bed.get_as(&caller, "PLAIN", &bed.one("/")).await), 500);
}

/// What a rule about tags forbids stays forbidden by way of a reference and of an import.
#[tokio::test]
async fn t3_t10_a_rule_about_tags_holds_through_references_and_imports() {
    let bed = Bed::new().await;
    let [locked] = tags(&bed, ["locked"]).await;
    create(&bed, &bed.admin, "HELD", &[locked]).await.unwrap();
    create(&bed, &bed.admin, "FREE", &[]).await.unwrap();
    bed.folder("/to").await;
    bed.put("dev", "/to", "ASKS", "<${dev.HELD}>").await;
    bed.put("dev", "/to", "MAY", "<${dev.FREE}>").await;
    import(&bed, "/to", ("dev", "/")).await;
    let read = json!(["describeSecret", "readValue"]);
    let but_for = |actions: Value| {
        json!([
            { "subject": "secrets", "action": read },
            { "subject": "secrets", "action": actions, "inverted": true,
              "conditions": { "secretTags": { "$in": ["locked"] } } },
        ])
    };
    let query = bed.one("/to");
    // Whoever may know of it is told that the value is not for them.
    let knows = bed.machine(but_for(json!(["readValue"]))).await;
    assert_eq!(refused(bed.get_as(&knows, "ASKS", &query).await), 403);
    assert_eq!(refused(bed.get_as(&knows, "HELD", &query).await), 403);
    // To whoever may not it is as if it did not exist.
    let blind = bed.machine(but_for(read.clone())).await;
    let asks = bed.get_as(&blind, "ASKS", &query).await.unwrap();
    assert_eq!(asks.secret_value.expose(), "<${dev.HELD}>");
    let may = bed.get_as(&blind, "MAY", &query).await.unwrap();
    assert_eq!(may.secret_value.expose(), "<FREE>");
    assert!(matches!(refused(bed.get_as(&blind, "HELD", &query).await), 403 | 404));
    let all = bed.all("/to", false);
    for caller in [&knows, &blind] {
        let mut query = all.clone();
        query.expand_secret_references = Some(WireBool(false));
        assert_eq!(imports_as(&bed, caller, &query).await, ["dev:/[FREE=FREE]"]);
    }
    assert_eq!(imports_as(&bed, &bed.admin, &all).await, ["dev:/[FREE=FREE HELD=HELD]"]);
}

#[tokio::test]
async fn t4_nobody_sees_a_secret_by_tagging_or_naming_it_otherwise() {
    let bed = Bed::new().await;
    let [locked, open] = tags(&bed, ["locked", "open"]).await;
    create(&bed, &bed.admin, "LOCKED", &[locked]).await.unwrap();
    create(&bed, &bed.admin, "PLAIN", &[]).await.unwrap();
    create(&bed, &bed.admin, "NAMED", &[]).await.unwrap();
    let edit = json!({"subject": "secrets", "action": ["describeSecret", "edit"]});
    let denied = bed
        .machine(json!([
            edit,
            {"subject": "secrets", "action": "readValue"},
            {"subject": "secrets", "action": "readValue", "inverted": true,
             "conditions": {"secretTags": {"$in": ["locked"]}}},
            {"subject": "secrets", "action": "readValue", "inverted": true,
             "conditions": {"secretName": "NAMED"}},
        ]))
        .await;
    let reader = bed
        .machine(json!([
            edit,
            {"subject": "secrets", "action": "readValue",
             "conditions": {"secretTags": {"$in": ["open"]}}},
        ]))
        .await;
    let rename = async |caller: &Caller, name: &str, new: &str| {
        let mut secret = bed.body("/", "");
        secret.fields = serde_json::from_value(json!({})).unwrap();
        let body = UpdateSecret { secret, new_secret_name: Some(new.into()) };
        bed.core.update_secret(caller, name, &body).await
    };
    assert_eq!(refused(retag(&bed, &denied, "LOCKED", &[]).await), 403);
    assert_eq!(refused(rename(&denied, "NAMED", "OTHER").await), 403);
    assert_eq!(refused(retag(&bed, &reader, "PLAIN", &[open]).await), 403);
    // Others might see it then, though they do not.
    assert_eq!(refused(retag(&bed, &denied, "LOCKED", &[locked, open]).await), 403);
    assert_eq!(refused(rename(&reader, "NAMED", "OTHER").await), 403);
    // What they may read is theirs to hide, also from themselves.
    retag(&bed, &denied, "PLAIN", &[locked]).await.unwrap();
}
