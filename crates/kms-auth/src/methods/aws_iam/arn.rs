//! Names of principals, field by field.

use crate::AuthError;

/// A principal, as STS names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Principal<'a> {
    pub(super) partition: &'a str,
    /// `iam` or `sts`.
    pub(super) service: &'a str,
    pub(super) account: &'a str,
    /// `user`, `role`, `instance-profile` or `assumed-role`.
    pub(super) kind: &'a str,
    /// Without its path; of an assumed role without the session.
    pub(super) name: &'a str,
}

impl<'a> Principal<'a> {
    /// Reads an ARN.
    pub(super) fn read(arn: &'a str) -> Result<Self, AuthError> {
        let unknown = || AuthError::denied("Access denied: not a principal that can log in.");
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", partition, service, "", account, resource] = parts[..] else {
            return Err(unknown());
        };
        if resource == "root" {
            return Err(AuthError::denied(
                "Access denied: AWS account root principals cannot use AWS Auth.",
            ));
        }
        let (kind, rest) = resource.split_once('/').ok_or_else(unknown)?;
        let name = match (service, kind) {
            ("sts", "assumed-role") => rest
                .split_once('/')
                .filter(|(_, session)| !session.contains('/'))
                .map(|(role, _)| role),
            ("iam", "user" | "role" | "instance-profile") => rest.rsplit('/').next(),
            _ => None,
        };
        let whole = !rest.contains(':') && rest.split('/').all(|part| !part.is_empty());
        let name = name.filter(|_| whole);
        let name = name.ok_or_else(unknown)?;
        Ok(Self { partition, service, account, kind, name })
    }
}

/// An ARN of the configuration; `*` is possible in the resource alone (attack C3).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ArnPattern<'a> {
    partition: &'a str,
    service: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> ArnPattern<'a> {
    /// Reads an ARN of the configuration.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service @ ("iam" | "sts"), "", account, resource] = parts[..] else {
            return None;
        };
        let is_partition = matches!(partition, "aws" | "aws-us-gov" | "aws-cn" | "aws-eusc");
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_kind = ["user/", "role/", "assumed-role/"]
            .iter()
            .any(|kind| resource.strip_prefix(kind).is_some_and(|name| !name.is_empty()));
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.@+=,*/-".contains(&byte);
        let is_resource = (is_kind || resource == "*") && resource.bytes().all(known);
        (is_partition && is_account && is_resource).then_some(Self {
            partition,
            service,
            account,
            resource,
        })
    }

    /// Whose it is.
    pub(super) fn partition(&self) -> &'a str {
        self.partition
    }

    /// Whether the principal is meant: as it is, or as the role that it has.
    pub(super) fn admits(&self, principal: &Principal<'_>) -> bool {
        let name = principal.name;
        let as_it_is = format!("{}/{name}", principal.kind);
        let as_role = format!("role/{name}");
        let is_role = matches!(principal.kind, "role" | "assumed-role" | "instance-profile");
        self.partition == principal.partition
            && self.account == principal.account
            && (self.service == principal.service && stars(self.resource, &as_it_is)
                || is_role && self.service == "iam" && stars(self.resource, &as_role))
    }
}

/// Whether a text matches a pattern in which `*` is any characters.
fn stars(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(end)
}
