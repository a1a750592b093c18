//! The only place that decides who may.
//!
//! A role is a list of permission rules (wire contract, rule JSON); a [`RuleSet`] is the rules of
//! all roles that a caller has somewhere, in order. Every use case asks one of them before it
//! does anything; nothing is allowed that no rule allows.

mod builtin;
mod check;
mod conditions;
mod covers;
mod custom;
mod identity;
mod organization;
mod person;
mod project;
mod provider;
mod reach;
mod renamed;
mod rules;
mod service;
mod templates;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use builtin::{CUSTOM, ORGANIZATION_ROLES, PROJECT_ROLES, organization_role, project_role};
pub use check::{MAX_BYTES, MAX_PATTERNS, MAX_RULES, MAX_TEXT, MAX_TEXTS};
pub use project::{ProjectAccess, RoleGrant};
pub use renamed::Renamed;
pub use rules::{Attributes, RuleSet, Weight};
pub use templates::Facts;
pub use vocabulary::{Action, Subject};

pub(crate) use builtin::is_reserved;
pub(crate) use check::check;
pub(crate) use conditions::is_literal;
pub(crate) use custom::custom_role_mac;
pub(crate) use identity::{auth_method_mac, client_secret_mac, identity_facts_mac, identity_mac};
pub(crate) use organization::{
    ACCEPTED, is_acting_member, organization_mac, organization_membership_mac,
};
pub(crate) use person::{
    authorization_code_mac, device_login_mac, passkey_mac, session_mac, user_mac,
};
pub(crate) use project::membership_mac;
pub(crate) use provider::{link_mac, provider_mac};
pub(crate) use service::{rules_of_scopes, service_token_mac};
