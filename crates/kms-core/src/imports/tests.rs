use kms_api::secret_imports::{CreateImport, Import, ImportPlace, UpdateImport};
use serde_json::{Value, json};

use crate::{Caller, Error, Result, testbed::Bed};

fn place(bed: &Bed) -> ImportPlace {
    ImportPlace {
        project: bed.reference(),
        environment: Some("dev".into()),
        path: Some("/".into()),
    }
}

async fn import(bed: &Bed, caller: &Caller, environment: &str, path: &str) -> Result<Import> {
    let body = json!({ "projectId": bed.project, "environment": "dev",
        "import": { "environment": environment, "path": path } });
    let body: CreateImport = serde_json::from_value(body).unwrap();
    Ok(bed.core.create_import(caller, &body).await?.secret_import)
}

async fn change(bed: &Bed, import: &Import, change: Value) -> Result<Import> {
    let body = json!({ "projectId": bed.project, "environment": "dev", "import": change });
    let body: UpdateImport = serde_json::from_value(body).unwrap();
    let id = import.id.to_string();
    Ok(bed.core.update_import(&bed.admin, &id, &body).await?.secret_import)
}

/// The imports of the root folder, as `position:environment:path`.
async fn listed(bed: &Bed) -> Vec<String> {
    let list = bed.core.list_imports(&bed.admin, &place(bed)).await.unwrap().secret_imports;
    let line = |import: &Import| {
        format!("{}:{}:{}", import.position, import.import_env.slug, import.import_path)
    };
    list.iter().map(line).collect()
}

fn text<T>(result: Result<T>) -> String {
    result.err().unwrap().to_string()
}

#[tokio::test]
async fn positions_have_no_gaps_whatever_is_moved_or_removed() {
    let bed = Bed::new().await;
    let mut made = Vec::new();
    for path in ["/a", "/b", "/c", "/d"] {
        made.push(import(&bed, &bed.admin, "prod", path).await.unwrap());
    }
    for (index, position, order) in [
        (3, 1, ["/d", "/a", "/b", "/c"]),
        (3, 3, ["/a", "/b", "/d", "/c"]),
        (0, 99, ["/b", "/d", "/c", "/a"]),
        (2, 3, ["/b", "/d", "/c", "/a"]),
    ] {
        change(&bed, &made[index], json!({ "position": position })).await.unwrap();
        let expected: Vec<_> =
            order.iter().enumerate().map(|(n, path)| format!("{}:prod:{path}", n + 1)).collect();
        assert_eq!(listed(&bed).await, expected);
    }
    let id = made[1].id.to_string();
    bed.core.delete_import(&bed.admin, &id, &place(&bed)).await.unwrap();
    assert_eq!(listed(&bed).await, ["1:prod:/d", "2:prod:/c", "3:prod:/a"]);
    let gone = bed.core.delete_import(&bed.admin, &id, &place(&bed)).await;
    assert!(matches!(gone, Err(Error::NotFound(_))));
    let moved = change(&bed, &made[0], json!({ "environment": "staging", "path": "/z/" })).await;
    let moved = moved.unwrap();
    assert_eq!((moved.import_env.slug.as_str(), moved.import_path.as_str()), ("staging", "/z"));
    assert_eq!(moved.version, 3);
    assert_eq!(listed(&bed).await, ["1:prod:/d", "2:prod:/c", "3:staging:/z"]);
}

#[tokio::test]
async fn what_cannot_be_imported_is_told() {
    let bed = Bed::new().await;
    let first = import(&bed, &bed.admin, "prod", "/").await.unwrap();
    let told = async |environment: &str, path: &str| {
        text(import(&bed, &bed.admin, environment, path).await)
    };
    assert_eq!(told("prod", "/").await, "Secret import already exists");
    assert_eq!(told("dev", "/").await, "Cyclic import not allowed");
    assert_eq!(told("none", "/").await, "Environment with slug 'none' not found");
    let back = json!({ "projectId": bed.project, "environment": "prod",
        "import": { "environment": "dev", "path": "/" } });
    let back: CreateImport = serde_json::from_value(back).unwrap();
    assert_eq!(text(bed.core.create_import(&bed.admin, &back).await), "Cyclic import not allowed");
    let other = import(&bed, &bed.admin, "prod", "/other").await.unwrap();
    assert_eq!(
        text(change(&bed, &other, json!({ "path": "/" })).await),
        "Secret import already exists"
    );
    assert_eq!(
        text(change(&bed, &first, json!({ "environment": "dev" })).await),
        "Cyclic import not allowed"
    );
    assert!(matches!(
        change(&bed, &first, json!({ "position": 0 })).await,
        Err(Error::Validation(_))
    ));
    let mut copied: CreateImport = back.clone();
    copied.is_replication = Some(true);
    assert_eq!(
        text(bed.core.create_import(&bed.admin, &copied).await),
        "This server has no replicated imports"
    );
    let mut nowhere = place(&bed);
    nowhere.path = Some("/nowhere".into());
    assert!(matches!(bed.core.list_imports(&bed.admin, &nowhere).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn r7_a_folder_has_a_bounded_number_of_imports() {
    let bed = Bed::new().await;
    for n in 0..super::MAX_IMPORTS {
        import(&bed, &bed.admin, "prod", &format!("/f{n}")).await.unwrap();
    }
    let over = import(&bed, &bed.admin, "prod", "/over").await;
    assert_eq!(text(over), "A folder has at most 100 imports");
}

#[tokio::test]
async fn t10_an_import_takes_the_right_to_see_its_source() {
    let bed = Bed::new().await;
    let machine = bed
        .machine(json!([{"subject": "secret-imports", "action": ["read", "create"]},
            {"subject": "secrets", "action": "read", "conditions": {"environment": "dev"}}]))
        .await;
    assert!(import(&bed, &machine, "dev", "/a").await.is_ok());
    for environment in ["prod", "none"] {
        let refused = import(&bed, &machine, environment, "/").await;
        assert!(matches!(refused, Err(Error::PermissionDenied { .. })), "{environment}");
    }
    let reader = bed.machine(json!([{"subject": "secrets", "action": "read"}])).await;
    let refused = bed.core.list_imports(&reader, &place(&bed)).await;
    assert!(matches!(refused, Err(Error::PermissionDenied { .. })));
    assert!(matches!(
        import(&bed, &reader, "dev", "/b").await,
        Err(Error::PermissionDenied { .. })
    ));
}

#[tokio::test]
async fn every_change_is_in_the_log() {
    let bed = Bed::new().await;
    let made = import(&bed, &bed.admin, "prod", "/").await.unwrap();
    change(&bed, &made, json!({ "path": "/x" })).await.unwrap();
    bed.core.delete_import(&bed.admin, &made.id.to_string(), &place(&bed)).await.unwrap();
    let query = serde_json::from_value(json!({ "limit": "100" })).unwrap();
    let log = bed.core.list_audit_logs(&bed.admin, &query).await.unwrap();
    let log = serde_json::to_value(log).unwrap().to_string();
    for kind in ["create-secret-import", "update-secret-import", "delete-secret-import"] {
        assert!(log.contains(kind), "{kind}");
    }
}
