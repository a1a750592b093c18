use kms_api::{
    secrets::{CreateSecret, ReferenceNode, UpdateSecret},
    wire::WireBool,
};
use serde_json::json;

use super::refused;
use crate::{Caller, Error, testbed::Bed};

/// May read everything in `dev`, and nothing else.
async fn of_dev(bed: &Bed) -> Caller {
    bed.machine(json!([{"subject": "secrets", "action": "read",
        "conditions": {"environment": "dev"}}, {"subject": "secrets", "action": ["create", "edit"]}]))
        .await
}

#[tokio::test]
async fn v4_expands_unless_told_not_to_and_v3_only_when_told_to() {
    let bed = Bed::new().await;
    bed.create("/", "HOST", "db").await;
    let id = bed.create("/", "URL", "pg://${HOST}").await.id.to_string();
    let (mut one, mut all) = (bed.one("/"), bed.all("/", false));
    for (told, v4, v3) in [
        (None, "pg://db", "pg://${HOST}"),
        (Some(true), "pg://db", "pg://db"),
        (Some(false), "pg://${HOST}", "pg://${HOST}"),
    ] {
        one.expand_secret_references = told.map(WireBool);
        all.expand_secret_references = told.map(WireBool);
        let core = &bed.core;
        for (value, answers) in [
            (
                v4,
                [
                    core.get_secret(&bed.admin, "URL", &one).await,
                    core.list_secrets(&bed.admin, &all).await,
                ],
            ),
            (
                v3,
                [
                    core.get_secret_v3(&bed.admin, "URL", &one).await,
                    core.list_secrets_v3(&bed.admin, &all).await,
                ],
            ),
        ] {
            for answer in answers {
                let body = String::from_utf8(answer.unwrap().body.to_vec()).unwrap();
                assert!(body.contains(&format!("\"{value}\"")), "{told:?} {body}");
            }
        }
    }
    let stored = bed.core.get_secret_by_id(&bed.admin, &id).await.unwrap();
    assert!(String::from_utf8_lossy(&stored.body).contains("pg://${HOST}"));
}

#[tokio::test]
async fn r7_t10_every_hop_is_authorised_as_the_caller() {
    let bed = Bed::new().await;
    bed.put("prod", "/", "KEY", "secret").await;
    bed.create("/", "HOP", "${prod.KEY}").await;
    bed.create("/", "START", "${HOP}").await;
    assert_eq!(bed.value("/", "START").await, "secret");
    let machine = of_dev(&bed).await;
    let told = async |name: &str| {
        bed.get_as(&machine, name, &bed.one("/")).await.err().unwrap().to_string()
    };
    let expected = "Secret 'START' in environment 'dev' at path '/' refers to '${prod.KEY}', which \
                    you are not allowed to read";
    assert_eq!(told("START").await, expected);
    let listed = bed.list_as(&machine, &bed.all("/", false)).await.err().unwrap();
    assert_eq!(listed.to_string(), "Failed to expand one or more secret references");
    let Error::References(messages) = listed else { panic!("{listed:?}") };
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages.contains(&expected.to_owned()));
    let mut stored = bed.all("/", false);
    stored.expand_secret_references = Some(WireBool(false));
    assert_eq!(bed.list_as(&machine, &stored).await.unwrap().len(), 2);
}

/// What may not be read cannot be told from what is not there.
#[tokio::test]
async fn t3_a_reference_tells_nobody_what_exists() {
    let bed = Bed::new().await;
    bed.put("prod", "/", "KEY", "secret").await;
    let machine = of_dev(&bed).await;
    for (name, value) in [("A", "${prod.KEY}"), ("B", "${prod.NONE}"), ("C", "${prod.none.KEY}")] {
        bed.create("/", name, value).await;
        let error = bed.get_as(&machine, name, &bed.one("/")).await.err().unwrap();
        let same = format!(
            "Secret '{name}' in environment 'dev' at path '/' refers to '{value}', which you are \
             not allowed to read"
        );
        assert_eq!(error.to_string(), same);
        assert_eq!(refused(bed.create_as(&machine, "/", "NEW", value).await), 403);
        assert_eq!(refused(bed.update_as(&machine, "/", name, value).await), 403);
    }
    // There is no such environment, so it is text.
    let text = bed.create_as(&machine, "/", "TEXT", "${spring.datasource.url}").await.unwrap();
    let read = bed.get_as(&machine, "TEXT", &bed.one("/")).await.unwrap();
    assert_eq!(read.secret_value.expose(), text.secret_value.expose());
}

#[tokio::test]
async fn a_write_may_refer_to_what_its_writer_may_describe() {
    let bed = Bed::new().await;
    bed.put("prod", "/", "KEY", "secret").await;
    let writer = bed
        .machine(json!([{"subject": "secrets", "action": "describeSecret"},
            {"subject": "secrets", "action": ["create", "edit"]}]))
        .await;
    assert_eq!(refused(bed.create_as(&writer, "/", "A", "${prod.KEY}${NONE}").await), 200);
    let machine = of_dev(&bed).await;
    let error = bed.create_as(&machine, "/", "B", "x${prod.KEY}").await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "The value refers to secret 'KEY' in environment 'prod' at path '/', which you are not \
         allowed to refer to"
    );
    let batch = |mode: &str| {
        serde_json::from_value(json!({ "projectId": bed.project, "environment": "dev",
            "mode": mode, "secrets": [{ "secretKey": "A", "secretValue": "${prod.KEY}" }] }))
        .unwrap()
    };
    assert_eq!(refused(bed.core.update_secrets(&machine, &batch("upsert")).await), 403);
    assert_eq!(refused(bed.core.create_secrets(&machine, &batch("ignore")).await), 403);
}

#[tokio::test]
async fn several_lines_become_one_only_where_references_were_expanded() {
    let bed = Bed::new().await;
    bed.create("/", "LINES", "a\nb").await;
    for (name, value, expected) in [
        ("WITH", "${LINES}", "\"a\\nb\""),
        ("WITHOUT", "a\nb", "a\nb"),
        ("ONE", "${NONE}", "${NONE}"),
    ] {
        let mut body = bed.body("/", value);
        body.fields.skip_multiline_encoding = Some(Some(true));
        bed.core.create_secret(&bed.admin, name, &body).await.unwrap();
        assert_eq!(bed.value("/", name).await, expected);
    }
}

/// A project in which the secrets of `/` refer to three others each, of which some lead on.
async fn referring(secrets: usize) -> Bed {
    let bed = Bed::remembering(0).await;
    for path in ["/a", "/b"] {
        bed.folder(path).await;
    }
    let write = async |path: &str, value: &dyn Fn(usize) -> String| {
        let secrets: Vec<_> = (0..secrets)
            .map(|n| json!({ "secretKey": format!("K{n}"), "secretValue": value(n) }))
            .collect();
        let body = json!({ "projectId": bed.project, "environment": "dev", "secretPath": path,
            "secrets": secrets });
        bed.core.create_secrets(&bed.admin, &serde_json::from_value(body).unwrap()).await.unwrap();
    };
    write("/b", &|n| n.to_string()).await;
    write("/a", &|n| format!("${{dev.b.K{n}}}")).await;
    write("/", &|n| format!("${{dev.a.K{n}}}${{dev.b.K{n}}}${{NONE{n}}}")).await;
    bed
}

#[tokio::test]
async fn r7_statements_do_not_grow_with_references() {
    let mut counts = Vec::new();
    for size in [1, 1_000] {
        let bed = referring(size).await;
        let before = bed.core.store.statements();
        let listed = bed.list_as(&bed.admin, &bed.all("/", false)).await.unwrap();
        counts.push(bed.core.store.statements() - before);
        assert_eq!(listed[0].secret_value.expose(), "00${NONE0}");
        assert_eq!(listed.len(), size);
    }
    // The list, its imports, and what is referred to in one step and then in the next.
    assert_eq!(counts, [4, 4]);
}

#[tokio::test]
async fn r7_a_million_expansions_are_refused() {
    let bed = Bed::new().await;
    for step in 0..6 {
        let value = format!("${{K{}}}", step + 1).repeat(10);
        bed.create("/", &format!("K{step}"), &value).await;
    }
    bed.create("/", "K6", "x").await;
    let error = bed.list_as(&bed.admin, &bed.all("/", false)).await.err().unwrap();
    assert_eq!(super::status(&error), 400);
    assert!(error.to_string().starts_with("Secret references expand to more than"), "{error}");
    let mut stored = bed.all("/", false);
    stored.expand_secret_references = Some(WireBool(false));
    assert_eq!(bed.list_as(&bed.admin, &stored).await.unwrap().len(), 7);
}

#[tokio::test]
async fn what_is_remembered_ends_with_a_write_to_what_it_refers_to() {
    let bed = Bed::new().await;
    bed.put("prod", "/", "KEY", "1").await;
    bed.create("/", "A", "${prod.KEY}").await;
    for value in ["2", "3"] {
        bed.list_as(&bed.admin, &bed.all("/", false)).await.unwrap();
        bed.value("/", "A").await;
        let secret = CreateSecret { environment: Some("prod".into()), ..bed.body("/", value) };
        let body = UpdateSecret { secret, new_secret_name: None };
        bed.core.update_secret(&bed.admin, "KEY", &body).await.unwrap();
        let listed = bed.list_as(&bed.admin, &bed.all("/", false)).await.unwrap();
        assert_eq!(listed[0].secret_value.expose(), value);
        assert_eq!(bed.value("/", "A").await, value);
    }
}

fn drawn(node: &ReferenceNode) -> String {
    let children: Vec<_> = node.children.iter().map(drawn).collect();
    let value = node.value.as_ref().map(|value| format!("={}", value.expose()));
    let place = format!("{}:{}", node.environment, node.secret_path);
    format!("{place}{}{}[{}]", node.key, value.unwrap_or_default(), children.join(" "))
}

#[tokio::test]
async fn trees_show_what_a_secret_refers_to_and_what_refers_to_it() {
    let bed = Bed::new().await;
    bed.folder("/a").await;
    bed.create("/a", "LEAF", "1").await;
    bed.create("/a", "MID", "<${LEAF}>").await;
    bed.create("/", "TOP", "${dev.a.MID}${NONE}").await;
    let tree = bed.core.get_reference_tree(&bed.admin, "TOP", &bed.one("/")).await.unwrap();
    assert_eq!(
        drawn(&tree.tree),
        "dev:/TOP=${dev.a.MID}${NONE}[dev:/aMID=<${LEAF}>[dev:/aLEAF=1[]] dev:/NONE[]]"
    );
    assert_eq!(tree.value.unwrap().expose(), "<1>${NONE}");
    let query = bed.one("/a");
    let tree = bed.core.get_reference_dependents(&bed.admin, "LEAF", &query).await.unwrap();
    assert_eq!(drawn(&tree.tree), "dev:/aLEAF[dev:/aMID[dev:/TOP[]]]");
    // Who may not read a value learns nothing about what is in it.
    let machine = bed
        .machine(json!([{"subject": "secrets", "action": "describeSecret"},
            {"subject": "secrets", "action": "readValue", "conditions": {"secretPath": "/a"}}]))
        .await;
    let tree = bed.core.get_reference_dependents(&machine, "LEAF", &query).await.unwrap();
    assert_eq!(drawn(&tree.tree), "dev:/aLEAF[dev:/aMID[]]");
    let top = bed.core.get_reference_tree(&machine, "TOP", &bed.one("/")).await;
    assert_eq!(refused(top), 403);
}

#[tokio::test]
async fn r7_trees_end_at_cycles_and_limits() {
    let bed = Bed::new().await;
    bed.create("/", "A", "${B}").await;
    bed.create("/", "B", "${A}").await;
    let query = bed.one("/");
    let tree = bed.core.get_reference_tree(&bed.admin, "A", &query).await.unwrap();
    assert_eq!(drawn(&tree.tree), "dev:/A=${B}[dev:/B=${A}[dev:/A=${B}[]]]");
    let tree = bed.core.get_reference_dependents(&bed.admin, "A", &query).await.unwrap();
    assert_eq!(drawn(&tree.tree), "dev:/A[dev:/B[dev:/A[]]]");
    for step in 0..5 {
        let value = format!("${{K{}}}", step + 1).repeat(10);
        bed.create("/", &format!("K{step}"), &value).await;
    }
    bed.create("/", "K5", "").await;
    let bomb = bed.core.get_reference_tree(&bed.admin, "K0", &query).await;
    assert_eq!(refused(bomb), 400);
}

/// However often a value names one thing, it is one question.
#[tokio::test]
async fn r7_the_references_of_a_write_are_bounded_and_each_asked_once() {
    let bed = Bed::new().await;
    bed.create("/", "SAME", &"${a}".repeat(100_000)).await;
    let different =
        |count: usize| (0..count).map(|n| format!("${{{n}}}")).collect::<Vec<_>>().concat();
    bed.create("/", "MOST", &different(10_000)).await;
    let error = bed.create_as(&bed.admin, "/", "MORE", &different(10_001)).await.err().unwrap();
    assert_eq!(error.to_string(), "A write holds at most 10000 different references");
}
