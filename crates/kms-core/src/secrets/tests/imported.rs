use kms_api::{
    secrets::{ListSecretsQuery, SecretsResponse},
    wire::WireBool,
};
use serde_json::json;

use super::refused;
use crate::{Caller, testbed::Bed};

/// What a list imports, as `environment:path[names=values]`.
pub(super) async fn imports_as(
    bed: &Bed,
    caller: &Caller,
    query: &ListSecretsQuery,
) -> Vec<String> {
    let answer = bed.core.list_secrets(caller, query).await.unwrap();
    let answer: SecretsResponse = serde_json::from_slice(&answer.body).unwrap();
    let line = |import: kms_api::secrets::SecretImport| {
        let secrets: Vec<_> = import
            .secrets
            .iter()
            .map(|secret| format!("{}={}", secret.secret_key, secret.secret_value.expose()))
            .collect();
        format!("{}:{}[{}]", import.environment, import.secret_path, secrets.join(" "))
    };
    answer.imports.into_iter().map(line).collect()
}

async fn imports(bed: &Bed, path: &str) -> Vec<String> {
    imports_as(bed, &bed.admin, &bed.all(path, false)).await
}

/// Imports a folder into one of `dev`.
pub(super) async fn import(bed: &Bed, path: &str, from: (&str, &str)) {
    let body = json!({ "projectId": bed.project, "environment": "dev", "path": path,
        "import": { "environment": from.0, "path": from.1 } });
    bed.core.create_import(&bed.admin, &serde_json::from_value(body).unwrap()).await.unwrap();
}

#[tokio::test]
async fn imports_are_listed_in_order_and_the_last_wins_a_read() {
    let bed = Bed::new().await;
    bed.folder("/a").await;
    bed.create("/a", "A", "a").await;
    bed.create("/a", "BOTH", "a").await;
    bed.put("prod", "/", "BOTH", "prod").await;
    bed.put("prod", "/", "OWN", "prod").await;
    bed.create("/", "OWN", "own").await;
    import(&bed, "/", ("dev", "/a")).await;
    import(&bed, "/", ("prod", "/")).await;
    import(&bed, "/", ("staging", "/none")).await;
    let all = ["dev:/a[A=a BOTH=a]", "prod:/[BOTH=prod OWN=prod]", "staging:/none[]"];
    assert_eq!(imports(&bed, "/").await, all);
    let mut query = bed.all("/", false);
    query.include_imports = Some(WireBool(false));
    assert!(imports_as(&bed, &bed.admin, &query).await.is_empty());
    let old = bed.core.list_secrets_v3(&bed.admin, &bed.all("/", false)).await.unwrap();
    assert!(String::from_utf8_lossy(&old.body).contains("\"imports\":[]"));

    for (name, value, environment) in
        [("OWN", "own", "dev"), ("BOTH", "prod", "prod"), ("A", "a", "dev")]
    {
        let read = bed.get_as(&bed.admin, name, &bed.one("/")).await.unwrap();
        assert_eq!(read.secret_value.expose(), value);
        assert_eq!(read.environment, environment);
    }
    let read = bed.get_as(&bed.admin, "A", &bed.one("/")).await.unwrap();
    assert_eq!(read.secret_path.as_deref(), Some("/a"));
    assert_eq!(refused(bed.get_as(&bed.admin, "NONE", &bed.one("/")).await), 404);
    assert!(bed.core.get_secret_v3(&bed.admin, "A", &bed.one("/")).await.is_err());
    let mut query = bed.one("/");
    query.include_imports = Some(WireBool(false));
    assert_eq!(refused(bed.get_as(&bed.admin, "A", &query).await), 404);
}

#[tokio::test]
async fn r7_nested_imports_are_followed_once_and_to_an_end() {
    let bed = Bed::new().await;
    for n in 0..13 {
        bed.folder(&format!("/f{n}")).await;
        bed.create(&format!("/f{n}"), &format!("K{n}"), "v").await;
        bed.create(&format!("/f{n}"), "SAME", &n.to_string()).await;
    }
    for n in 0..12 {
        import(&bed, &format!("/f{n}"), ("dev", &format!("/f{}", n + 1))).await;
    }
    let nested: Vec<_> = (2..=10).map(|n| format!(" K{n}=v")).collect();
    let expected = format!("dev:/f1[K1=v SAME=1{}]", nested.concat());
    assert_eq!(imports(&bed, "/f0").await, [expected]);
    // A ring.
    import(&bed, "/f12", ("dev", "/f0")).await;
    assert_eq!(imports(&bed, "/f12").await.len(), 1);
    assert_eq!(bed.value("/f12", "K9").await, "v");
}

#[tokio::test]
async fn what_two_imports_have_in_common_goes_to_the_one_that_wins() {
    let bed = Bed::new().await;
    for path in ["/p", "/q", "/x"] {
        bed.folder(path).await;
    }
    bed.create("/x", "X", "x").await;
    bed.create("/p", "X", "p").await;
    import(&bed, "/p", ("dev", "/x")).await;
    import(&bed, "/q", ("dev", "/x")).await;
    import(&bed, "/", ("dev", "/p")).await;
    import(&bed, "/", ("dev", "/q")).await;
    assert_eq!(imports(&bed, "/").await, ["dev:/p[X=p]", "dev:/q[X=x]"]);
    assert_eq!(bed.value("/", "X").await, "x");
}

#[tokio::test]
async fn t10_imports_are_authorised_at_their_source() {
    let bed = Bed::new().await;
    bed.put("prod", "/", "OPEN", "1").await;
    bed.put("prod", "/", "CLOSED", "2").await;
    bed.folder("/deep").await;
    bed.put("staging", "/", "OTHER", "3").await;
    import(&bed, "/", ("prod", "/")).await;
    import(&bed, "/deep", ("staging", "/")).await;
    import(&bed, "/", ("dev", "/deep")).await;
    let read = |conditions: serde_json::Value| json!({"subject": "secrets", "action": "read", "conditions": conditions});
    let machine = bed
        .machine(json!([
            read(json!({"environment": "dev"})),
            read(json!({"environment": "prod", "secretName": "OPEN"})),
            {"subject": "secrets", "action": "describeSecret",
                "conditions": {"environment": "prod", "secretName": "CLOSED"}}]))
        .await;
    let query = bed.all("/", false);
    assert_eq!(imports_as(&bed, &machine, &query).await, ["prod:/[OPEN=1]", "dev:/deep[]"]);
    let mut names = bed.all("/", false);
    names.view_secret_value = Some(WireBool(false));
    let masked = imports_as(&bed, &machine, &names).await;
    assert_eq!(masked[0], "prod:/[CLOSED=<hidden-by-infisical> OPEN=<hidden-by-infisical>]");
    assert_eq!(bed.get_as(&machine, "OPEN", &bed.one("/")).await.unwrap().version, 1);
    // What exists somewhere out of reach answers like what exists nowhere.
    for name in ["CLOSED", "OTHER", "NOWHERE"] {
        let error = bed.get_as(&machine, name, &bed.one("/")).await.err().unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "You are not allowed to read the secret '{name}' everywhere that path '/' of \
                 environment 'dev' imports from"
            )
        );
        assert_eq!(super::status(&error), 403);
    }
}

/// Whoever may know of nothing in a folder, or of nothing at the source, is not told what it imports.
#[tokio::test]
async fn t3_t10_a_list_tells_of_imports_only_to_those_who_may_know_of_them() {
    let bed = Bed::new().await;
    bed.folder("/hidden").await;
    bed.put("prod", "/", "KEY", "1").await;
    import(&bed, "/", ("prod", "/")).await;
    import(&bed, "/hidden", ("staging", "/")).await;
    import(&bed, "/hidden", ("prod", "/")).await;
    let read = |conditions: serde_json::Value| json!({"subject": "secrets", "action": "read", "conditions": conditions});
    let root = read(json!({"environment": "dev", "secretPath": "/"}));
    let source = read(json!({"environment": "prod"}));
    let known = json!({"subject": "secret-imports", "action": "read"});
    let named = read(json!({"secretName": "KEY"}));
    let every = ["prod:/[KEY=1]", "staging:/[]", "prod:/[KEY=1]"];
    let empty = ["prod:/[]", "staging:/[]", "prod:/[]"];
    for (rules, told) in [
        (json!([root]), &[][..]),
        (json!([source]), &[]),
        (json!([root, source]), &every[..1]),
        (json!([named]), &["prod:/[KEY=1]", "prod:/[KEY=1]"]),
        (json!([root, known]), &empty),
        (json!([root, source, known]), &every),
    ] {
        let machine = bed.machine(rules.clone()).await;
        assert_eq!(imports_as(&bed, &machine, &bed.all("/", true)).await, told, "{rules}");
    }
}

#[tokio::test]
async fn imported_secrets_refer_from_their_own_folder_and_in_v4_from_the_importing_one_first() {
    let bed = Bed::new().await;
    bed.folder("/lib").await;
    bed.create("/lib", "URL", "pg://${HOST}/${NAME}").await;
    bed.create("/lib", "HOST", "lib").await;
    bed.create("/lib", "NAME", "n").await;
    bed.create("/", "HOST", "app").await;
    import(&bed, "/", ("dev", "/lib")).await;
    let new = imports(&bed, "/").await;
    assert_eq!(new, ["dev:/lib[HOST=lib NAME=n URL=pg://app/n]"]);
    assert_eq!(bed.value("/", "URL").await, "pg://app/n");
    let (mut all, mut one) = (bed.all("/", false), bed.one("/"));
    all.expand_secret_references = Some(WireBool(true));
    one.expand_secret_references = all.expand_secret_references;
    all.include_imports = Some(WireBool(true));
    one.include_imports = all.include_imports;
    let list = bed.core.list_secrets_v3(&bed.admin, &all).await.unwrap();
    let read = bed.core.get_secret_v3(&bed.admin, "URL", &one).await.unwrap();
    for answer in [list, read] {
        let body = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(body.contains("pg://lib/n"), "{body}");
    }
}

#[tokio::test]
async fn t10_an_import_whose_references_lead_out_of_reach_stays_as_it_is_stored() {
    let bed = Bed::new().await;
    bed.folder("/lib").await;
    bed.put("prod", "/", "KEY", "secret").await;
    bed.create("/lib", "A", "${prod.KEY}").await;
    bed.create("/lib", "B", "${C}").await;
    bed.create("/lib", "C", "c").await;
    import(&bed, "/", ("dev", "/lib")).await;
    let machine = bed
        .machine(json!([{"subject": "secrets", "action": "read",
            "conditions": {"environment": "dev"}}]))
        .await;
    let listed = imports_as(&bed, &machine, &bed.all("/", false)).await;
    assert_eq!(listed, ["dev:/lib[A=${prod.KEY} B=c C=c]"]);
    assert_eq!(refused(bed.get_as(&machine, "A", &bed.one("/")).await), 403);
}

#[tokio::test]
async fn overrides_are_not_imported() {
    let bed = Bed::new().await;
    bed.put("prod", "/", "A", "shared").await;
    let mut body = bed.body("/", "mine");
    body.environment = Some("prod".into());
    body.r#type = Some("personal".into());
    bed.core.create_secret(&bed.admin, "A", &body).await.unwrap();
    import(&bed, "/", ("prod", "/")).await;
    let mut query = bed.all("/", false);
    query.include_personal_overrides = Some(WireBool(true));
    assert_eq!(imports_as(&bed, &bed.admin, &query).await, ["prod:/[A=shared]"]);
}

#[tokio::test]
async fn a_source_that_goes_leaves_an_empty_import_and_one_that_moves_is_followed() {
    let bed = Bed::new().await;
    bed.folder("/a/b").await;
    bed.folder("/ab").await;
    bed.create("/a/b", "K", "v").await;
    bed.create("/ab", "L", "v").await;
    import(&bed, "/", ("dev", "/a/b")).await;
    import(&bed, "/", ("dev", "/ab")).await;
    assert_eq!(imports(&bed, "/").await, ["dev:/a/b[K=v]", "dev:/ab[L=v]"]);
    let rename = json!({ "projectId": bed.project, "environment": "dev", "name": "z" });
    bed.core
        .update_folder(&bed.admin, "a", &serde_json::from_value(rename).unwrap())
        .await
        .unwrap();
    assert_eq!(imports(&bed, "/").await, ["dev:/z/b[K=v]", "dev:/ab[L=v]"]);
    let delete = json!({ "projectId": bed.project, "environment": "dev" });
    let delete = serde_json::from_value(delete).unwrap();
    bed.core.delete_folder(&bed.admin, "z", &delete).await.unwrap();
    assert_eq!(imports(&bed, "/").await, ["dev:/z/b[]", "dev:/ab[L=v]"]);
    // With its importing folder an import is gone.
    bed.core.delete_folder(&bed.admin, "ab", &delete).await.unwrap();
    bed.folder("/ab").await;
    assert!(imports(&bed, "/ab").await.is_empty());
}

#[tokio::test]
async fn what_is_remembered_ends_with_a_write_to_what_it_imports() {
    let bed = Bed::new().await;
    bed.put("prod", "/", "A", "1").await;
    import(&bed, "/", ("prod", "/")).await;
    assert_eq!(imports(&bed, "/").await, ["prod:/[A=1]"]);
    assert_eq!(bed.value("/", "A").await, "1");
    bed.put("prod", "/", "B", "2").await;
    assert_eq!(imports(&bed, "/").await, ["prod:/[A=1 B=2]"]);
    bed.folder("/c").await;
    import(&bed, "/", ("dev", "/c")).await;
    assert_eq!(imports(&bed, "/").await, ["prod:/[A=1 B=2]", "dev:/c[]"]);
}

#[tokio::test]
async fn r7_statements_do_not_grow_with_imports() {
    let mut counts = Vec::new();
    for size in [2, 60] {
        let bed = Bed::remembering(0).await;
        for n in 0..size {
            bed.folder(&format!("/f{n}")).await;
            bed.create(&format!("/f{n}"), "K", "${L}").await;
            import(&bed, "/", ("dev", &format!("/f{n}"))).await;
        }
        let before = bed.core.store.statements();
        assert_eq!(imports(&bed, "/").await.len(), size);
        let listed = bed.core.store.statements();
        assert_eq!(bed.value("/", "K").await, "${L}");
        counts.push((listed - before, bed.core.store.statements() - listed));
    }
    // The list, two levels of imports, their secrets, what they refer to; and the same for one.
    assert_eq!(counts, [(5, 5), (5, 5)]);
}
