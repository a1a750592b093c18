//! Rules as the oldest routes of roles have them: what they say about secrets they say about folders
//! and imports, too.
//!
//! Nothing is decided here: what comes out is read, checked and kept as rules of every other route.

use kms_api::permissions::Rule;
use serde_json::{Map, Value, json};

/// What rules about secrets stand for as well.
const ALSO: [&str; 2] = ["secret-folders", "secret-imports"];
/// What can be done with those.
const ACTIONS: [&str; 4] = ["read", "create", "edit", "delete"];
/// What conditions about those can be about.
const PROPERTIES: [&str; 2] = ["environment", "secretPath"];

/// Adds the rules about folders and imports, unless there are such rules. What is not a rule stays
/// what it is.
pub fn read(rules: Vec<Value>) -> Vec<Value> {
    if rules.iter().any(|rule| ALSO.iter().any(|subject| rule["subject"] == *subject)) {
        return rules;
    }
    let also = |rule: &Value| ALSO.iter().filter_map(|subject| about(rule, subject)).collect();
    rules
        .into_iter()
        .flat_map(|rule| {
            let mut also: Vec<_> = also(&rule);
            also.insert(0, rule);
            also
        })
        .collect()
}

/// Leaves out the rules about folders and imports.
pub fn write(rules: Vec<Rule>) -> Vec<Rule> {
    rules.into_iter().filter(|rule| !ALSO.contains(&rule.subject.as_str())).collect()
}

/// A rule about secrets as one about another subject, where it says anything about that.
fn about(rule: &Value, subject: &str) -> Option<Value> {
    if rule["subject"] != "secrets" {
        return None;
    }
    let actions: Vec<&str> = match &rule["action"] {
        Value::Array(actions) => actions.iter().filter_map(Value::as_str).collect(),
        action => action.as_str().into_iter().collect(),
    };
    let actions: Vec<_> = actions.into_iter().filter(|it| ACTIONS.contains(it)).collect();
    let none = Map::new();
    let conditions = rule["conditions"].as_object().unwrap_or(&none);
    let is_narrower = !conditions.keys().all(|name| PROPERTIES.contains(&name.as_str()));
    if actions.is_empty() || is_narrower {
        return None;
    }
    Some(json!({
        "subject": subject,
        "action": actions,
        "inverted": rule["inverted"].as_bool().unwrap_or(false),
        "conditions": conditions,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_about_secrets_stand_for_folders_and_imports() {
        let sent = vec![
            json!({"subject": "secrets", "action": "read", "conditions": {"environment": "dev"}}),
            json!({"subject": "secrets", "action": ["readValue"]}),
            json!({"subject": "secrets", "action": "edit", "conditions": {"secretName": "A"}}),
            json!({"subject": "tags", "action": "read"}),
            json!("none"),
        ];
        let read = read(sent.clone());
        let subjects: Vec<_> = read.iter().map(|rule| rule["subject"].as_str()).collect();
        let [secrets, folders, imports] = ["secrets", "secret-folders", "secret-imports"].map(Some);
        assert_eq!(subjects, [secrets, folders, imports, secrets, secrets, Some("tags"), None]);
        assert_eq!(read[1]["conditions"], json!({"environment": "dev"}));
        assert_eq!(read[1]["action"], json!(["read"]));
        let rules = serde_json::from_value(json!(read[..3])).unwrap();
        assert_eq!(json!(write(rules)), json!(sent[..1]));
        let own = vec![sent[0].clone(), json!({"subject": "secret-folders", "action": "read"})];
        assert_eq!(super::read(own.clone()), own);
    }
}
