//! What is shown is what the rules say, checked against a second, simpler reading of them.

use kms_api::wire::WireBool;
use kms_crypto::{Entropy as _, SeededEntropy};
use serde_json::{Value, json};

use super::refused;
use crate::testbed::Bed;

const PATHS: [&str; 4] = ["/", "/a", "/a/b", "/ab"];
const NAMES: [&str; 3] = ["KEY", "KEY_2", "other"];
const GLOBS: [&str; 6] = ["/", "/a", "/a/**", "/a/*", "/**", "/ab"];
const ACTIONS: [&str; 4] = ["read", "describeSecret", "readValue", "edit"];

struct Dice(SeededEntropy);

impl Dice {
    fn roll(&self, sides: usize) -> usize {
        let mut byte = [0; 4];
        self.0.fill(&mut byte);
        u32::from_be_bytes(byte) as usize % sides
    }

    fn pick<'a>(&self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn rule(&self) -> Value {
        let mut rule = json!({ "subject": "secrets", "action": [self.pick(&ACTIONS)] });
        if self.roll(3) == 0 {
            rule["inverted"] = true.into();
        }
        let mut conditions = json!({});
        if self.roll(3) == 0 {
            conditions["environment"] = self.pick(&["dev", "prod"]).into();
        }
        match self.roll(4) {
            0 => conditions["secretPath"] = json!({ "$glob": self.pick(&GLOBS) }),
            1 => conditions["secretPath"] = self.pick(&PATHS).into(),
            _ => {}
        }
        match self.roll(4) {
            0 => conditions["secretName"] = json!({ "$ne": self.pick(&NAMES) }),
            1 => {
                conditions["secretName"] = json!({ "$in": [self.pick(&NAMES), self.pick(&NAMES)] });
            }
            _ => {}
        }
        rule["conditions"] = conditions;
        rule
    }
}

/// The patterns above, spelled out.
fn glob(pattern: &str, path: &str) -> bool {
    match pattern {
        "/**" => true,
        "/a/**" => path == "/a" || path.starts_with("/a/"),
        "/a/*" => path == "/a/b",
        exact => exact == path,
    }
}

/// The last rule that speaks of it decides.
fn oracle(rules: &[Value], action: &str, path: &str, name: &str) -> bool {
    let mut allowed = false;
    for rule in rules {
        let given = rule["action"][0].as_str().unwrap();
        let speaks = given == action || (given == "read" && action != "edit");
        let conditions = &rule["conditions"];
        let environment = conditions.get("environment").is_none_or(|slug| slug == "dev");
        let at = match conditions.get("secretPath") {
            None => true,
            Some(Value::String(exact)) => exact == path,
            Some(operator) => glob(operator["$glob"].as_str().unwrap(), path),
        };
        let of = conditions.get("secretName").is_none_or(|operator| {
            operator.get("$ne").is_none_or(|not| not != name)
                && operator["$in"].as_array().is_none_or(|names| names.contains(&name.into()))
        });
        if speaks && environment && at && of {
            allowed = rule.get("inverted").is_none();
        }
    }
    allowed
}

#[tokio::test]
async fn t3_lists_and_single_reads_show_exactly_what_the_rules_allow() {
    let bed = Bed::new().await;
    for path in PATHS {
        if path != "/" {
            bed.folder(path).await;
        }
        for name in NAMES {
            bed.create(path, name, "v").await;
        }
    }
    let dice = Dice(SeededEntropy::new(42));
    let (mut shown, mut forbidden) = (0, 0);
    for round in 0..300 {
        let rules: Vec<_> = (0..=dice.roll(5)).map(|_| dice.rule()).collect();
        let caller = bed.machine(json!(rules)).await;
        for asked in PATHS {
            for (recursive, values) in [(false, true), (true, true), (false, false), (true, false)]
            {
                let mut query = bed.all(asked, recursive);
                query.view_secret_value = Some(WireBool(values));
                let listed = bed.list_as(&caller, &query).await;
                let found = expected(&rules, asked, recursive, values);
                let told = format!("round {round}: {rules:?} {asked} {recursive} {values}");
                match listed {
                    Ok(secrets) => {
                        let key = |s: kms_api::secrets::Secret| {
                            format!("{}:{}", s.secret_path.unwrap(), s.secret_key)
                        };
                        let keys: Vec<_> = secrets.into_iter().map(key).collect();
                        // A caller without any right at all may be refused instead.
                        assert_eq!(Some(&keys), found.as_ref(), "{told}");
                        shown += keys.len();
                    }
                    refusal => {
                        assert_eq!(refused(refusal), 403, "{told}");
                        let nothing = found.is_none_or(|found| found.is_empty());
                        assert!(nothing, "{told}");
                        forbidden += 1;
                    }
                }
            }
            for name in NAMES {
                for values in [true, false] {
                    let mut query = bed.one(asked);
                    query.view_secret_value = Some(WireBool(values));
                    let read = bed.get_as(&caller, name, &query).await;
                    let may = oracle(&rules, "describeSecret", asked, name)
                        && (!values || oracle(&rules, "readValue", asked, name));
                    assert_eq!(read.is_ok(), may, "round {round}: {rules:?} {asked}:{name}");
                }
            }
        }
    }
    assert!(shown > 1_000 && forbidden > 1_000, "{shown} {forbidden}: the rules are too simple");
}

/// What is listed; `None` when the list is refused.
fn expected(rules: &[Value], asked: &str, recursive: bool, values: bool) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for path in PATHS {
        let below = asked == "/" || path.starts_with(&format!("{asked}/"));
        if path != asked && !(recursive && below) {
            continue;
        }
        for name in NAMES {
            if !oracle(rules, "describeSecret", path, name) {
                continue;
            }
            if values && !oracle(rules, "readValue", path, name) {
                if path == asked {
                    return None;
                }
                continue;
            }
            found.push(format!("{path}:{name}"));
        }
    }
    Some(found)
}

#[tokio::test]
async fn t3_whoever_may_not_read_a_secret_cannot_tell_whether_it_is_there() {
    let bed = Bed::new().await;
    bed.create("/", "THERE", "v").await;
    let caller = bed
        .machine(json!([{"subject": "secrets", "action": ["read", "create", "edit", "delete"],
            "conditions": {"secretName": "OTHER"}}]))
        .await;
    let mut answers = Vec::new();
    for name in ["THERE", "MISSING"] {
        let read = bed.get_as(&caller, name, &bed.one("/")).await.err().unwrap();
        let made = bed.create_as(&caller, "/", name, "x").await.err().unwrap();
        let changed = bed.update_as(&caller, "/", name, "x").await.err().unwrap();
        let deleted = bed.delete_as(&caller, "/", name).await.err().unwrap();
        let errors = [read, made, changed, deleted];
        assert!(errors.iter().all(|error| super::status(error) == 403));
        answers.push(errors.map(|error| error.to_string()));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn t3_a_rename_needs_the_right_to_both_names() {
    let bed = Bed::new().await;
    bed.create("/", "PRIVATE", "v").await;
    let caller = bed
        .machine(json!([
            {"subject": "secrets", "action": ["edit"]},
            {"subject": "secrets", "action": ["read"], "conditions": {"secretName": "PUBLIC"}},
            {"subject": "secrets", "action": ["edit"], "inverted": true,
             "conditions": {"secretName": "LOCKED"}},
        ]))
        .await;
    let rename = |to: &str| kms_api::secrets::UpdateSecret {
        secret: kms_api::secrets::CreateSecret {
            fields: kms_api::secrets::SecretFields::default(),
            ..bed.body("/", "")
        },
        new_secret_name: Some(to.into()),
    };
    let outcome = bed.core.update_secret(&caller, "PRIVATE", &rename("LOCKED")).await;
    assert_eq!(refused(outcome), 403);
    // Whoever could not read it could read it then, or somebody else could.
    assert_eq!(refused(bed.core.update_secret(&caller, "PRIVATE", &rename("PUBLIC")).await), 403);
    assert_eq!(refused(bed.core.update_secret(&caller, "PRIVATE", &rename("OTHER")).await), 403);
    assert_eq!(refused(bed.get_as(&caller, "PUBLIC", &bed.one("/")).await), 404);
    assert_eq!(bed.value("/", "PRIVATE").await, "v");
    // What is read may be renamed, also out of sight.
    bed.create("/", "PUBLIC", "v").await;
    let renamed = bed.core.update_secret(&caller, "PUBLIC", &rename("MINE")).await.unwrap();
    assert!(renamed.secret.secret_value_hidden, "not theirs to read any more");
}

#[tokio::test]
async fn t4_another_name_in_a_batch_shows_nobody_more() {
    let bed = Bed::new().await;
    bed.create("/", "PRIVATE", "v").await;
    let caller = bed
        .machine(json!([
            {"subject": "secrets", "action": ["edit", "describeSecret"]},
            {"subject": "secrets", "action": ["read"], "conditions": {"secretName": "PUBLIC"}},
        ]))
        .await;
    let batch = |value: Option<&str>| -> kms_api::secrets::BatchBody {
        let mut secret = json!({ "secretKey": "PRIVATE", "newSecretName": "PUBLIC" });
        if let Some(value) = value {
            secret["secretValue"] = value.into();
        }
        serde_json::from_value(json!({ "projectId": bed.project, "environment": "dev",
            "secrets": [secret] }))
        .unwrap()
    };
    assert_eq!(refused(bed.core.update_secrets(&caller, &batch(None)).await), 403);
    assert_eq!(bed.value("/", "PRIVATE").await, "v");
    // With a value of one's own there is nothing to learn, and the history stays shut.
    bed.core.update_secrets(&caller, &batch(Some("mine"))).await.unwrap();
    let read = bed.get_as(&caller, "PUBLIC", &bed.one("/")).await.unwrap();
    assert_eq!(read.secret_value.expose(), "mine");
    let mut former = bed.one("/");
    former.version = Some("1".into());
    assert_eq!(refused(bed.get_as(&caller, "PUBLIC", &former).await), 403);
}
