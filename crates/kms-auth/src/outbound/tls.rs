//! Whom a call trusts. There is no call that trusts everybody.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};

/// More certificates than any authority has.
const MAX_CERTIFICATES: usize = 16;

/// Whose certificates a call accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Trust(Option<Arc<[CertificateDer<'static>]>>);

/// What is not a list of certificates in PEM form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Must be one to 16 certificates of authorities in PEM form")]
pub struct InvalidCertificates;

impl Trust {
    /// The public authorities and those of this machine.
    pub fn public() -> Self {
        Self(None)
    }

    /// The authorities in a PEM text, and nobody else; an empty text is [`Self::public`].
    pub fn pem(text: &str) -> Result<Self, InvalidCertificates> {
        if text.trim().is_empty() {
            return Ok(Self::public());
        }
        let certificates = CertificateDer::pem_slice_iter(text.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| InvalidCertificates)?;
        if certificates.is_empty() || certificates.len() > MAX_CERTIFICATES {
            return Err(InvalidCertificates);
        }
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|_| InvalidCertificates)?;
        }
        Ok(Self(Some(certificates.into())))
    }

    /// What it takes in memory, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.0.iter().flat_map(|certificates| certificates.iter()).map(|der| der.len()).sum()
    }

    /// The configuration of a connection.
    pub(super) fn config(&self) -> Result<ClientConfig, rustls::Error> {
        let roots = match &self.0 {
            None => public_roots(),
            Some(certificates) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates.iter() {
                    roots.add(certificate.clone())?;
                }
                Arc::new(roots)
            }
        };
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(config)
    }
}

/// Read when the first call is made: the system's certificates take some milliseconds.
fn public_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    };
    Arc::clone(ROOTS.get_or_init(read))
}
