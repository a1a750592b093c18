//! The one error of the command line: whose fault it is decides the exit code.

use std::{error::Error as StdError, fmt, io};

use kms_client::{Error as ClientError, Obstacle, Origin, TlsFault};

use crate::profiles::Failure;

type Source = Box<dyn StdError + Send + Sync>;

/// What kind of failure it is, which alone decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It did not work.
    Failed,
    /// The command was not given what it needs.
    Usage,
    /// Not logged in, or not allowed.
    Denied,
    /// Somebody had to be asked, and nobody was there or the answer was no.
    NeedsPerson,
    /// The server could not be reached.
    Unreachable,
    /// A bug of ours.
    Internal,
    /// Whoever read our output has stopped; nothing is printed about it.
    BrokenPipe,
    /// An exit code that a command's contract fixes.
    Exit(u8),
}

impl Kind {
    /// The exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::BrokenPipe => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Denied => 3,
            Self::NeedsPerson => 4,
            Self::Unreachable => 5,
            Self::Internal => 70,
            Self::Exit(code) => code,
        }
    }
}

/// Why a command failed, and what to type about it.
#[derive(Debug)]
pub struct CliError {
    /// Decides the exit code.
    pub kind: Kind,
    /// What failed; its `source` chain is printed below it.
    pub source: Source,
    /// What to do about it, best an exact command.
    pub hints: Vec<String>,
}

impl CliError {
    /// An error of the given kind.
    pub fn new(kind: Kind, source: impl Into<Source>) -> Self {
        Self { kind, source: source.into(), hints: Vec::new() }
    }

    /// It did not work.
    pub fn failed(source: impl Into<Source>) -> Self {
        Self::new(Kind::Failed, source)
    }

    /// The command was not given what it needs.
    pub fn usage(source: impl Into<Source>) -> Self {
        Self::new(Kind::Usage, source)
    }

    /// Not logged in, or not allowed.
    pub fn denied(source: impl Into<Source>) -> Self {
        Self::new(Kind::Denied, source)
    }

    /// Somebody had to be asked.
    pub fn needs_person(source: impl Into<Source>) -> Self {
        Self::new(Kind::NeedsPerson, source)
    }

    /// A bug of ours.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::new(Kind::Internal, source)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says what was being done; what failed becomes the cause.
    #[must_use]
    pub fn context(mut self, doing: impl Into<String>) -> Self {
        self.source = Box::new(Context { doing: doing.into(), source: self.source });
        self
    }

    /// A command's contract may fix another exit code.
    #[must_use]
    pub fn with_exit_code(mut self, code: u8) -> Self {
        if self.kind != Kind::BrokenPipe {
            self.kind = Kind::Exit(code);
        }
        self
    }

    /// What failed, then its causes, outermost first.
    pub fn chain(&self) -> impl Iterator<Item = String> {
        let mut next: Option<&(dyn StdError + 'static)> = Some(&*self.source);
        std::iter::from_fn(move || {
            let error = next?;
            next = error.source();
            Some(error.to_string())
        })
    }
}

/// Says what was being done when a call failed.
pub trait ResultExt<T> {
    /// Turns the error into a [`CliError`] below `doing`.
    fn context(self, doing: impl Into<String>) -> Result<T, CliError>;
}

impl<T, E: Into<CliError>> ResultExt<T> for Result<T, E> {
    fn context(self, doing: impl Into<String>) -> Result<T, CliError> {
        self.map_err(|error| error.into().context(doing))
    }
}

#[derive(Debug)]
struct Context {
    doing: String,
    source: Source,
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)
    }
}

impl StdError for Context {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// Of files and the terminal; a reader that went away is not a failure.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::new(Kind::BrokenPipe, error)
        } else {
            Self::failed(error)
        }
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        // What went wrong with our own files is ours to explain.
        let error = match error {
            ClientError::Store(cause) => match cause.downcast::<Failure>() {
                Ok(failure) => return failure.0,
                Err(cause) => ClientError::Store(cause),
            },
            other => other,
        };
        let (kind, hints) = classify(&error);
        let mut this = Self::new(kind, error);
        this.hints = hints;
        this
    }
}

/// Whose fault it is, and what to do about it.
pub(crate) fn classify(error: &ClientError) -> (Kind, Vec<String>) {
    match error {
        ClientError::InvalidOrigin { .. } => {
            (Kind::Usage, vec!["give the address as in `--domain https://kms.example.com`".into()])
        }
        ClientError::InsecureOrigin { origin } => (
            Kind::Usage,
            vec![format!(
                "use `--domain {}`, or `--allow-http` if the network between is yours",
                origin.to_string().replacen("http:", "https:", 1)
            )],
        ),
        ClientError::MalformedToken => {
            (Kind::Usage, vec!["a token is one line of visible ASCII characters".into()])
        }
        ClientError::InvalidHeader { .. }
        | ClientError::UnusableName { .. }
        | ClientError::Certificates { .. } => (Kind::Usage, Vec::new()),
        ClientError::Unreachable { origin, proxied, obstacle, .. } => {
            (Kind::Unreachable, unreachable(origin, proxied.as_deref(), *obstacle))
        }
        ClientError::Tls { origin, fault, .. } => {
            (Kind::Unreachable, untrusted(origin, *fault).into_iter().collect())
        }
        ClientError::SessionEnded { origin, .. } => {
            (Kind::Denied, vec![format!("log in again: `kms login --domain {origin}`")])
        }
        ClientError::Redirected { target, .. } => (
            Kind::Failed,
            vec![format!("if that is where your server is, use `--domain {target}`")],
        ),
        ClientError::NotKms { status, .. } => not_kms(*status),
        ClientError::Status { retry_after: Some(wait), .. } => (
            Kind::Failed,
            vec![format!("the server asks to wait {} seconds before the next try", wait.as_secs())],
        ),
        ClientError::Status { status, origin, .. } => refused(*status, &origin.to_string()),
        _ => (Kind::Failed, Vec::new()),
    }
}

fn unreachable(origin: &Origin, proxied: Option<&str>, obstacle: Obstacle) -> Vec<String> {
    let server = origin.authority();
    let mut hints = Vec::new();
    match obstacle {
        _ if proxied.is_some() => {}
        Obstacle::Name => {
            hints.push(format!(
                "`{server}` is not a known name: is it misspelt, or is a VPN needed?"
            ));
        }
        Obstacle::Refused => {
            hints.push(format!("nothing listens there: is the server of `{server}` running?"));
        }
        Obstacle::Timeout => {
            hints.push("nothing came back: is a VPN or a proxy (`HTTPS_PROXY`) needed?".into());
        }
        _ => {}
    }
    hints.push("check `--domain`; `kms help environment` lists what else sets it".into());
    if proxied.is_some() {
        hints.push("`NO_PROXY` names hosts to call without the proxy".into());
    }
    hints
}

fn untrusted(origin: &Origin, fault: TlsFault) -> Option<String> {
    match fault {
        TlsFault::Authority => Some(
            "for a private certificate authority, pass its certificate with `--cacert FILE`".into(),
        ),
        TlsFault::Name => {
            Some("pass the name that the certificate is for: `--domain https://NAME`".into())
        }
        TlsFault::Time => Some(
            "check this machine's clock; if it is right, the server's operator has to renew".into(),
        ),
        TlsFault::Protocol => {
            let plain = origin.to_string().replacen("https:", "http:", 1);
            Some(format!("if the server is not encrypted, use `--domain {plain}`"))
        }
        _ => None,
    }
}

fn not_kms(status: u16) -> (Kind, Vec<String>) {
    let hint = vec!["check `--domain`: it must be the address of the KMS itself".into()];
    // A gateway that has no server behind it answers for itself.
    if matches!(status, 502..=504) { (Kind::Unreachable, hint) } else { (Kind::Failed, hint) }
}

fn refused(status: u16, origin: &str) -> (Kind, Vec<String>) {
    match status {
        401 => (
            Kind::Denied,
            vec![
                format!("the server is `{origin}`; if the credential is of another, pass `--domain`"),
                "a new token: `export INFISICAL_TOKEN=$(kms login --method=universal-auth --plain --silent)`"
                    .into(),
            ],
        ),
        403 => (
            Kind::Denied,
            vec![format!(
                "the server is `{origin}`; if the credential is of another, pass `--domain`"
            )],
        ),
        _ => (Kind::Failed, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_exit_codes_of_the_contract() {
        let codes = [
            (Kind::Failed, 1),
            (Kind::Usage, 2),
            (Kind::Denied, 3),
            (Kind::NeedsPerson, 4),
            (Kind::Unreachable, 5),
            (Kind::Internal, 70),
        ];
        for (kind, code) in codes {
            assert_eq!(kind.exit_code(), code);
        }
    }

    #[test]
    fn a_broken_pipe_stays_silent_whatever_is_added() {
        let pipe = io::Error::from(io::ErrorKind::BrokenPipe);
        let error = CliError::from(pipe).context("printing").with_exit_code(125);
        assert_eq!(error.kind, Kind::BrokenPipe);
    }

    #[test]
    fn context_stands_above_its_cause() {
        let error = CliError::failed("inner").context("outer");
        assert_eq!(error.chain().collect::<Vec<_>>(), ["outer", "inner"]);
    }
}
