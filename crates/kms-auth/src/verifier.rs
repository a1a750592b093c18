//! What verifying takes: the way out, keys that were fetched, the addresses of vendors.

use std::sync::Arc;

use kms_api::IdentityId;
use moka::sync::Cache;

use crate::{
    keys::{KeySet, VerifyingKey, read_certificates, read_pem, read_set, remote::Remote},
    methods::oidc::Discovery,
    outbound::{Outbound, OutboundPolicy},
};

/// Bytes of configured keys whose reading is remembered.
const READ_KEYS: u64 = 1 << 20;

/// Where the vendors are. An operator may say otherwise, for sovereign clouds and for emulators;
/// a tenant may not.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Azure's directory, whose keys are below `/{tenant}/discovery/keys`.
    pub azure_authority: String,
    /// What the issuer of Azure's tokens begins with.
    pub azure_issuer: String,
    /// The JWK set that Google signs ID tokens with.
    pub google_keys: String,
    /// What the certificates of a service account are below.
    pub google_certificates: String,
    /// STS for every region, in place of AWS's own.
    pub aws_sts: Option<String>,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            azure_authority: "https://login.microsoftonline.com".into(),
            azure_issuer: "https://sts.windows.net".into(),
            google_keys: "https://www.googleapis.com/oauth2/v3/certs".into(),
            google_certificates: "https://www.googleapis.com/service_accounts/v1/metadata/x509"
                .into(),
            aws_sts: None,
        }
    }
}

/// Verifies logins. One for the whole server: it remembers what it fetched.
pub struct Verifier {
    pub(crate) outbound: Outbound,
    pub(crate) endpoints: Endpoints,
    pub(crate) key_sets: Remote<KeySet>,
    pub(crate) certificates: Remote<KeySet>,
    pub(crate) discovery: Remote<Discovery>,
    /// Keys by their text, which says all there is to know about them.
    read_keys: Cache<String, Arc<VerifyingKey>>,
}

impl Verifier {
    /// Calls out by `outbound`, and finds the vendors at `endpoints`.
    pub fn new(outbound: Outbound, endpoints: Endpoints) -> Self {
        Self {
            outbound,
            endpoints,
            key_sets: Remote::new(read_set),
            certificates: Remote::new(read_certificates),
            discovery: Remote::new(Discovery::read),
            read_keys: Cache::builder()
                .max_capacity(READ_KEYS)
                .weigher(|text: &String, _| u32::try_from(text.len()).unwrap_or(u32::MAX))
                .build(),
        }
    }

    /// A configured key in PEM form, read once for many logins.
    pub(crate) fn configured_key(&self, pem: &str) -> Option<Arc<VerifyingKey>> {
        if let Some(key) = self.read_keys.get(pem) {
            return Some(key);
        }
        let key = Arc::new(read_pem(pem).ok()?);
        self.read_keys.insert(pem.to_owned(), Arc::clone(&key));
        Some(key)
    }

    /// What may be called.
    pub fn policy(&self) -> &OutboundPolicy {
        self.outbound.policy()
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

/// A login that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// What verifying takes.
    pub verifier: &'a Verifier,
    /// The machine identity that the proof names, and whose configuration is applied.
    pub identity: IdentityId,
    /// The time, in Unix seconds.
    pub now: i64,
    /// The origins that this server is reached at, such as `https://kms.example.com`.
    pub origins: &'a [String],
}
