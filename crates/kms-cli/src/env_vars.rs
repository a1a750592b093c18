//! Every environment variable that the program reads: one documented constant each.
//!
//! A variable of the compatible CLI works under its own name and under ours, which wins when both
//! are set. The generic `TOKEN` of the compatible CLI is deliberately not read: whatever a
//! machine happens to keep under such a name would be sent to the configured server.

use std::{borrow::Cow, collections::HashMap};

/// A variable under all its names.
#[derive(Debug)]
pub struct Variable {
    /// Its names, the one that wins first.
    pub names: &'static [&'static str],
    /// What it is for.
    pub help: &'static str,
    /// Whether it holds something that must not reach a program started by `kms run`.
    pub credential: bool,
}

impl Variable {
    const fn new(names: &'static [&'static str], help: &'static str) -> Self {
        Self { names, help, credential: false }
    }

    const fn credential(mut self) -> Self {
        self.credential = true;
        self
    }

    /// The names for a message: `KMS_TOKEN` or `INFISICAL_TOKEN`.
    pub fn display(&self) -> String {
        let names: Vec<_> = self.names.iter().map(|name| format!("`{name}`")).collect();
        names.join(" or ")
    }
}

macro_rules! variables {
    ($($(#[doc = $help:literal])+ $id:ident: $names:expr $(, $credential:ident)?;)+) => {
        $(
            $(#[doc = $help])+
            pub const $id: Variable =
                Variable::new(&$names, concat!($($help),+).trim_ascii_start()) $(.$credential())?;
        )+

        /// All of them, in the order in which they are documented.
        pub const ALL: &[Variable] = &[$($id),+];
    };
}

/// The two names of a variable that the compatible CLI has too.
macro_rules! both {
    ($name:literal) => {
        [concat!("KMS_", $name), concat!("INFISICAL_", $name)]
    };
}

variables! {
    /// Access token to call the server with.
    TOKEN: both!("TOKEN"), credential;
    /// Access token, if the former is not set.
    UNIVERSAL_AUTH_ACCESS_TOKEN: both!("UNIVERSAL_AUTH_ACCESS_TOKEN"), credential;
    /// Address of the server, with or without `/api`.
    DOMAIN: both!("DOMAIN");
    /// Address of the server, if the former is not set.
    API_URL: both!("API_URL");
    /// Name of the login to use; `kms user` lists them.
    PROFILE: ["KMS_PROFILE"];
    /// Directory of your own files, in place of the platform's.
    CONFIG_DIR: ["KMS_CONFIG_DIR"];
    /// Passphrase of the file vault.
    VAULT_FILE_PASSPHRASE: both!("VAULT_FILE_PASSPHRASE"), credential;
    /// File with the passphrase of the file vault.
    VAULT_FILE_PASSPHRASE_FILE: ["KMS_VAULT_FILE_PASSPHRASE_FILE"];
    /// `true` reads secrets from the copies that were kept, and connects to nothing.
    OFFLINE: ["KMS_OFFLINE"];
    /// `true` reads secrets from the copies that were kept where they are young enough.
    PREFER_OFFLINE: ["KMS_PREFER_OFFLINE"];
    /// How old a copy may be that is read in place of the server, such as `12h`.
    CACHE_MAX_AGE: ["KMS_CACHE_MAX_AGE"];
    /// `true` neither reads nor keeps copies of secrets.
    NO_CACHE: ["KMS_NO_CACHE"];
    /// Id of the project.
    PROJECT_ID: both!("PROJECT_ID");
    /// E-mail address of a person, for `login`.
    EMAIL: both!("EMAIL");
    /// Password of a person, for `login`.
    PASSWORD: both!("PASSWORD"), credential;
    /// Id of the organization or sub-organization that a person logs in to.
    ORGANIZATION_ID: both!("ORGANIZATION_ID");
    /// Code of the second factor, or a recovery code, for `login`.
    MFA_CODE: ["KMS_MFA_CODE"], credential;
    /// Client id of a machine identity, for `login`.
    UNIVERSAL_AUTH_CLIENT_ID: both!("UNIVERSAL_AUTH_CLIENT_ID");
    /// Client secret of a machine identity, for `login`.
    UNIVERSAL_AUTH_CLIENT_SECRET: both!("UNIVERSAL_AUTH_CLIENT_SECRET"), credential;
    /// Id of a machine identity, for `login` with any method but `universal-auth`.
    MACHINE_IDENTITY_ID: both!("MACHINE_IDENTITY_ID");
    /// JWT of a machine, for `login` with `oidc-auth` or `jwt-auth`.
    JWT: both!("JWT"), credential;
    /// Deprecated: JWT for `login` with `oidc-auth`, if the former is not set.
    OIDC_AUTH_JWT: both!("OIDC_AUTH_JWT"), credential;
    /// Audience of the token that `oidc-auth` asks GitHub Actions for.
    OIDC_AUDIENCE: ["KMS_OIDC_AUDIENCE"];
    /// File with the token of the service account, for `login` with `kubernetes`.
    KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH: both!("KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH");
    /// Key file of the service account, for `login` with `gcp-iam`.
    GCP_IAM_SERVICE_ACCOUNT_KEY_FILE_PATH: both!("GCP_IAM_SERVICE_ACCOUNT_KEY_FILE_PATH");
    /// Resource that the token is for, for `login` with `azure`.
    AZURE_AUTH_RESOURCE: ["KMS_AZURE_AUTH_RESOURCE"];
    /// Client id of the managed identity, where an Azure machine has several.
    AZURE_AUTH_CLIENT_ID: both!("AZURE_AUTH_CLIENT_ID");
    /// Object id of the managed identity, if the former is not set.
    AZURE_AUTH_OBJECT_ID: both!("AZURE_AUTH_OBJECT_ID");
    /// Whether `azure` uses a federated workload; unset: where Azure has set one up.
    AZURE_AUTH_USE_WORKLOAD_IDENTITY: both!("AZURE_AUTH_USE_WORKLOAD_IDENTITY");
    /// Slug of the sub-organization that a login is scoped to.
    AUTH_ORGANIZATION_SLUG: both!("AUTH_ORGANIZATION_SLUG");
    /// E-mail address of the first administrator, for `bootstrap`.
    ADMIN_EMAIL: both!("ADMIN_EMAIL");
    /// Password of the first administrator, for `bootstrap`.
    ADMIN_PASSWORD: both!("ADMIN_PASSWORD"), credential;
    /// Name of the first organization, for `bootstrap`.
    ADMIN_ORGANIZATION: both!("ADMIN_ORGANIZATION");
    /// Set-up token that the server printed at its first start, for `bootstrap`.
    SETUP_TOKEN: ["KMS_SETUP_TOKEN"], credential;
    /// Headers for every request to the server: `Name=value`, separated by blanks.
    CUSTOM_HEADERS: both!("CUSTOM_HEADERS"), credential;
    /// PEM file with certificates to trust besides the system's.
    CACERT: ["KMS_CACERT"];
    /// `true` accepts an unencrypted connection to another machine.
    ALLOW_HTTP: ["KMS_ALLOW_HTTP"];
    /// `true` never asks anything, as without a terminal.
    NON_INTERACTIVE: ["KMS_NON_INTERACTIVE"];
    /// Never asks anything when set to other than `false`, as without a terminal.
    CI: ["CI"];
    /// Does away with the notice that a newer version is there, when set.
    DISABLE_UPDATE_CHECK: both!("DISABLE_UPDATE_CHECK");
    /// Address of a release feed that is asked for the latest version, once a day; nobody is asked
    /// without it.
    UPDATE_URL: ["KMS_UPDATE_URL"];
    /// How much to log: `debug` and `trace` show each request, never its content.
    LOG_LEVEL: ["KMS_LOG_LEVEL", "LOG_LEVEL"];
    /// Program that `login` opens a browser with.
    BROWSER: ["BROWSER"];
    /// Says that there is a screen, which `login` opens the browser on.
    DISPLAY: ["DISPLAY", "WAYLAND_DISPLAY"];
    /// Says that this is a remote session, where `login` opens no browser.
    SSH_CONNECTION: ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"];
    /// Says that this is a container, where `login` opens no browser.
    CONTAINER: ["container", "KUBERNETES_SERVICE_HOST"];
    /// Says that this is Linux on Windows, where `login` opens the browser of Windows.
    WSL: ["WSL_DISTRO_NAME", "WSL_INTEROP"];
    /// Key file for `gcp-iam`, if nothing else names one.
    GOOGLE_APPLICATION_CREDENTIALS: ["GOOGLE_APPLICATION_CREDENTIALS"];
    /// Host and port of Google's metadata server, for `gcp-id-token`.
    GCE_METADATA_HOST: ["GCE_METADATA_HOST"];
    /// Address of Azure's metadata service, for `azure`.
    AZURE_POD_IDENTITY_AUTHORITY_HOST: ["AZURE_POD_IDENTITY_AUTHORITY_HOST"];
    /// Address of the token endpoint of App Service, Functions or Container Apps.
    AZURE_IDENTITY_ENDPOINT: ["IDENTITY_ENDPOINT"];
    /// What that endpoint is asked with.
    AZURE_IDENTITY_HEADER: ["IDENTITY_HEADER"];
    /// Client id of a federated workload of Azure.
    AZURE_CLIENT_ID: ["AZURE_CLIENT_ID"];
    /// Tenant of a federated workload of Azure.
    AZURE_TENANT_ID: ["AZURE_TENANT_ID"];
    /// File with the token of a federated workload of Azure.
    AZURE_FEDERATED_TOKEN_FILE: ["AZURE_FEDERATED_TOKEN_FILE"];
    /// Who gives tokens to federated workloads, in clouds other than the public one.
    AZURE_AUTHORITY_HOST: ["AZURE_AUTHORITY_HOST"];
    /// Region of AWS; this and every other variable of AWS's tools counts for `aws-iam`.
    AWS_REGION: ["AWS_REGION", "AWS_DEFAULT_REGION"];
    /// Name of the login in AWS's own files.
    AWS_PROFILE: ["AWS_PROFILE"];
    /// Address of the instance metadata service of AWS.
    AWS_EC2_METADATA_SERVICE_ENDPOINT: ["AWS_EC2_METADATA_SERVICE_ENDPOINT"];
    /// Address at which GitHub Actions gives ID tokens to a job.
    ACTIONS_ID_TOKEN_REQUEST_URL: ["ACTIONS_ID_TOKEN_REQUEST_URL"];
    /// What that address is asked with.
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    /// ID token that CircleCI or Bitbucket leaves for a job.
    CI_OIDC_TOKEN: ["CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN", "BITBUCKET_STEP_OIDC_TOKEN"];
    /// No colours when set.
    NO_COLOR: ["NO_COLOR"];
    /// Proxy for https addresses.
    HTTPS_PROXY: ["HTTPS_PROXY", "https_proxy"];
    /// Proxy for http addresses.
    HTTP_PROXY: ["http_proxy", "HTTP_PROXY"];
    /// Proxy for addresses that the former are not for.
    ALL_PROXY: ["ALL_PROXY", "all_proxy"];
    /// Hosts that are called without a proxy; this machine always is.
    NO_PROXY: ["NO_PROXY", "no_proxy"];
    /// File with the certificates to trust in place of the system's.
    SSL_CERT_FILE: ["SSL_CERT_FILE"];
    /// Directory with the certificates to trust in place of the system's.
    SSL_CERT_DIR: ["SSL_CERT_DIR"];
}

/// Credentials that this program or its relatives read under either prefix, besides those that
/// [`ALL`] marks: they end at this program even where it has no use for them.
const FOREIGN_CREDENTIALS: [&str; 5] = [
    "UNIVERSAL_CLIENT_SECRET",
    "LDAP_PASSWORD",
    "KUBERNETES_SERVICE_ACCOUNT_TOKEN",
    "ROOT_KEY",
    "DATABASE_URL",
];

/// Whether a variable holds one of our own credentials, which a program that is started with
/// secrets must not inherit.
pub fn is_own_credential(name: &str) -> bool {
    let marked = ALL.iter().any(|variable| variable.credential && variable.names.contains(&name));
    let foreign = ["KMS_", "INFISICAL_"].iter().any(|prefix| {
        name.strip_prefix(prefix).is_some_and(|rest| FOREIGN_CREDENTIALS.contains(&rest))
    });
    marked || foreign
}

/// Where variables are looked up: the process's environment, or a fixed one.
#[derive(Debug, Default)]
pub enum Env {
    /// The environment of this process.
    #[default]
    Process,
    /// Exactly these variables.
    Fixed(HashMap<String, String>),
}

impl Env {
    /// Whether it is that of this process.
    pub(crate) fn is_process(&self) -> bool {
        matches!(self, Self::Process)
    }

    /// The value of the first name that is set, and that name. Values are trimmed; a blank one
    /// counts as not set.
    pub fn get(&self, variable: &Variable) -> Option<(String, &'static str)> {
        variable.names.iter().find_map(|name| {
            let value = self.lookup(name)?;
            let value = value.trim();
            (!value.is_empty()).then(|| (value.to_owned(), *name))
        })
    }

    /// Only the value.
    pub fn value(&self, variable: &Variable) -> Option<String> {
        self.get(variable).map(|(value, _)| value)
    }

    /// Whether a name is set, to whatever.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.lookup(name).is_some()
    }

    /// Whether a switch is on: set, and not `0`, `false` or `no`.
    pub fn is_on(&self, variable: &Variable) -> bool {
        self.value(variable)
            .is_some_and(|value| !matches!(value.to_lowercase().as_str(), "0" | "false" | "no"))
    }

    fn lookup(&self, name: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Process => {
                let value = std::env::var_os(name)?;
                Some(value.to_string_lossy().into_owned().into())
            }
            Self::Fixed(variables) => variables.get(name).map(|value| value.as_str().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        let pairs = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        Env::Fixed(pairs.collect())
    }

    #[test]
    fn our_name_beats_the_compatible_one_and_blank_is_not_set() {
        let both = env(&[("KMS_TOKEN", " ours\n"), ("INFISICAL_TOKEN", "theirs")]);
        assert_eq!(both.get(&TOKEN), Some(("ours".into(), "KMS_TOKEN")));
        let blank = env(&[("KMS_TOKEN", "  "), ("INFISICAL_TOKEN", "theirs")]);
        assert_eq!(blank.get(&TOKEN), Some(("theirs".into(), "INFISICAL_TOKEN")));
    }

    #[test]
    fn the_generic_token_variable_is_not_ours() {
        for variable in ALL {
            assert!(!variable.names.contains(&"TOKEN"));
        }
    }

    #[test]
    fn own_credentials_are_known_under_both_prefixes() {
        for name in [
            "KMS_TOKEN",
            "INFISICAL_TOKEN",
            "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
            "INFISICAL_PASSWORD",
            "KMS_VAULT_FILE_PASSPHRASE",
        ] {
            assert!(is_own_credential(name), "{name}");
        }
        for name in ["TOKEN", "KMS_DOMAIN", "PASSWORD", "INFISICAL_PROJECT_ID"] {
            assert!(!is_own_credential(name), "{name}");
        }
    }

    #[test]
    fn every_variable_is_documented_in_one_sentence() {
        for variable in ALL {
            assert!(variable.help.ends_with('.'), "{variable:?}");
            assert!(!variable.help.starts_with(' '), "{variable:?}");
        }
    }
}
