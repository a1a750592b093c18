//! The flags of `kms server`.

#![expect(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "documentation of arguments is help text"
)]

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Subcommand, ValueEnum};
use ipnet::IpNet;
use kms_core::outbound::Allow;
use secrecy::SecretString;

use super::vendors::VendorArgs;
use crate::RateLimits;

/// Run the server
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ServerArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ServerCommand>,

    /// Address to listen on; port 0 picks a free one
    #[arg(long, env = "KMS_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Directory of the embedded database
    #[arg(long, env = "KMS_DATA_DIR", value_name = "DIR", conflicts_with = "database_url")]
    pub data_dir: Option<PathBuf>,

    /// PostgreSQL database to use instead; better given by the environment, since it holds a
    /// password
    #[arg(long, env = "KMS_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<SecretString>,

    /// Connections to PostgreSQL at most
    #[arg(long, env = "KMS_DATABASE_CONNECTIONS", value_name = "N", default_value_t = 20)]
    pub database_connections: u32,

    /// Where people and machines reach this server, such as https://kms.example.com
    #[arg(long, env = "KMS_PUBLIC_URL", value_name = "URL", value_parser = origin)]
    pub public_url: Option<String>,

    /// Serve a throw-away instance with a user, a project and a machine identity, on this
    /// machine only
    #[arg(long, conflicts_with_all = ["database_url", "tls_cert"])]
    pub dev: bool,

    /// With --dev: write the credentials to this file once the server is ready
    #[arg(long, value_name = "FILE", requires = "dev")]
    pub credentials_file: Option<PathBuf>,

    /// Networks of the proxies whose forwarding headers count
    #[arg(long, env = "KMS_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',')]
    #[arg(value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// Private hosts and networks that logins may be verified at, such as an identity provider or
    /// a Kubernetes API of your own; never this server's own listeners
    #[arg(long, env = "KMS_OUTBOUND_ALLOW", value_name = "HOST|CIDR", value_delimiter = ',')]
    pub outbound_allow: Vec<Allow>,

    /// PEM file with the certificate chain to serve HTTPS with
    #[arg(long, env = "KMS_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// PEM file with the key of the certificate
    #[arg(long, env = "KMS_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Address to serve Prometheus metrics on
    #[arg(long, env = "KMS_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Mail server, as smtp://HOST (STARTTLS) or smtps://HOST, with USER:PASSWORD@ if it asks for
    /// one; better given by the environment then
    #[arg(long, env = "KMS_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<SecretString>,

    /// Address that mail comes from, such as "KMS <kms@example.com>"
    #[arg(long, env = "KMS_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,

    /// PEM file with a certificate to trust the mail server by, besides the public ones
    #[arg(long, env = "KMS_SMTP_CACERT", value_name = "FILE", requires = "smtp_url")]
    pub smtp_cacert: Option<PathBuf>,

    /// Without a mail server: write mails to standard error, codes and links included; --dev does
    #[arg(long, env = "KMS_PRINT_MAIL", conflicts_with = "smtp_url")]
    pub print_mail: bool,

    /// File with the root key; KMS_ROOT_KEY may hold the key itself instead [default: root.key
    /// in the data directory]
    #[arg(long, env = "KMS_ROOT_KEY_FILE", value_name = "FILE")]
    pub root_key_file: Option<PathBuf>,

    /// How to write the log on stderr [default: json, with --dev text]
    #[arg(long, env = "KMS_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// How much to log [env: KMS_LOG_LEVEL, LOG_LEVEL] [default: info]
    #[arg(short, long, value_name = "LEVEL")]
    pub log_level: Option<String>,

    /// Minutes that a person's access token lives; programs that cannot refresh need longer ones
    #[arg(long, env = "KMS_USER_TOKEN_MINUTES", value_name = "MINUTES", default_value_t = 15)]
    #[arg(value_parser = clap::value_parser!(i64).range(1..=43_200))]
    pub user_token_minutes: i64,

    /// Days that a person's login lasts at most, however often it is refreshed
    #[arg(long, env = "KMS_USER_SESSION_DAYS", value_name = "DAYS", default_value_t = 90)]
    #[arg(value_parser = clap::value_parser!(i64).range(1..=365))]
    pub user_session_days: i64,

    /// Keep the login page from handing sessions to other programs on a person's machine; `kms
    /// login` does not need that, compatible clients do
    #[arg(long, env = "KMS_NO_HAND_OVER")]
    pub no_hand_over: bool,

    #[command(flatten)]
    pub(crate) vendors: VendorArgs,

    #[command(flatten)]
    rates: RateArgs,
}

/// What is done with a server's data in place of serving it.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ServerCommand {
    /// Copy the embedded database into a file, also while a server uses it
    Backup(BackupArgs),
}

/// Where a backup comes from and goes to.
#[derive(Args, Clone, Debug)]
pub(crate) struct BackupArgs {
    /// File to make; one that is there is never overwritten
    #[arg(value_name = "FILE")]
    pub(crate) to: PathBuf,

    /// Directory of the embedded database
    #[arg(long, env = "KMS_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse().map(|address: IpAddr| IpNet::from(address));
    text.parse().or_else(|_| address()).map_err(|_| "not an address or network".into())
}

/// Scheme, host and port, without a slash at the end.
fn origin(text: &str) -> Result<String, String> {
    let url: http::Uri = text.parse().map_err(|_| "not a URL")?;
    let complete = matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
    let bare = url.path_and_query().is_none_or(|rest| rest.as_str() == "/");
    if !complete || !bare {
        return Err("expected `https://HOST`, with a port if it needs one".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// How to write the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line
    Json,
    /// For people
    Text,
}

#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Requests in 60 seconds, 0 for no limit")]
struct RateArgs {
    /// Logins from one address
    #[arg(id = "rate_limit_login", long = "rate-limit-login", value_name = "N")]
    #[arg(env = "KMS_RATE_LIMIT_LOGIN", default_value_t = RateLimits::default().login)]
    login: u32,

    /// Reads of one user or identity
    #[arg(id = "rate_limit_read", long = "rate-limit-read", value_name = "N")]
    #[arg(env = "KMS_RATE_LIMIT_READ", default_value_t = RateLimits::default().read)]
    read: u32,

    /// Changes by one user or identity
    #[arg(id = "rate_limit_write", long = "rate-limit-write", value_name = "N")]
    #[arg(env = "KMS_RATE_LIMIT_WRITE", default_value_t = RateLimits::default().write)]
    write: u32,

    /// New identities, projects and organizations by one user or identity
    #[arg(id = "rate_limit_creation", long = "rate-limit-creation", value_name = "N")]
    #[arg(env = "KMS_RATE_LIMIT_CREATION", default_value_t = RateLimits::default().creation)]
    creation: u32,
}

impl ServerArgs {
    /// How to write the log.
    pub(crate) fn log_format(&self) -> LogFormat {
        self.log_format.unwrap_or(if self.dev { LogFormat::Text } else { LogFormat::Json })
    }

    /// The limits; a development server has none.
    pub(crate) fn rate_limits(&self) -> RateLimits {
        if self.dev {
            return RateLimits::OFF;
        }
        RateLimits {
            login: self.rates.login,
            read: self.rates.read,
            write: self.rates.write,
            creation: self.rates.creation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_may_be_one_address() {
        for (text, expected) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:db8::1", "2001:db8::1/128"),
        ] {
            assert_eq!(network(text).unwrap().to_string(), expected);
        }
        for text in ["", "*", "10.0.0.0/33", "proxy.example"] {
            assert!(network(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_public_url_is_scheme_host_and_port() {
        for url in ["https://kms.example.com", "http://127.0.0.1:8080", "https://[2001:db8::1]"] {
            assert_eq!(origin(url).unwrap(), url);
            assert_eq!(origin(&format!("{url}/")).unwrap(), url);
        }
        for text in
            ["", "kms.example.com", "ftp://x", "https://x/path", "https://x/?a", "https:///"]
        {
            assert!(origin(text).is_err(), "{text}");
        }
    }
}
