//! Web servers on this machine that count who calls, and their certificates.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};

/// What a peer answers to a request whose body was read.
type Answer = Arc<dyn Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync>;

/// A web server of a test.
pub struct Peer {
    /// Where it listens.
    pub address: SocketAddr,
    hits: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<Request<()>>>>,
}

impl Peer {
    /// Speaks plain HTTP on loopback.
    pub async fn http(
        answer: impl Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self::start(Ipv4Addr::LOCALHOST, None, answer).await
    }

    /// Speaks TLS with the certificate, on an address of loopback.
    pub async fn start(
        ip: Ipv4Addr,
        tls: Option<rustls::ServerConfig>,
        answer: impl Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self::bind((ip, 0).into(), tls, answer).await
    }

    /// As [`Self::start`], on a given port.
    pub async fn bind(
        at: SocketAddr,
        tls: Option<rustls::ServerConfig>,
        answer: impl Fn(Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let hits = Arc::new(AtomicUsize::new(0));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (counted, kept) = (Arc::clone(&hits), Arc::clone(&heads));
        let answer: Answer = Arc::new(answer);
        let answer: Answer = Arc::new(move |request| {
            let (parts, body) = request.into_parts();
            kept.lock().unwrap().push(Request::from_parts(parts.clone(), ()));
            answer(Request::from_parts(parts, body))
        });
        let tls = tls.map(|config| tokio_rustls::TlsAcceptor::from(Arc::new(config)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (tls, answer) = (tls.clone(), Arc::clone(&answer));
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, answer).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, answer).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, hits, heads }
    }

    /// Connections that were made.
    pub fn connections(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    /// Requests that were made, without their bodies.
    pub fn requests(&self) -> Vec<Request<()>> {
        self.heads.lock().unwrap().clone()
    }

    /// The peer's origin by its address, in plain HTTP.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, answer: Answer) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = Arc::clone(&answer);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>(answer(Request::from_parts(parts, body)).map(Full::new))
        }
    });
    // A client that hangs up is none of the peer's business.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

/// An answer in JSON.
pub fn json(value: &serde_json::Value) -> Response<Bytes> {
    let json = Response::builder().header("content-type", "application/json");
    json.body(value.to_string().into()).unwrap()
}

/// An empty answer with a status.
pub fn status(status: u16) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::new()).unwrap()
}

/// An authority of a test.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Its certificate in PEM form.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a server shows that is good for a name or an address, changed as told.
    pub fn server(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> rustls::ServerConfig {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        rustls::ServerConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap()
    }
}
