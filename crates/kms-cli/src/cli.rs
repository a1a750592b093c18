//! The root of the command line: what every command shares.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// The flags that every command has.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Access token to call the server with [env: KMS_TOKEN, INFISICAL_TOKEN]
    #[arg(long, global = true, value_name = "TOKEN")]
    pub token: Option<String>,

    /// Address of the server [env: KMS_DOMAIN, INFISICAL_DOMAIN, INFISICAL_API_URL]
    /// [default: kms.hanzo.ai]
    #[arg(long, global = true, value_name = "URL")]
    pub domain: Option<String>,

    /// Login to use, as `kms user` lists them [env: KMS_PROFILE] [default: the current one]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Take the project file of this directory in place of the nearest
    #[arg(long, global = true, value_name = "DIRECTORY")]
    pub project_config_dir: Option<PathBuf>,

    /// Print in this format, such as `json`; the formats depend on the command
    #[arg(long, global = true, value_name = "FORMAT")]
    pub output: Option<String>,

    /// Never ask anything; implied without a terminal and by `CI`
    #[arg(long, global = true)]
    pub non_interactive: bool,

    /// Hide notices and warnings, never errors
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(default_value_t, default_missing_value = "true", value_name = "BOOL")]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    pub silent: bool,

    /// PEM file with certificates to trust besides the system's [env: KMS_CACERT]
    #[arg(long, global = true, value_name = "FILE")]
    pub cacert: Option<PathBuf>,

    /// Accept an unencrypted connection to another machine [env: KMS_ALLOW_HTTP]
    #[arg(long, global = true)]
    pub allow_http: bool,

    /// How much to log on stderr; `debug` and `trace` show each request, never its content
    /// [env: LOG_LEVEL] [default: info]
    #[arg(short, long, global = true, value_name = "LEVEL")]
    pub log_level: Option<String>,

    /// Deprecated, without effect: nothing is ever reported
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    pub telemetry: Option<bool>,

    /// Print the version
    #[arg(short = 'v', visible_short_alias = 'V', long, action = ArgAction::Version)]
    pub(crate) version: Option<bool>,
}

/// The project of a command.
#[derive(Args, Clone, Debug, Default)]
pub struct ProjectArg {
    /// Id of the project [env: KMS_PROJECT_ID, INFISICAL_PROJECT_ID]
    #[arg(long = "projectId", visible_alias = "project-id", value_name = "ID")]
    pub project_id: Option<String>,
}

/// The confirmation of a command that deletes.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct ConfirmArg {
    /// Delete without asking; required where nobody can be asked
    #[arg(long, short = 'y')]
    pub yes: bool,
}
