//! Where the vendors are whose word counts for machine logins: the operator's to say, for sovereign
//! clouds and emulators, and never a tenant's.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text")]

use clap::Args;
use kms_core::outbound::Endpoints;

/// Addresses of vendors other than their own.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Vendors that vouch for machines, for sovereign clouds and tests")]
pub(crate) struct VendorArgs {
    /// AWS STS, in place of the endpoint of the region that a request was signed for
    #[arg(long = "aws-sts-url", env = "KMS_AWS_STS_URL", value_name = "URL", value_parser = base)]
    aws_sts: Option<String>,

    /// Directory of Azure, which publishes the keys of tenants
    /// [default: https://login.microsoftonline.com]
    #[arg(long = "azure-authority-url", env = "KMS_AZURE_AUTHORITY_URL", value_name = "URL", value_parser = base)]
    azure_authority: Option<String>,

    /// What the issuer of Azure's tokens begins with [default: https://sts.windows.net]
    #[arg(long = "azure-issuer-url", env = "KMS_AZURE_ISSUER_URL", value_name = "URL", value_parser = base)]
    azure_issuer: Option<String>,

    /// Keys that Google signs ID tokens with
    /// [default: https://www.googleapis.com/oauth2/v3/certs]
    #[arg(long = "google-keys-url", env = "KMS_GOOGLE_KEYS_URL", value_name = "URL", value_parser = base)]
    google_keys: Option<String>,

    /// Certificates of Google's service accounts
    /// [default: https://www.googleapis.com/service_accounts/v1/metadata/x509]
    #[arg(long = "google-certificates-url", env = "KMS_GOOGLE_CERTIFICATES_URL", value_name = "URL", value_parser = base)]
    google_certificates: Option<String>,
}

impl VendorArgs {
    /// The addresses, the vendors' own where nothing else is said.
    pub(crate) fn endpoints(&self) -> Endpoints {
        let own = Endpoints::default();
        let or = |said: &Option<String>, own| said.clone().unwrap_or(own);
        Endpoints {
            azure_authority: or(&self.azure_authority, own.azure_authority),
            azure_issuer: or(&self.azure_issuer, own.azure_issuer),
            google_keys: or(&self.google_keys, own.google_keys),
            google_certificates: or(&self.google_certificates, own.google_certificates),
            aws_sts: self.aws_sts.clone(),
        }
    }
}

/// A URL that something is appended to.
fn base(text: &str) -> Result<String, String> {
    let url: http::Uri = text.parse().map_err(|_| "not a URL")?;
    if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none() {
        return Err("expected `https://HOST`, with a path if it needs one".into());
    }
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("must not hold a user name or a password".into());
    }
    if url.query().is_some() {
        return Err("must not have a query".into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_is_at_a_url_without_a_query() {
        assert_eq!(base("https://sts.example.com/").unwrap(), "https://sts.example.com");
        assert_eq!(base("http://127.0.0.1:1/a").unwrap(), "http://127.0.0.1:1/a");
        for text in [
            "",
            "sts.example.com",
            "ftp://example.com",
            "https://",
            "https://a/?b=c",
            "https://a@b",
        ] {
            assert!(base(text).is_err(), "{text}");
        }
    }
}
