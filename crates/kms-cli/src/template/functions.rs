//! What a template can call: Go's own functions, those for secrets, and the part of sprig that
//! templates of configuration files use.

use std::{cmp::Ordering, rc::Rc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;

use super::{Asked, Project, Source, value::Value};
use crate::error::CliError;

/// Bytes that one text may grow to, checked before it is made or while it grows.
const MAX_TEXT: usize = 16 * 1024 * 1024;

/// Functions of texts, each with what is changed as its last argument.
const TEXTS: [&str; 18] = [
    "b64dec",
    "b64enc",
    "contains",
    "hasPrefix",
    "hasSuffix",
    "indent",
    "lower",
    "nindent",
    "quote",
    "repeat",
    "replace",
    "squote",
    "toJson",
    "toString",
    "trim",
    "trimPrefix",
    "trimSuffix",
    "upper",
];

/// Why a call gave nothing; never holds a value.
pub(super) enum Refused {
    Wrong(String),
    Source(Box<CliError>),
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Self::Wrong(reason)
    }
}

type Result<T = Value> = std::result::Result<T, Refused>;

/// The last argument of the functions for secrets.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct How {
    recursive: bool,
    expand_secret_references: bool,
}

impl Default for How {
    fn default() -> Self {
        Self { recursive: false, expand_secret_references: true }
    }
}

/// Calls a function. What was piped in is the last argument.
pub(super) fn call(name: &str, arguments: &[Value], source: &dyn Source) -> Result {
    let call = Call { name, arguments };
    match name {
        "secret" | "listSecrets" => call.secrets(source, false),
        "listSecretsByProjectSlug" => call.secrets(source, true),
        "getSecretByName" => call.secret(source),
        "and" | "or" => call.either(name == "or"),
        "not" => Ok(Value::Bool(!call.only()?.is_true())),
        "eq" | "ne" | "lt" | "le" | "gt" | "ge" => call.compare(),
        "len" => call.length(),
        "index" => call.index(),
        "print" => call.joined("", ""),
        "println" => call.joined(" ", "\n"),
        "printf" => call.formatted(),
        "default" | "coalesce" | "ternary" => call.choice(),
        "dict" | "list" | "first" | "last" | "join" | "splitList" => call.collection(),
        _ => call.text(),
    }
}

struct Call<'a> {
    name: &'a str,
    arguments: &'a [Value],
}

impl Call<'_> {
    fn wrong<T>(&self, reason: &str) -> Result<T> {
        Err(Refused::Wrong(format!("`{}` {reason}", self.name)))
    }

    fn takes<const N: usize>(&self) -> Result<&[Value; N]> {
        match self.arguments.try_into() {
            Ok(arguments) => Ok(arguments),
            Err(_) => self.wrong(&format!("takes {N}, not {} arguments", self.arguments.len())),
        }
    }

    fn only(&self) -> Result<&Value> {
        self.takes::<1>().map(|[value]| value)
    }

    fn text_of<'v>(&self, value: &'v Value) -> Result<&'v str> {
        match value {
            Value::Text(text) => Ok(text),
            other => self.wrong(&format!("takes a text, not {}", other.kind())),
        }
    }

    fn number_of(&self, value: &Value) -> Result<i64> {
        match value {
            Value::Int(number) => Ok(*number),
            other => self.wrong(&format!("takes a number, not {}", other.kind())),
        }
    }

    fn secrets(&self, source: &dyn Source, by_slug: bool) -> Result {
        let (named, how) = match self.arguments {
            [a, b, c] => ([a, b, c], How::default()),
            [a, b, c, how] => ([a, b, c], self.how(how)?),
            _ => return self.wrong("takes a project, an environment and a path"),
        };
        let asked = self.asked(named, &how, by_slug)?;
        let found = source.list(asked).map_err(|error| Refused::Source(Box::new(error)))?;
        Ok(Value::list(found.iter().map(Value::secret)))
    }

    fn secret(&self, source: &dyn Source) -> Result {
        let [project, environment, path, name] = self.takes::<4>()?;
        let wanted = self.text_of(name)?;
        let named = [project, environment, path];
        let asked = self.asked(named, &How::default(), false)?;
        let found = source.list(asked).map_err(|error| Refused::Source(Box::new(error)))?;
        let found = found.iter().find(|secret| secret.secret_key == wanted);
        found.map_or_else(
            || self.wrong("finds no secret of this name there"),
            |secret| Ok(Value::secret(secret)),
        )
    }

    fn how(&self, json: &Value) -> Result<How> {
        let text = self.text_of(json)?;
        if text.is_empty() {
            return Ok(How::default());
        }
        serde_json::from_str(text).or_else(|_| {
            self.wrong("takes JSON such as `{\"recursive\": true}` as its last argument")
        })
    }

    fn asked<'v>(
        &self,
        [project, environment, path]: [&'v Value; 3],
        how: &How,
        by_slug: bool,
    ) -> Result<Asked<'v>> {
        let project = self.text_of(project)?;
        Ok(Asked {
            project: if by_slug { Project::Slug(project) } else { Project::Id(project) },
            environment: self.text_of(environment)?,
            path: self.text_of(path)?,
            recursive: how.recursive,
            expand: how.expand_secret_references,
        })
    }

    /// The first argument that decides, else the last.
    fn either(&self, truth: bool) -> Result {
        let decides = self.arguments.iter().find(|value| value.is_true() == truth);
        match decides.or(self.arguments.last()) {
            Some(value) => Ok(value.clone()),
            None => self.wrong("takes at least one argument"),
        }
    }

    fn compare(&self) -> Result {
        let [first, others @ ..] = self.arguments else {
            return self.wrong("takes two arguments");
        };
        if others.is_empty() || (self.name != "eq" && others.len() > 1) {
            return self.wrong("takes two arguments");
        }
        let orders = others.iter().map(|other| match (first, other) {
            (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => Ok(a.as_str().cmp(b.as_str())),
            (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
            (Value::Nil, Value::Nil) => Ok(Ordering::Equal),
            (a, b) => self.wrong(&format!("cannot compare {} with {}", a.kind(), b.kind())),
        });
        let orders: Vec<Ordering> = orders.collect::<Result<_>>()?;
        let order = orders[0];
        Ok(Value::Bool(match self.name {
            "eq" => orders.contains(&Ordering::Equal),
            "ne" => order.is_ne(),
            "lt" => order.is_lt(),
            "le" => order.is_le(),
            "gt" => order.is_gt(),
            _ => order.is_ge(),
        }))
    }

    fn length(&self) -> Result {
        let length = match self.only()? {
            Value::Text(text) => text.len(),
            Value::List(items) => items.len(),
            Value::Map(fields) => fields.len(),
            other => return self.wrong(&format!("cannot count {}", other.kind())),
        };
        Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
    }

    fn index(&self) -> Result {
        let [of, keys @ ..] = self.arguments else { return self.wrong("takes arguments") };
        keys.iter().try_fold(of.clone(), |of, key| match (&of, key) {
            (Value::List(items), Value::Int(at)) => {
                let item = usize::try_from(*at).ok().and_then(|at| items.get(at)).cloned();
                item.map_or_else(|| self.wrong("goes past the end"), Ok)
            }
            (Value::Map(fields), Value::Text(name)) => {
                Ok(fields.get(name.as_str()).cloned().unwrap_or(Value::Nil))
            }
            (of, key) => self.wrong(&format!("cannot find {} in {}", key.kind(), of.kind())),
        })
    }

    fn joined(&self, separator: &str, end: &str) -> Result {
        let mut text = Zeroizing::new(String::new());
        for (index, value) in self.arguments.iter().enumerate() {
            text.push_str(if index > 0 { separator } else { "" });
            value.print(&mut text);
            self.check_length(text.len())?;
        }
        text.push_str(end);
        Ok(Value::Text(Rc::new(text)))
    }

    /// `printf` with `%s`, `%v`, `%d`, `%q` and `%%`.
    fn formatted(&self) -> Result {
        let [format, rest @ ..] = self.arguments else { return self.wrong("takes a format") };
        let mut rest = rest.iter();
        let mut text = Zeroizing::new(String::new());
        let mut characters = self.text_of(format)?.chars();
        while let Some(character) = characters.next() {
            if character != '%' {
                text.push(character);
                continue;
            }
            let verb = characters.next();
            if verb == Some('%') {
                text.push('%');
                continue;
            }
            let Some(value) = rest.next() else { return self.wrong("has too few arguments") };
            match verb {
                Some('s' | 'v') => value.print(&mut text),
                Some('d') => text.push_str(&self.number_of(value)?.to_string()),
                Some('q') => text.push_str(&quote(&value.printed())),
                _ => return self.wrong("knows `%s`, `%v`, `%d`, `%q` and `%%`"),
            }
            self.check_length(text.len())?;
        }
        match rest.next() {
            None => Ok(Value::Text(Rc::new(text))),
            Some(_) => self.wrong("has too many arguments"),
        }
    }

    fn choice(&self) -> Result {
        match (self.name, self.arguments) {
            ("default", [default, value]) => {
                Ok(if value.is_true() { value.clone() } else { default.clone() })
            }
            ("coalesce", values) => {
                Ok(values.iter().find(|value| value.is_true()).cloned().unwrap_or(Value::Nil))
            }
            ("ternary", [yes, no, on]) => Ok(if on.is_true() { yes.clone() } else { no.clone() }),
            _ => self.wrong("has another number of arguments"),
        }
    }

    fn collection(&self) -> Result {
        match (self.name, self.arguments) {
            ("list", items) => Ok(Value::list(items.iter().cloned())),
            ("dict", pairs) if pairs.len() % 2 == 0 => {
                let entry =
                    |pair: &[Value]| Ok((self.text_of(&pair[0])?.to_owned(), pair[1].clone()));
                let fields = pairs.chunks(2).map(entry).collect::<Result<_>>()?;
                Ok(Value::Map(Rc::new(fields)))
            }
            ("first", [Value::List(items)]) => Ok(items.first().cloned().unwrap_or(Value::Nil)),
            ("last", [Value::List(items)]) => Ok(items.last().cloned().unwrap_or(Value::Nil)),
            ("join", [separator, Value::List(items)]) => {
                let separator = self.text_of(separator)?;
                Call { name: "join", arguments: items }.joined(separator, "")
            }
            ("splitList", [separator, text]) => {
                let (separator, text) = (self.text_of(separator)?, self.text_of(text)?);
                Ok(Value::list(text.split(separator).map(Value::text)))
            }
            _ => self.wrong("does not take these arguments"),
        }
    }

    /// Functions of one value.
    fn text(&self) -> Result {
        let [value] = self.arguments else { return self.texts() };
        let text = || self.text_of(value);
        Ok(match self.name {
            "upper" => Value::text(text()?.to_uppercase()),
            "lower" => Value::text(text()?.to_lowercase()),
            "trim" => Value::text(text()?.trim()),
            "quote" => Value::text(quote(&value.printed())),
            "squote" => Value::text(format!("'{}'", value.printed().as_str())),
            "toString" => Value::Text(Rc::new(value.printed())),
            "toJson" => Value::text(json(value).to_string()),
            "b64enc" => Value::text(STANDARD.encode(text()?)),
            "b64dec" => {
                let decoded = STANDARD.decode(text()?).ok();
                match decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
                    Some(decoded) => Value::text(decoded),
                    None => return self.wrong("takes a text in base64"),
                }
            }
            _ => return self.texts(),
        })
    }

    /// Functions of a text and how to change it, which stands before.
    fn texts(&self) -> Result {
        if !TEXTS.contains(&self.name) {
            return Err(Refused::Wrong(format!("there is no function `{}`", self.name)));
        }
        let Some((text, how)) = self.arguments.split_last() else {
            return self.wrong("takes arguments");
        };
        let text = self.text_of(text)?;
        match (self.name, how) {
            ("indent" | "nindent" | "repeat", [number]) => {
                self.blown_up(text, usize::try_from(self.number_of(number)?).unwrap_or_default())
            }
            ("replace", [old, new]) => {
                let (old, new) = (self.text_of(old)?, self.text_of(new)?);
                let added = text.matches(old).count().saturating_mul(new.len());
                self.check_length(text.len().saturating_add(added))?;
                Ok(Value::text(text.replace(old, new)))
            }
            (name, [part]) => {
                let part = self.text_of(part)?;
                Ok(match name {
                    "trimPrefix" => Value::text(text.strip_prefix(part).unwrap_or(text)),
                    "trimSuffix" => Value::text(text.strip_suffix(part).unwrap_or(text)),
                    "contains" => Value::Bool(text.contains(part)),
                    "hasPrefix" => Value::Bool(text.starts_with(part)),
                    "hasSuffix" => Value::Bool(text.ends_with(part)),
                    _ => return self.wrong("has another number of arguments"),
                })
            }
            _ => self.wrong("has another number of arguments"),
        }
    }

    fn blown_up(&self, text: &str, number: usize) -> Result {
        self.check_length(text.len().saturating_add(1).saturating_mul(number))?;
        if self.name == "repeat" {
            return Ok(Value::text(text.repeat(number)));
        }
        let blanks = " ".repeat(number);
        let start = if self.name == "nindent" { "\n" } else { "" };
        let indented = text.replace('\n', &format!("\n{blanks}"));
        Ok(Value::text(format!("{start}{blanks}{indented}")))
    }

    fn check_length(&self, bytes: usize) -> Result<()> {
        if bytes > MAX_TEXT { self.wrong("makes too long a text") } else { Ok(()) }
    }
}

/// A text as Go quotes it, which is how JSON does for what templates hold.
fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Nil => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), json(field))).collect()
        }
    }
}
