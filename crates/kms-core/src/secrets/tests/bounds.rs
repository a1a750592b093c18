//! Attack R7: what one request may take of the server.

use kms_api::{secrets::UpdateSecret, wire::WireBool};
use serde_json::json;

use super::{imported::import, refused};
use crate::{
    Result,
    secrets::{MAX_VALUE, MAX_WRITTEN},
    testbed::Bed,
};

fn references(name: &str, bytes: usize) -> String {
    format!("${{{name}}}").repeat(bytes / (name.len() + 3))
}

async fn rename(bed: &Bed, old: &str, new: &str) -> Result<()> {
    let mut secret = bed.body("/", "");
    secret.fields = serde_json::from_value(json!({})).unwrap();
    let body = UpdateSecret { secret, new_secret_name: Some(new.into()) };
    bed.core.update_secret(&bed.admin, old, &body).await.map(|_| ())
}

#[tokio::test]
async fn r7_values_that_wait_for_others_are_paid_for() {
    let bed = Bed::remembering(0).await;
    for path in ["/b", "/x"] {
        bed.folder(path).await;
    }
    let body = |path: &str, secrets: Vec<serde_json::Value>| {
        let body = json!({ "projectId": bed.project, "environment": "dev", "secretPath": path,
            "secrets": secrets });
        serde_json::from_value(body).unwrap()
    };
    let secret = |name: &str, value: String| json!({ "secretKey": name, "secretValue": value });
    // Each round of looking up shows the next link, and is gone through for every value.
    let chain = (0..10).map(|n| secret(&format!("C{n}"), format!("${{C{}}}", n + 1)));
    bed.core.create_secrets(&bed.admin, &body("/x", chain.collect())).await.unwrap();
    let work = format!("{}${{dev.x.C0}}", "${B}".repeat(40));
    let mut all: Vec<_> = (0..14).map(|n| secret(&format!("A{n}"), work.clone())).collect();
    all.push(secret("B", "${C}".repeat(40)));
    all.push(secret("C", "${D}".repeat(20)));
    all.push(secret("D", String::new()));
    bed.core.create_secrets(&bed.admin, &body("/b", all)).await.unwrap();
    assert_eq!(refused(bed.core.list_secrets(&bed.admin, &bed.all("/b", false)).await), 400);
    let mut stored = bed.all("/b", false);
    stored.expand_secret_references = Some(WireBool(false));
    assert_eq!(bed.list_as(&bed.admin, &stored).await.unwrap().len(), 17);
}

#[tokio::test]
async fn r7_long_filters_count_as_much_as_they_take() {
    let budget = 200_000;
    let bed = Bed::remembering(budget).await;
    bed.create("/", "A", "v").await;
    let mut query = bed.all("/", false);
    let slug = |round: usize, n: usize| format!("a-slug-that-no-tag-has-{round}-{n}");
    for round in 0..40 {
        let slugs: Vec<_> = (0..100).map(|n| slug(round, n)).collect();
        query.tag_slugs = Some(slugs.join(","));
        bed.core.list_secrets(&bed.admin, &query).await.unwrap();
    }
    bed.core.answers.settle();
    let of_one = (0..100).map(|n| slug(10, n).len() + size_of::<String>()).sum::<usize>();
    let most = budget / u64::try_from(of_one).unwrap();
    assert!(bed.core.answers.count() <= most, "{} of {most}", bed.core.answers.count());
    query.tag_slugs = Some((0..101).map(|n| slug(0, n)).collect::<Vec<_>>().join(","));
    assert_eq!(refused(bed.core.list_secrets(&bed.admin, &query).await), 422);
    query.tag_slugs = Some(vec!["the-same"; 1_000].join(","));
    bed.core.list_secrets(&bed.admin, &query).await.unwrap();
}

#[tokio::test]
async fn r7_a_folder_that_many_import_counts_for_each() {
    let bed = Bed::remembering(0).await;
    bed.folder("/s").await;
    for name in ["A", "B", "C", "D"] {
        bed.create("/s", name, &"x".repeat(MAX_VALUE)).await;
    }
    for n in 0..17 {
        let path = format!("/to{n}");
        bed.folder(&path).await;
        import(&bed, &path, ("dev", "/s")).await;
    }
    assert_eq!(refused(bed.core.list_secrets(&bed.admin, &bed.all("/", true)).await), 400);
    bed.core.list_secrets(&bed.admin, &bed.all("/to0", false)).await.unwrap();
    let mut without = bed.all("/", true);
    without.include_imports = Some(WireBool(false));
    assert_eq!(bed.list_as(&bed.admin, &without).await.unwrap().len(), 4);
}

#[tokio::test]
async fn r7_a_longer_name_makes_no_value_too_long() {
    let bed = Bed::remembering(0).await;
    bed.create("/", "A", "v").await;
    bed.create("/", "REFERS", &references("A", MAX_VALUE - 1_000)).await;
    assert_eq!(refused(rename(&bed, "A", "A_LONGER_NAME").await), 400);
    assert_eq!(bed.value("/", "A").await, "v");
    rename(&bed, "A", "B").await.unwrap();
}

#[tokio::test]
async fn r7_one_request_writes_so_much_and_no_more() {
    let bed = Bed::remembering(0).await;
    bed.folder("/large").await;
    bed.create("/", "A", "v").await;
    let count = MAX_WRITTEN / MAX_VALUE + 1;
    for n in 0..count {
        bed.create("/large", &format!("K{n}"), &"x".repeat(MAX_VALUE)).await;
    }
    let body = json!({ "projectId": bed.project, "sourceEnvironment": "dev",
        "sourceSecretPath": "/large", "destinationEnvironment": "prod",
        "destinationSecretPath": "/" });
    let body = serde_json::from_value(body).unwrap();
    assert_eq!(refused(bed.core.duplicate_secrets(&bed.admin, &body).await), 400);
    // A change of comments writes the values anew.
    let comments: Vec<_> =
        (0..count).map(|n| json!({ "secretKey": format!("K{n}"), "secretComment": "c" })).collect();
    let change = |comments: &[serde_json::Value]| {
        let body = json!({ "projectId": bed.project, "environment": "dev",
            "secretPath": "/large", "secrets": comments });
        serde_json::from_value(body).unwrap()
    };
    assert_eq!(refused(bed.core.update_secrets(&bed.admin, &change(&comments)).await), 400);
    bed.core.update_secrets(&bed.admin, &change(&comments[..8])).await.unwrap();
}
