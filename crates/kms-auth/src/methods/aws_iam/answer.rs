//! The answer of STS: read strictly, in the two forms that it has, and in no other (attack C2).

use serde::Deserialize;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CallerIdentity {
    /// Twelve digits.
    pub(super) account: String,
    /// The principal.
    pub(super) arn: String,
    /// Its unique id, with the session's name for an assumed role.
    pub(super) user_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Whole {
    get_caller_identity_response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Response {
    get_caller_identity_result: CallerIdentity,
    #[serde(rename = "ResponseMetadata")]
    _metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Metadata {
    #[serde(rename = "RequestId")]
    _request_id: String,
}

impl CallerIdentity {
    /// Reads an answer in JSON or XML.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?.trim();
        let identity = if text.starts_with('{') {
            let whole: Whole = serde_json::from_str(text).ok()?;
            whole.get_caller_identity_response.get_caller_identity_result
        } else {
            xml(text)?
        };
        let is_account = |id: &str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = |text: &str| {
            (1..=2_048).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let valid =
            is_account(&identity.account) && is_plain(&identity.arn) && is_plain(&identity.user_id);
        valid.then_some(identity)
    }
}

/// Reads the elements in their one namespace: no attributes, comments, references or other
/// elements, each once.
fn xml(text: &str) -> Option<CallerIdentity> {
    let mut at = Xml(text);
    if let Some(rest) = at.0.strip_prefix("<?xml ") {
        at.0 = rest.split_once("?>")?.1;
    }
    at.takes(&format!("<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\">"))?;
    at.takes("<GetCallerIdentityResult>")?;
    let [mut arn, mut user_id, mut account] = [None, None, None];
    for _ in 0..3 {
        let (name, value) = at.leaf()?;
        let slot = match name {
            "Arn" => &mut arn,
            "UserId" => &mut user_id,
            "Account" => &mut account,
            _ => return None,
        };
        if slot.replace(value.to_owned()).is_some() {
            return None;
        }
    }
    at.takes("</GetCallerIdentityResult>")?;
    at.takes("<ResponseMetadata>")?;
    let (name, _) = at.leaf()?;
    at.takes("</ResponseMetadata>")?;
    at.takes("</GetCallerIdentityResponse>")?;
    let complete = name == "RequestId" && at.0.trim().is_empty();
    if !complete {
        return None;
    }
    Some(CallerIdentity { account: account?, arn: arn?, user_id: user_id? })
}

struct Xml<'x>(&'x str);

impl<'x> Xml<'x> {
    /// Goes past exactly this tag, and the white space before it.
    fn takes(&mut self, tag: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(tag)?;
        Some(())
    }

    /// An element without attributes that holds a text alone.
    fn leaf(&mut self) -> Option<(&'x str, &'x str)> {
        let (name, rest) = self.0.trim_start().strip_prefix('<')?.split_once('>')?;
        if !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        let (value, rest) = rest.split_once('<')?;
        self.0 = rest.strip_prefix('/')?.strip_prefix(name)?.strip_prefix('>')?;
        let plain = !value.contains(['&', '>']);
        plain.then(|| (name, value.trim()))
    }
}
