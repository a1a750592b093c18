use kms_api::tags::{CreateTag, ProjectTag, UpdateTag};
use serde_json::{Value, json};

use crate::{Caller, Error, Result, testbed::Bed};

fn body(body: Value) -> CreateTag {
    serde_json::from_value(body).unwrap()
}

fn status<T>(result: &Result<T>) -> u16 {
    match result {
        Ok(_) => 200,
        Err(Error::Validation(_)) => 422,
        Err(Error::BadRequest { .. }) => 400,
        Err(Error::PermissionDenied { .. } | Error::Forbidden { .. }) => 403,
        Err(Error::NotFound(_)) => 404,
        Err(_) => 500,
    }
}

async fn make(bed: &Bed, caller: &Caller, slug: &str) -> Result<ProjectTag> {
    bed.core.create_tag(caller, bed.project, &body(json!({ "slug": slug, "color": "" }))).await
}

#[tokio::test]
async fn a_tag_is_made_found_changed_and_removed() {
    let bed = Bed::new().await;
    let (core, admin, project) = (&bed.core, &bed.admin, bed.project);
    let made = make(&bed, admin, "pci").await.unwrap();
    assert_eq!((made.slug.as_str(), made.name.as_str()), ("pci", "pci"));
    assert_eq!(made.color.as_deref(), Some(""));
    assert_eq!(make(&bed, admin, "pci").await.err().unwrap().to_string(), "Tag already exist");
    let named = body(json!({ "slug": "db", "color": "#fff", "name": "Data base" }));
    core.create_tag(admin, project, &named).await.unwrap();
    let slugs: Vec<_> = core.list_tags(admin, project).await.unwrap();
    assert_eq!(slugs.iter().map(|tag| tag.slug.as_str()).collect::<Vec<_>>(), ["db", "pci"]);
    assert_eq!(core.get_tag_by_slug(admin, project, "pci").await.unwrap().id, made.id);
    let change = UpdateTag { color: Some("#000".into()), ..UpdateTag::default() };
    let changed = core.update_tag(admin, project, made.id, &change).await.unwrap();
    assert_eq!((changed.slug.as_str(), changed.color.as_deref()), ("pci", Some("#000")));
    let taken = UpdateTag { slug: Some("db".into()), ..UpdateTag::default() };
    assert_eq!(status(&core.update_tag(admin, project, made.id, &taken).await), 400);
    core.delete_tag(admin, project, made.id).await.unwrap();
    assert_eq!(status(&core.get_tag(admin, project, made.id).await), 404);
    assert_eq!(status(&core.delete_tag(admin, project, made.id).await), 404);
    for slug in ["", "Upper", "a b", "a--b", "a_b", &"x".repeat(65)] {
        assert_eq!(status(&make(&bed, admin, slug).await), 422, "{slug}");
    }
    let control = body(json!({ "slug": "c", "color": "\u{1b}[0m" }));
    assert_eq!(status(&core.create_tag(admin, project, &control).await), 422);
}

#[tokio::test]
async fn t3_tags_are_for_those_who_may() {
    let bed = Bed::new().await;
    let (core, project) = (&bed.core, bed.project);
    let made = make(&bed, &bed.admin, "pci").await.unwrap();
    let nobody = bed.machine(json!([{ "subject": "secrets", "action": "edit" }])).await;
    assert_eq!(status(&core.list_tags(&nobody, project).await), 403);
    assert_eq!(status(&core.get_tag(&nobody, project, made.id).await), 403);
    assert_eq!(status(&core.get_tag_by_slug(&nobody, project, "pci").await), 403);
    assert_eq!(status(&make(&bed, &nobody, "new").await), 403);
    let reader = bed.machine(json!([{ "subject": "tags", "action": "read" }])).await;
    assert_eq!(status(&core.list_tags(&reader, project).await), 200);
    let change = UpdateTag::default();
    assert_eq!(status(&core.update_tag(&reader, project, made.id, &change).await), 403);
    assert_eq!(status(&core.delete_tag(&reader, project, made.id).await), 403);
}

#[tokio::test]
async fn k8_a_tag_that_the_server_did_not_write_counts_for_nothing() {
    let bed = Bed::remembering(0).await;
    let made = make(&bed, &bed.admin, "loose").await.unwrap();
    let mut secret = bed.body("/", "v");
    secret.fields.tag_ids = Some(vec![made.id]);
    bed.core.create_secret(&bed.admin, "A", &secret).await.unwrap();
    bed.run("UPDATE tags SET slug = 'open' WHERE id = $1", (made.id,)).await;
    let (core, admin) = (&bed.core, &bed.admin);
    assert_eq!(status(&core.get_tag(admin, bed.project, made.id).await), 500);
    assert_eq!(status(&core.list_secrets(admin, &bed.all("/", false)).await), 500);
    let mut tagged = bed.body("/", "v");
    tagged.fields.tag_ids = Some(vec![made.id]);
    assert_eq!(status(&core.create_secret(admin, "B", &tagged).await), 500);
}

#[tokio::test]
async fn t4_nobody_renames_or_removes_a_tag_that_their_rules_speak_of() {
    let bed = Bed::new().await;
    let caller = bed
        .person(json!([
            {"subject": "tags", "action": ["read", "create", "edit", "delete"]},
            {"subject": "secrets", "action": "read"},
            {"subject": "secrets", "action": "read", "inverted": true,
             "conditions": {"secretTags": {"$in": ["locked"]}}},
        ]))
        .await;
    let locked = make(&bed, &bed.admin, "locked").await.unwrap().id;
    let other = make(&bed, &caller, "other").await.unwrap().id;
    let change = async |id, slug: &str| {
        let body = UpdateTag { slug: Some(slug.into()), ..UpdateTag::default() };
        bed.core.update_tag(&caller, bed.project, id, &body).await
    };
    assert_eq!(status(&change(locked, "loose").await), 403);
    assert_eq!(status(&bed.core.delete_tag(&caller, bed.project, locked).await), 403);
    change(locked, "locked").await.unwrap();
    change(other, "another").await.unwrap();
    bed.core.delete_tag(&caller, bed.project, other).await.unwrap();
    bed.core.delete_tag(&bed.admin, bed.project, locked).await.unwrap();
}
