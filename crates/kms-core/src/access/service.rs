//! What a service token may do.

use kms_api::{
    permissions::{Actions, Rule},
    service_tokens::{Permission, Scope},
};
use kms_crypto::{RowKey, RowMac};
use kms_store::service_tokens::ServiceTokenRow;
use serde_json::json;

use super::{Action, RuleSet, Subject};

/// The authentication of a service token's row. When it was used and what it is called grant
/// nothing.
pub(crate) fn service_token_mac(key: &RowKey, row: &ServiceTokenRow) -> RowMac {
    let mac = key
        .mac("service_tokens")
        .uuid(row.id.uuid())
        .uuid(row.org_id.uuid())
        .uuid(row.project_id.uuid())
        .text(&row.scopes)
        .text(&row.permissions)
        .bytes(&row.secret_hash)
        .uuid(row.created_by.uuid());
    match row.expires_at {
        Some(at) => mac.int(at),
        None => mac,
    }
}

/// The rules that scopes and permissions stand for (wire contract, rule JSON): secrets, folders and
/// imports of these places, and nothing else.
pub(crate) fn rules_of_scopes(scopes: &[Scope], permissions: &[Permission]) -> RuleSet {
    use Action::{Create, Delete, DescribeSecret, Edit, Read, ReadValue};
    const WRITE: &[Action] = &[Create, Edit, Delete];
    let of = |permission| permissions.contains(&permission);
    let mut granted: Vec<(Subject, &[Action])> = Vec::new();
    if of(Permission::Read) {
        granted.push((Subject::Secrets, &[DescribeSecret, ReadValue]));
        granted.push((Subject::SecretFolders, &[Read]));
        granted.push((Subject::SecretImports, &[Read]));
    }
    if of(Permission::Write) {
        let subjects = [Subject::Secrets, Subject::SecretFolders, Subject::SecretImports];
        granted.extend(subjects.map(|subject| (subject, WRITE)));
    }
    RuleSet::new(scopes.iter().flat_map(|scope| {
        let conditions = json!({
            "environment": { "$eq": scope.environment },
            "secretPath": { "$glob": scope.secret_path },
        });
        let conditions = conditions.as_object().cloned();
        granted.iter().map(move |(subject, actions)| Rule {
            subject: subject.as_str().into(),
            action: Actions::Many(actions.iter().map(|action| action.as_str().into()).collect()),
            inverted: false,
            conditions: conditions.clone(),
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Attributes;

    fn scope(environment: &str, path: &str) -> Scope {
        Scope { environment: environment.into(), secret_path: path.into() }
    }

    #[test]
    fn a_service_token_reaches_its_places_and_nothing_else() {
        let scopes = [scope("dev", "/app/**"), scope("prod", "/")];
        let rules = rules_of_scopes(&scopes, &[Permission::Read]);
        for (environment, path, reached) in [
            ("dev", "/app", true),
            ("dev", "/app/x/y", true),
            ("dev", "/", false),
            ("prod", "/", true),
            ("prod", "/app", false),
            ("staging", "/", false),
        ] {
            let at = Attributes {
                environment: Some(environment),
                secret_path: Some(path),
                secret_name: Some("A"),
                ..Attributes::default()
            };
            for subject in Subject::ALL {
                for action in Action::ALL {
                    let place = [Subject::SecretFolders, Subject::SecretImports].contains(subject);
                    let read = match action {
                        Action::DescribeSecret | Action::ReadValue => *subject == Subject::Secrets,
                        Action::Read => place,
                        _ => false,
                    };
                    let allowed = rules.allows(*action, *subject, &at);
                    assert_eq!(allowed, read && reached, "{action:?} {subject:?} {path}");
                }
            }
        }
    }

    #[test]
    fn writing_is_not_reading() {
        let rules = rules_of_scopes(&[scope("dev", "/**")], &[Permission::Write]);
        let at = Attributes {
            environment: Some("dev"),
            secret_path: Some("/x"),
            secret_name: Some("A"),
            ..Attributes::default()
        };
        assert!(rules.allows(Action::Create, Subject::Secrets, &at));
        assert!(rules.allows(Action::Delete, Subject::SecretFolders, &at));
        assert!(!rules.allows(Action::ReadValue, Subject::Secrets, &at));
        assert!(!rules.allows(Action::DescribeSecret, Subject::Secrets, &at));
    }
}
