use serde_json::json;

use super::*;

fn refused(rules: &Value) -> String {
    let Err(Error::Validation(issues)) = check("permissions", rules.as_array().unwrap()) else {
        panic!("{rules} is let through");
    };
    json!(issues[0].path).to_string()
}

#[test]
fn what_is_broken_is_named_by_its_path() {
    let on = |conditions: Value| {
        json!([{"subject": "tags", "action": "read"},
            {"subject": "secrets", "action": "read", "conditions": conditions}])
    };
    let at = |rest: &str| format!("[\"permissions\",1{rest}]");
    for (conditions, path) in [
        (json!("x"), ",\"conditions\""),
        (json!({"planet": "x"}), ",\"conditions\""),
        (json!({"environment": 7}), ",\"conditions\",\"environment\""),
        (json!({"environment": ""}), ",\"conditions\",\"environment\""),
        (json!({"environment": {}}), ",\"conditions\",\"environment\""),
        (json!({"environment": {"$re": "x"}}), ",\"conditions\",\"environment\""),
        (json!({"environment": {"$ne": 1}}), ",\"conditions\",\"environment\",\"$ne\""),
        (json!({"environment": {"$in": "x"}}), ",\"conditions\",\"environment\",\"$in\""),
        (json!({"environment": {"$in": []}}), ",\"conditions\",\"environment\",\"$in\""),
        (json!({"environment": {"$in": ["a", 1]}}), ",\"conditions\",\"environment\",\"$in\",1"),
        (json!({"secretPath": {"$glob": "!x"}}), ",\"conditions\",\"secretPath\",\"$glob\""),
        (
            json!({"secretPath": {"$glob": "/[a-{{identity.id}}]"}}),
            ",\"conditions\",\"secretPath\",\"$glob\"",
        ),
        (json!({"secretPath": "{{identity.x}}"}), ",\"conditions\",\"secretPath\""),
        (json!({"secretPath": "a".repeat(513)}), ",\"conditions\",\"secretPath\""),
        (json!({"secretTags": "x"}), ",\"conditions\",\"secretTags\""),
        (json!({"secretTags": {"$eq": "x"}}), ",\"conditions\",\"secretTags\""),
        (json!({"identityId": "x"}), ",\"conditions\""),
    ] {
        assert_eq!(refused(&on(conditions.clone())), at(path), "{conditions}");
    }
    for (rule, path) in [
        (json!({"subject": "planets", "action": "read"}), ",\"subject\""),
        (json!({"subject": 7, "action": "read"}), ",\"subject\""),
        (json!({"action": "read"}), ",\"subject\""),
        (json!({"subject": "sso", "action": "read"}), ",\"subject\""),
        (json!({"subject": "tags"}), ",\"action\""),
        (json!({"subject": "tags", "action": []}), ",\"action\""),
        (json!({"subject": "tags", "action": "readValue"}), ",\"action\""),
        (json!({"subject": "tags", "action": ["read", "fly"]}), ",\"action\",1"),
        (json!({"subject": "tags", "action": "read", "inverted": "yes"}), ",\"inverted\""),
        (
            json!({"subject": "tags", "action": "read", "conditions": {"environment": "x"}}),
            ",\"conditions\"",
        ),
        (json!("tags"), ""),
        (json!(["read"]), ""),
        (json!(["read", "tags", 0, "x"]), ""),
    ] {
        let rules = json!([{"subject": "tags", "action": "read"}, rule]);
        assert_eq!(refused(&rules), at(path), "{rule}");
    }
    let many = vec![json!({"subject": "tags", "action": "read"}); MAX_RULES + 1];
    assert_eq!(refused(&many.into()), "[\"permissions\"]");
    let text = "a".repeat(MAX_TEXT);
    let long = json!({"subject": "secrets", "action": "read",
        "conditions": {"secretName": {"$in": vec![text; 30]}}});
    assert_eq!(refused(&vec![long; 5].into()), "[\"permissions\"]");
}

/// A denial of what nothing can be would forbid nothing.
#[test]
fn t3_texts_that_nothing_can_be_are_refused() {
    let of = |subject: &str, property: &str, operand: &Value| {
        json!([{"subject": subject, "action": "read", "inverted": true,
            "conditions": {property: operand}}])
    };
    let all = |text: &str| {
        [
            json!(text),
            json!({"$eq": text}),
            json!({"$ne": text}),
            json!({"$in": ["{{identity.id}}", text]}),
        ]
    };
    let secrets = "secrets";
    for (subject, property, bad, good) in [
        (
            secrets,
            "secretPath",
            &[
                "/prod/",
                "prod",
                "prod/",
                "//",
                "/a//b",
                "/a b",
                "/a/../b",
                "/a/*",
                "x{{identity.id}}",
            ][..],
            &["/", "/prod", "/a/b-c_D", "/u/{{identity.id}}", "{{identity.metadata.home}}/x"][..],
        ),
        ("secret-folders", "secretPath", &["/prod/"], &["/prod"]),
        (
            secrets,
            "environment",
            &["Prod", "prod ", "a_b", "a--b", "prod/"],
            &["prod", "a-{{identity.id}}"],
        ),
        (
            secrets,
            "secretName",
            &["a/b", "a:b", " A", "A "],
            &["A", "a b.c", "{{identity.username}}"],
        ),
        (
            "identity",
            "identityId",
            &["ada", "0190A6E2-7B1C-7DEF-8A3B-5C6D7E8F9A0B"],
            &["0190a6e2-7b1c-7def-8a3b-5c6d7e8f9a0b", "{{identity.id}}"],
        ),
    ] {
        let in_alone = |operand: &Value| subject != "identity" || operand["$in"].is_null();
        for text in bad {
            for operand in all(text).into_iter().filter(in_alone) {
                assert!(refused(&of(subject, property, &operand)).contains(property), "{operand}");
            }
        }
        for text in good {
            for operand in [json!({"$eq": text}), json!({"$in": [text]})] {
                let rules = of(subject, property, &operand);
                check("permissions", rules.as_array().unwrap()).unwrap();
            }
        }
    }
    for (property, bad, good) in [
        (
            "secretPath",
            &["prod/**", "*", "*/a", "?a", "/a\\-b"][..],
            &["/a/*", "**", "/{a,b}/**", "{{identity.metadata.home}}/*"][..],
        ),
        ("environment", &["a/*", "a\\-*"], &["dev-*", "{dev,qa}"]),
        ("secretName", &["a/*", "a:*"], &["A_*", "a\\[*"]),
    ] {
        for pattern in bad {
            let rules = of(secrets, property, &json!({"$glob": pattern}));
            assert!(refused(&rules).contains("$glob"), "{pattern}");
        }
        for pattern in good {
            let rules = of(secrets, property, &json!({"$glob": pattern}));
            check("permissions", rules.as_array().unwrap()).unwrap();
        }
    }
    let tags = of(secrets, "secretTags", &json!({"$in": ["Locked"]}));
    assert!(refused(&tags).contains("secretTags"));
}

#[test]
fn h10_the_patterns_of_a_role_have_a_length_together() {
    let rules = |count: usize| {
        let pattern = format!("{}*", "*a".repeat(255));
        let rule = json!({"subject": "secrets", "action": "read",
            "conditions": {"secretName": {"$glob": pattern}}});
        vec![rule; count].into()
    };
    let eight: Value = rules(8);
    assert_eq!(check("permissions", eight.as_array().unwrap()).unwrap().len(), 8);
    assert_eq!(refused(&rules(9)), "[\"permissions\"]");
}

#[test]
fn rules_of_every_form_of_the_contract_are_read() {
    let sent = json!([
        {"subject": "secrets", "action": ["readValue", "readValue"], "inverted": true,
         "conditions": {"environment": {"$in": ["a", "{{identity.metadata.env}}"]},
            "secretPath": {"$glob": "/u/{{ identity.id }}/**", "$ne": "/u/x"},
            "secretTags": {"$in": ["x"]}, "secretName": "A"}},
        {"subject": "workspace", "action": "edit", "conditions": null, "inverted": null},
        {"subject": "tags", "action": "read", "conditions": {}, "unknown": 1},
        ["read,edit", "secret-folders", {"environment": "dev"}, 1],
        ["read", "role"],
    ]);
    let rules = check("permissions", sent.as_array().unwrap()).unwrap();
    let wire = json!([
        {"subject": "secrets", "action": ["readValue"], "inverted": true,
         "conditions": sent[0]["conditions"]},
        {"subject": "project", "action": "edit"},
        {"subject": "tags", "action": "read"},
        {"subject": "secret-folders", "action": ["read", "edit"], "inverted": true,
         "conditions": {"environment": "dev"}},
        {"subject": "role", "action": ["read"]},
    ]);
    assert_eq!(json!(rules), wire);
}

#[test]
fn d6_no_refusal_repeats_what_was_sent() {
    for rule in [
        json!({"subject": "canary", "action": "read"}),
        json!({"subject": "secrets", "action": "canary"}),
        json!({"subject": "secrets", "action": "read", "conditions": {"canary": "x"}}),
        json!({"subject": "secrets", "action": "read",
            "conditions": {"environment": {"canary": "x"}}}),
        json!({"subject": "secrets", "action": "read",
            "conditions": {"environment": "{{canary}}"}}),
        json!({"subject": "secrets", "action": "read",
            "conditions": {"secretPath": {"$glob": "!canary"}}}),
    ] {
        let error = check("permissions", &[rule]).unwrap_err();
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}
