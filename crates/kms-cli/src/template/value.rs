//! What expressions of a template stand for.

use std::{collections::BTreeMap, fmt::Write as _};

use kms_api::secrets::Secret;
use secrecy::zeroize::Zeroizing;

/// A value of a template. Texts are wiped when dropped, since most of them are secrets.
#[derive(Clone, PartialEq)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Text(Zeroizing<String>),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }

    /// A secret, with the field names of the compatible CLI.
    pub(super) fn secret(secret: &Secret) -> Self {
        let path = secret.secret_path.as_deref().unwrap_or_default();
        let tags = secret.tags.iter().flatten().map(|tag| Self::text(&tag.slug));
        Self::Map(BTreeMap::from([
            ("Key".into(), Self::text(&secret.secret_key)),
            ("Value".into(), Self::text(secret.secret_value.expose())),
            ("Type".into(), Self::text(&secret.r#type)),
            ("ID".into(), Self::text(secret.id.to_string())),
            ("WorkspaceId".into(), Self::text(secret.workspace.to_string())),
            ("SecretPath".into(), Self::text(path)),
            ("Comment".into(), Self::text(&secret.secret_comment)),
            ("Tags".into(), Self::List(tags.collect())),
        ]))
    }

    /// What kind of thing it is, for errors.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Int(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// Whether `if` takes it for true.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(flag) => *flag,
            Self::Int(number) => *number != 0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(fields) => !fields.is_empty(),
        }
    }

    /// Writes it as Go prints it.
    pub(super) fn print(&self, to: &mut String) {
        let _ = match self {
            Self::Nil => write!(to, "<no value>"),
            Self::Bool(flag) => write!(to, "{flag}"),
            Self::Int(number) => write!(to, "{number}"),
            Self::Text(text) => write!(to, "{}", text.as_str()),
            Self::List(items) => {
                to.push('[');
                for (index, item) in items.iter().enumerate() {
                    to.push_str(if index > 0 { " " } else { "" });
                    item.print(to);
                }
                write!(to, "]")
            }
            Self::Map(fields) => {
                to.push_str("map[");
                for (index, (name, field)) in fields.iter().enumerate() {
                    to.push_str(if index > 0 { " " } else { "" });
                    to.push_str(name);
                    to.push(':');
                    field.print(to);
                }
                write!(to, "]")
            }
        };
    }

    /// As it is printed.
    pub(super) fn printed(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        self.print(&mut text);
        text
    }
}
