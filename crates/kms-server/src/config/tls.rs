//! TLS by certificate files.

use std::{path::Path, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio_rustls::TlsAcceptor;

use super::{ServerArgs, StartError};

/// What wraps connections in TLS, where a certificate was given.
pub(crate) fn acceptor(args: &ServerArgs) -> Result<Option<TlsAcceptor>, StartError> {
    let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) else { return Ok(None) };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(refuse(certificate))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(refuse(key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(refuse(certificate))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(refuse(certificate))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn refuse<E: std::error::Error + Send + Sync + 'static>(
    path: &Path,
) -> impl FnOnce(E) -> StartError {
    let path = path.to_owned();
    move |error| StartError::Tls { path, source: Box::new(error) }
}
