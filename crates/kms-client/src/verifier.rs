//! Verifies a server's certificate as `rustls` does, and says which link of its chain failed.

use std::{
    error::Error as StdError,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use webpki::EndEntityCert;

use crate::{TlsFault, certificate::common_name};

/// The verifier of `rustls`, which decides everything; only its refusals are told in more words.
#[derive(Debug)]
pub(crate) struct Explaining {
    verifier: Arc<WebPkiServerVerifier>,
    seen: Seen,
}

/// What was last verified, good or not.
pub(crate) type Seen = Arc<Mutex<Option<Presented>>>;

/// The certificates of a server.
#[derive(Clone, Debug)]
pub(crate) struct Presented {
    /// Whom they have to be for.
    pub(crate) by: String,
    /// The server's own first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
}

impl Explaining {
    pub(crate) fn new(
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
        seen: Seen,
    ) -> Result<Self, rustls::client::VerifierBuilderError> {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        Ok(Self { verifier, seen })
    }
}

impl ServerCertVerifier for Explaining {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        let chain = chain.map(|certificate| certificate.clone().into_owned()).collect();
        let presented = Presented { by: server_name.to_str().into_owned(), chain };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(presented);
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        verified.map_err(|error| match error {
            rustls::Error::InvalidCertificate(reason) => {
                let rejected = Rejected::new(&reason, end_entity, intermediates, server_name);
                CertificateError::Other(OtherError(Arc::new(rejected))).into()
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// What kind of fault it is, and the fault in a sentence.
pub(crate) fn explain(error: &rustls::Error) -> (TlsFault, String) {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) => {
            match cause.downcast_ref::<Rejected>() {
                Some(rejected) => (rejected.fault, rejected.reason.clone()),
                None => (TlsFault::Other, cause.to_string()),
            }
        }
        rustls::Error::InvalidMessage(_) => {
            (TlsFault::Protocol, "what answers there does not speak TLS".to_owned())
        }
        other => (TlsFault::Other, other.to_string()),
    }
}

#[derive(Debug)]
struct Rejected {
    fault: TlsFault,
    reason: String,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl StdError for Rejected {}

impl Rejected {
    fn new(
        reason: &CertificateError,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server: &ServerName<'_>,
    ) -> Self {
        let server = server.to_str();
        let (fault, reason) = match reason {
            CertificateError::UnknownIssuer => {
                (TlsFault::Authority, untrusted(end_entity, intermediates, &server))
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                (TlsFault::Name, misnamed(presented, &server))
            }
            CertificateError::NotValidForName => (TlsFault::Name, misnamed(&[], &server)),
            CertificateError::ExpiredContext { time, not_after } => {
                let ago = days(time.as_secs().saturating_sub(not_after.as_secs()));
                (TlsFault::Time, format!("a certificate of its chain ended {ago} ago"))
            }
            CertificateError::NotValidYetContext { time, not_before } => {
                let ahead = days(not_before.as_secs().saturating_sub(time.as_secs()));
                (TlsFault::Time, format!("a certificate of its chain is valid in {ahead} only"))
            }
            CertificateError::Expired | CertificateError::NotValidYet => {
                (TlsFault::Time, reason.to_string())
            }
            other => (TlsFault::Other, other.to_string()),
        };
        Self { fault, reason }
    }
}

fn misnamed(presented: &[String], server: &str) -> String {
    let names = match presented {
        [] => "other names".to_owned(),
        // rustls writes a name as `DnsName("example.com")`.
        names => {
            let inner = |name: &String| name.split('"').nth(1).unwrap_or(name).to_owned();
            names.iter().map(|name| format!("`{}`", inner(name))).collect::<Vec<_>>().join(", ")
        }
    };
    format!("its certificate is for {names}, not for `{server}`")
}

/// Follows the chain from the server upwards to the last certificate whose issuer was not sent.
fn untrusted(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    server: &str,
) -> String {
    let unreadable = || format!("the certificate of `{server}` is not trusted here");
    let Ok(leaf) = EndEntityCert::try_from(end_entity) else { return unreadable() };
    let sent: Vec<_> =
        intermediates.iter().filter_map(|der| EndEntityCert::try_from(der).ok()).collect();
    let mut last = &leaf;
    // Each step uses one of them up, so a circle ends too.
    for _ in 0..=sent.len() {
        let above = sent
            .iter()
            .find(|cert| cert.subject() == last.issuer() && last.issuer() != last.subject());
        match above {
            Some(above) => last = above,
            None => break,
        }
    }
    let subject = common_name(last.subject()).unwrap_or_else(|| server.to_owned());
    if last.issuer() == last.subject() {
        return format!("`{subject}` has signed its own certificate and is not trusted here");
    }
    match common_name(last.issuer()) {
        Some(issuer) => format!(
            "`{issuer}`, which issued the certificate of `{subject}`, is neither trusted here nor \
             was its certificate sent along"
        ),
        None => unreadable(),
    }
}

fn days(seconds: u64) -> String {
    match seconds / 86_400 {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}
