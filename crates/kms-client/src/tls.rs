//! Whom to trust: the bundled roots, the system's, and those that the caller adds.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use crate::{
    Error,
    verifier::{Explaining, Presented, Seen},
};

/// Whose certificates vouch for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Those that came with this program.
    Bundled,
    /// The system's, or those that stand for them (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
    System,
    /// Those of the file that the caller added.
    Added,
}

/// The configuration of a connection that will be encrypted. Reads the system's certificates,
/// which takes some milliseconds; call it only when there will be such a connection.
///
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` stand for the system's certificates when they are set.
pub(crate) fn config(extra: Option<&Path>, seen: Seen) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let system = rustls_native_certs::load_native_certs();
    for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        // Somebody who names a file wants to hear that it can't be read; of the platform's own
        // store, what can be read is good enough.
        let Some(path) = std::env::var_os(variable) else {
            continue;
        };
        if system.certs.is_empty() {
            let cause = system
                .errors
                .first()
                .map_or_else(|| "it holds no certificate".into(), std::string::ToString::to_string);
            return Err(Error::Certificates {
                path: path.to_string_lossy().into_owned(),
                cause: cause.into(),
            });
        }
    }
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = extra {
        for certificate in read(path)? {
            roots.add(certificate).map_err(|cause| unusable(path, cause))?;
        }
    }
    let verifier =
        Explaining::new(roots, provider(), seen).map_err(|cause| Error::Setup(cause.into()))?;
    Ok(builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// Whose word these certificates are trusted on, the first of those that would do alone.
pub(crate) fn trusted_by(presented: &Presented, extra: Option<&Path>) -> Option<Roots> {
    let (end_entity, intermediates) = presented.chain.split_first()?;
    let server = ServerName::try_from(presented.by.as_str()).ok()?;
    let is_good = |roots: RootCertStore| {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
        verifier.build().is_ok_and(|verifier| {
            let now = UnixTime::now();
            verifier.verify_server_cert(end_entity, intermediates, &server, &[], now).is_ok()
        })
    };
    let bundled = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if is_good(bundled) {
        return Some(Roots::Bundled);
    }
    let mut system = RootCertStore::empty();
    system.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if is_good(system) {
        return Some(Roots::System);
    }
    let mut added = RootCertStore::empty();
    added.add_parsable_certificates(extra.and_then(|path| read(path).ok()).unwrap_or_default());
    is_good(added).then_some(Roots::Added)
}

/// The configuration of a client that will never encrypt: it trusts nobody and costs nothing.
pub(crate) fn none() -> ClientConfig {
    builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

fn builder() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has cipher suites for the default versions")
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| unusable(path, cause))?;
    if certificates.is_empty() {
        return Err(unusable(path, "it holds no PEM certificate"));
    }
    Ok(certificates)
}

fn unusable(path: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Certificates { path: path.display().to_string(), cause: cause.into() }
}
