//! Precedence between secrets of one name.

use std::collections::{BTreeMap, HashSet};

use kms_api::secrets::{Secret, SecretsResponse};

/// The secrets of an answer: its own, then those of its imports that have other names. Among
/// imports a later one wins, as in the compatible client (wire contract, clients §2.3).
pub(crate) fn listed(answer: SecretsResponse) -> Vec<Secret> {
    let mut secrets = answer.secrets;
    let mut taken: HashSet<String> = secrets.iter().map(|it| it.secret_key.clone()).collect();
    for import in answer.imports.into_iter().rev() {
        for mut secret in import.secrets {
            if taken.insert(secret.secret_key.clone()) {
                secret.secret_path.get_or_insert_with(|| import.secret_path.clone());
                secrets.push(secret);
            }
        }
    }
    secrets
}

/// One secret of each name, by name: the last, so that a later folder wins.
pub(crate) fn unique(secrets: Vec<Secret>) -> Vec<Secret> {
    let by_name: BTreeMap<String, Secret> =
        secrets.into_iter().map(|secret| (secret.secret_key.clone(), secret)).collect();
    by_name.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, value: &str) -> serde_json::Value {
        let id = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
        serde_json::json!({
            "id": id, "_id": id, "workspace": id, "environment": "dev", "version": 1,
            "type": "shared", "secretKey": name, "secretValue": value,
        })
    }

    fn values(secrets: &[Secret]) -> Vec<&str> {
        secrets.iter().map(|secret| secret.secret_value.expose()).collect()
    }

    #[test]
    fn own_secrets_win_then_the_last_import() {
        let answer = serde_json::json!({
            "secrets": [secret("A", "own")],
            "imports": [
                {"secretPath": "/1", "environment": "dev",
                 "secrets": [secret("A", "1"), secret("B", "1"), secret("C", "1")]},
                {"secretPath": "/2", "environment": "dev",
                 "secrets": [secret("A", "2"), secret("B", "2")]},
            ],
        });
        let merged = listed(serde_json::from_value(answer).unwrap());
        assert_eq!(values(&merged), ["own", "2", "1"]);
        assert_eq!(merged[2].secret_path.as_deref(), Some("/1"));
    }

    #[test]
    fn the_last_of_a_name_wins_and_names_are_in_order() {
        let list = [secret("B", "1"), secret("A", "2"), secret("B", "3")];
        let list = list.map(|secret| serde_json::from_value(secret).unwrap());
        assert_eq!(values(&unique(list.into())), ["2", "3"]);
    }
}
