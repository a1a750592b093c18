//! What `export` writes: one file per format, each read back by its own reader as what was stored.
//!
//! A format either carries a name and its value exactly or refuses them by name; nothing is
//! written then. Formats know nothing of files, terminals or requests. Start at [`render`].

mod csv;
mod docker_env;
mod dotenv;
mod dotenv_export;
mod fish;
mod github;
mod json;
pub mod kubernetes;
mod names;
pub(crate) use names::is_identifier;
mod powershell;
mod systemd;
mod yaml;

use std::fmt;

use clap::ValueEnum;
use kms_api::secrets::Secret;
use secrecy::zeroize::Zeroizing;

/// How `export` writes secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `NAME='value'` lines, for dotenv libraries and `source`
    Dotenv,
    /// `export NAME='value'` lines, for `source` in bash, dash and zsh
    #[value(aliases = ["dotenv-eval", "bash", "sh", "zsh"])]
    DotenvExport,
    /// A header and one `name,value` record each
    Csv,
    /// One array of objects
    Json,
    /// One map; every value is a string, also for YAML 1.1 readers
    Yaml,
    /// `NAME=value` lines, for `docker run --env-file`
    DockerEnv,
    /// `set -gx NAME 'value'` lines, for `source` in fish
    Fish,
    /// `$env:NAME = 'value'` lines, for `Invoke-Expression` in PowerShell
    #[value(alias = "pwsh")]
    Powershell,
    /// `NAME="value"` lines, for `EnvironmentFile=` of systemd
    Systemd,
    /// A Secret, for `kubectl apply -f -`
    #[value(alias = "k8s")]
    Kubernetes,
    /// What is appended to `$GITHUB_ENV` in GitHub Actions
    #[value(alias = "github-env")]
    Github,
}

/// What a format has to know beside the secrets.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The Secret of [`Format::Kubernetes`].
    pub object: kubernetes::Object<'a>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { object: kubernetes::Object { name: "kms-secrets", namespace: None } }
    }
}

impl Format {
    /// The name that `--format` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dotenv => "dotenv",
            Self::DotenvExport => "dotenv-export",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::DockerEnv => "docker-env",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Systemd => "systemd",
            Self::Kubernetes => "kubernetes",
            Self::Github => "github",
        }
    }

    /// The file that `--output-file` writes when it is given a directory.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Dotenv | Self::DotenvExport | Self::DockerEnv | Self::Systemd => ".env",
            Self::Csv => "secrets.csv",
            Self::Json => "secrets.json",
            Self::Yaml | Self::Kubernetes => "secrets.yaml",
            Self::Fish => "secrets.fish",
            Self::Powershell => "secrets.ps1",
            Self::Github => "github.env",
        }
    }

    /// Whether a name can decide what code runs where the text is read.
    pub fn sets_variables(self) -> bool {
        match self {
            Self::DotenvExport | Self::Fish | Self::Powershell | Self::Systemd | Self::Github => {
                true
            }
            Self::Dotenv
            | Self::Csv
            | Self::Json
            | Self::Yaml
            | Self::DockerEnv
            | Self::Kubernetes => false,
        }
    }
}

/// What a format made of the secrets.
#[derive(Debug)]
pub struct Rendered {
    /// The text, wiped when dropped.
    pub text: Zeroizing<String>,
    /// Names whose value only a POSIX shell reads back (see the dotenv table).
    pub shell_only: Vec<String>,
}

/// A name that a format cannot carry, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The name, as stored.
    pub name: String,
    /// What stands in the way; never the value.
    pub reason: &'static str,
}

/// Nothing was written, because a format cannot carry what these names hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Refused {
    /// The format.
    pub format: &'static str,
    /// Every name that stands in the way.
    pub refusals: Vec<Refusal>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "format `{}` cannot carry ", self.format)?;
        for (position, refusal) in self.refusals.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            let name = refusal.name.escape_debug();
            write!(f, "{separator}`{name}`: {}", refusal.reason)?;
        }
        Ok(())
    }
}

/// A name and its plaintext, as the line formats see a secret.
#[derive(Clone, Copy)]
struct Pair<'a> {
    name: &'a str,
    value: &'a str,
}

/// Writes secrets in a format, in bytewise order of their names.
///
/// Names must be unique; precedence between duplicates is decided before.
pub fn render(format: Format, secrets: &[Secret]) -> Result<Rendered, Refused> {
    render_with(format, secrets, Options::default())
}

/// As [`render`], with what the format has to know.
pub fn render_with(
    format: Format,
    secrets: &[Secret],
    options: Options<'_>,
) -> Result<Rendered, Refused> {
    let mut secrets: Vec<&Secret> = secrets.iter().collect();
    secrets.sort_by(|a, b| a.secret_key.as_bytes().cmp(b.secret_key.as_bytes()));
    let pairs: Vec<Pair<'_>> = secrets
        .iter()
        .map(|secret| Pair { name: &secret.secret_key, value: secret.secret_value.expose() })
        .collect();
    let plain = |text| Rendered { text, shell_only: Vec::new() };
    let result = match format {
        Format::Dotenv => dotenv::write(&pairs),
        Format::DotenvExport => dotenv_export::write(&pairs).map(plain),
        Format::Csv => csv::write(&pairs).map(plain),
        Format::Json => Ok(plain(json::write(&secrets))),
        Format::Yaml => Ok(plain(yaml::write(&pairs))),
        Format::DockerEnv => docker_env::write(&pairs).map(plain),
        Format::Fish => fish::write(&pairs).map(plain),
        Format::Powershell => powershell::write(&pairs).map(plain),
        Format::Systemd => systemd::write(&pairs).map(plain),
        Format::Kubernetes => kubernetes::write(&pairs, options.object).map(plain),
        Format::Github => github::write(&pairs).map(plain),
    };
    result.map_err(|refusals| Refused { format: format.name(), refusals })
}

/// Collects refusals over all pairs, so that one run names every obstacle.
fn refuse<'a>(
    pairs: &[Pair<'a>],
    reason: impl Fn(Pair<'a>) -> Option<&'static str>,
) -> Result<(), Vec<Refusal>> {
    let refusals: Vec<Refusal> = pairs
        .iter()
        .filter_map(|pair| Some(Refusal { name: pair.name.to_owned(), reason: reason(*pair)? }))
        .collect();
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

/// Room for the text: names, values and some quoting, so that growing rarely leaves a copy behind.
fn buffer(pairs: &[Pair<'_>]) -> Zeroizing<String> {
    let bytes = pairs.iter().map(|pair| pair.name.len() + pair.value.len() * 2 + 16);
    Zeroizing::new(String::with_capacity(bytes.sum()))
}
