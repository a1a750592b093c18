//! What expressions of a template stand for.

use std::{collections::BTreeMap, fmt::Write as _, rc::Rc};

use kms_api::secrets::Secret;
use secrecy::zeroize::Zeroizing;

/// Lists and maps that may stand in each other, so that walking them cannot fill the stack.
const MAX_DEPTH: usize = 64;

/// The fields of a secret, named as in the compatible CLI.
const FIELDS: [&str; 8] =
    ["Comment", "ID", "Key", "SecretPath", "Tags", "Type", "Value", "WorkspaceId"];

/// A value of a template. Texts are wiped when dropped, since most of them are secrets. A clone
/// shares what it holds, and so costs nothing.
#[derive(Clone, PartialEq)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Text(Rc<Zeroizing<String>>),
    List(Rc<Vec<Self>>),
    Map(Rc<BTreeMap<String, Self>>),
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(Rc::new(Zeroizing::new(text.into())))
    }

    pub(super) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(Rc::new(items.into_iter().collect()))
    }

    /// A secret.
    pub(super) fn secret(secret: &Secret) -> Self {
        let path = secret.secret_path.as_deref().unwrap_or_default();
        let tags = secret.tags.iter().flatten().map(|tag| Self::text(&tag.slug));
        let fields = [
            Self::text(&secret.secret_comment),
            Self::text(secret.id.to_string()),
            Self::text(&secret.secret_key),
            Self::text(path),
            Self::list(tags),
            Self::text(&secret.r#type),
            Self::text(secret.secret_value.expose()),
            Self::text(secret.workspace.to_string()),
        ];
        Self::Map(Rc::new(FIELDS.into_iter().map(String::from).zip(fields).collect()))
    }

    /// A field of a map, else what is wrong. Of what is there, only the fields of a secret are
    /// named: other names can be values.
    pub(super) fn field(&self, name: &str) -> Result<&Self, String> {
        let Self::Map(fields) = self else {
            return Err(format!("{} has no field `.{name}`", self.kind()));
        };
        fields.get(name).ok_or_else(|| {
            let known = FIELDS.into_iter().filter(|name| fields.contains_key(*name));
            let known: Vec<_> = known.map(|name| format!("`.{name}`")).collect();
            let list = if known.is_empty() { String::new() } else { "; there are ".to_owned() };
            format!("there is no field `.{name}`{list}{}", known.join(", "))
        })
    }

    /// Takes what it weighs from the bytes that are left, as if nothing in it were shared, since
    /// that is what printing it makes. Stops where they are used up.
    pub(super) fn weigh(&self, left: &mut usize) -> Result<(), &'static str> {
        self.weigh_at(0, left)
    }

    fn weigh_at(&self, depth: usize, left: &mut usize) -> Result<(), &'static str> {
        if depth > MAX_DEPTH {
            return Err("lists and maps stand too deep in each other");
        }
        take(left, size_of::<Self>() + self.text_bytes())?;
        match self {
            Self::List(items) => items.iter().try_for_each(|item| item.weigh_at(depth + 1, left)),
            Self::Map(fields) => fields.iter().try_for_each(|(name, field)| {
                take(left, size_of::<String>() + name.len())?;
                field.weigh_at(depth + 1, left)
            }),
            _ => Ok(()),
        }
    }

    /// Takes what a function reads of it, which is all of a text.
    pub(super) fn weigh_read(&self, left: &mut usize) -> Result<(), &'static str> {
        take(left, size_of::<Self>() + self.text_bytes())
    }

    fn text_bytes(&self) -> usize {
        if let Self::Text(text) = self { text.len() } else { 0 }
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

fn take(left: &mut usize, bytes: usize) -> Result<(), &'static str> {
    *left = left.checked_sub(bytes).ok_or("the template makes too much of what it reads")?;
    Ok(())
}
