//! Precedence between secrets of one name.
//!
//! Each folder that is named is settled by itself ([`listed`]): its own secrets, then its last
//! import, …, then its first. Within each of these a personal value stands in for the shared one.
//! Then a later folder wins ([`unique`]), and so does, in a recursive listing, a later row of the
//! server's order, which is by path.

use std::collections::{BTreeMap, HashMap, HashSet};

use kms_api::secrets::{Secret, SecretsResponse};

const PERSONAL: &str = "personal";

/// The secrets of an answer: its own, then those of its imports that have other names. Among
/// imports a later one wins, as in the compatible client (wire contract, clients §2.3). `personal`
/// says whether personal values replace the shared ones; else they are left out.
pub(crate) fn listed(answer: SecretsResponse, personal: bool) -> Vec<Secret> {
    let mut secrets = overridden(answer.secrets, personal);
    let mut taken: HashSet<String> = secrets.iter().map(|it| it.secret_key.clone()).collect();
    for import in answer.imports.into_iter().rev() {
        // Names of one import do not hide each other: what to do about them is the caller's.
        let mut new = Vec::new();
        for mut secret in overridden(import.secrets, personal) {
            if !taken.contains(&secret.secret_key) {
                secret.secret_path.get_or_insert_with(|| import.secret_path.clone());
                new.push(secret);
            }
        }
        taken.extend(new.iter().map(|secret| secret.secret_key.clone()));
        secrets.extend(new);
    }
    secrets
}

/// One row for each secret. A server may answer both the shared and the personal one; current
/// servers decide it themselves.
fn overridden(secrets: Vec<Secret>, personal: bool) -> Vec<Secret> {
    let is_personal = |secret: &Secret| secret.r#type == PERSONAL;
    if !secrets.iter().any(is_personal) {
        return secrets;
    }
    if !personal {
        return secrets.into_iter().filter(|secret| !is_personal(secret)).collect();
    }
    let mut places: HashMap<(Option<String>, String), usize> = HashMap::new();
    let mut kept: Vec<Secret> = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let place = (secret.secret_path.clone(), secret.secret_key.clone());
        match places.get(&place) {
            Some(&at) if is_personal(&secret) != is_personal(&kept[at]) => {
                if is_personal(&secret) {
                    kept[at] = secret;
                }
            }
            _ => {
                places.insert(place, kept.len());
                kept.push(secret);
            }
        }
    }
    kept
}

/// One secret of each name, by name: the last, so that a later folder wins.
pub(crate) fn unique(secrets: Vec<Secret>) -> Vec<Secret> {
    let by_name: BTreeMap<String, Secret> =
        secrets.into_iter().map(|secret| (secret.secret_key.clone(), secret)).collect();
    by_name.into_values().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn row(name: &str, value: &str, kind: &str, path: Option<&str>) -> Value {
        let id = "0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d";
        let mut row = json!({
            "id": id, "_id": id, "workspace": id, "environment": "dev", "version": 1,
            "type": kind, "secretKey": name, "secretValue": value,
        });
        if let Some(path) = path {
            row["secretPath"] = path.into();
        }
        row
    }

    fn secret(name: &str, value: &str) -> Value {
        row(name, value, "shared", None)
    }

    fn import(path: &str, secrets: &[Value]) -> Value {
        json!({ "secretPath": path, "environment": "dev", "secrets": secrets })
    }

    fn answer(secrets: &[Value], imports: &[Value]) -> SecretsResponse {
        serde_json::from_value(json!({ "secrets": secrets, "imports": imports })).unwrap()
    }

    fn values(secrets: &[Secret]) -> Vec<&str> {
        secrets.iter().map(|secret| secret.secret_value.expose()).collect()
    }

    #[test]
    fn own_secrets_win_then_the_last_import() {
        let first = import("/1", &[secret("A", "1"), secret("B", "1"), secret("C", "1")]);
        let last = import("/2", &[secret("A", "2"), secret("B", "2")]);
        let merged = listed(answer(&[secret("A", "own")], &[first, last]), true);
        assert_eq!(values(&merged), ["own", "2", "1"]);
        assert_eq!(merged[2].secret_path.as_deref(), Some("/1"));
    }

    #[test]
    fn a_personal_value_replaces_the_shared_one_whichever_comes_first() {
        let shared = row("A", "shared", "shared", Some("/"));
        let personal = row("A", "mine", "personal", Some("/"));
        for pair in [[shared.clone(), personal.clone()], [personal, shared]] {
            assert_eq!(values(&listed(answer(&pair, &[]), true)), ["mine"]);
            assert_eq!(values(&listed(answer(&pair, &[]), false)), ["shared"]);
        }
    }

    #[test]
    fn a_personal_value_counts_in_its_own_folder_alone() {
        let rows = [row("A", "mine", "personal", Some("/a")), row("A", "b", "shared", Some("/b"))];
        let merged = listed(answer(&rows, &[]), true);
        assert_eq!(values(&merged), ["mine", "b"]);
        assert_eq!(values(&unique(merged)), ["b"]);
    }

    #[test]
    fn a_personal_value_of_an_import_does_not_beat_the_folders_own() {
        let imported = import("/1", &[row("A", "mine", "personal", None)]);
        assert_eq!(values(&listed(answer(&[secret("A", "own")], &[imported]), true)), ["own"]);
    }

    #[test]
    fn a_recursive_listing_keeps_every_row_until_one_of_each_name_is_wanted() {
        let rows = [
            row("A", "root", "shared", Some("/")),
            row("A", "below", "shared", Some("/a")),
            row("A", "deeper", "shared", Some("/a/b")),
        ];
        let merged = listed(answer(&rows, &[import("/x", &[secret("A", "imported")])]), true);
        assert_eq!(values(&merged), ["root", "below", "deeper"]);
        assert_eq!(values(&unique(merged)), ["deeper"]);
    }

    #[test]
    fn an_import_of_a_later_folder_beats_what_an_earlier_folder_has() {
        let mut rows = listed(answer(&[secret("A", "first")], &[]), true);
        rows.extend(listed(answer(&[], &[import("/x", &[secret("A", "second")])]), true));
        assert_eq!(values(&unique(rows)), ["second"]);
    }

    #[test]
    fn the_last_of_a_name_wins_and_names_are_in_order() {
        let list = [secret("B", "1"), secret("A", "2"), secret("B", "3")];
        let list = list.map(|secret| serde_json::from_value(secret).unwrap());
        assert_eq!(values(&unique(list.into())), ["2", "3"]);
    }
}
