//! Listeners, connections and their end.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::Service;

/// Connections at one time, those that wait for changes among them; more wait until one ends.
const CONNECTIONS: u32 = 16_384;
/// How long a client may take for the head of its next request, idle time included.
const HEAD_WITHIN: Duration = Duration::from_mins(1);
/// How long a TLS handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a request's head at most.
const LARGEST_HEAD: usize = 64 * 1024;
/// How long what was accepted may take after the stop.
pub(crate) const FINISH_WITHIN: Duration = Duration::from_secs(30);
/// How long to wait when the system has no more connections to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Something that answers requests.
pub(crate) trait Answer: Clone + Send + Sync + 'static {
    /// Answers one request.
    fn answer(&self, request: Request, peer: SocketAddr) -> impl Future<Output = Response> + Send;
}

impl Answer for Service {
    fn answer(&self, request: Request, peer: SocketAddr) -> impl Future<Output = Response> + Send {
        Service::answer(self, request, peer)
    }
}

/// Serves until `stop` says so, then finishes what was accepted.
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    tls: Option<TlsAcceptor>,
    answer: impl Answer,
    stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS as usize));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        let door = Door { tls: tls.clone(), answer: answer.clone(), stop: stop.clone() };
        accepting.spawn(accept(listener, door, Arc::clone(&places)));
    }
    while accepting.join_next().await.is_some() {}
    // Every connection holds a place until it ends.
    let ended = places.acquire_many(CONNECTIONS);
    if tokio::time::timeout(FINISH_WITHIN, ended).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

/// What every connection of a listener is given.
#[derive(Clone)]
struct Door<A> {
    tls: Option<TlsAcceptor>,
    answer: A,
    stop: watch::Receiver<bool>,
}

async fn accept(listener: TcpListener, mut door: Door<impl Answer>, places: Arc<Semaphore>) {
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = stopped(&mut door.stop) => return,
            next = next => next,
        };
        match (place, accepted) {
            (Ok(place), Ok((stream, peer))) => {
                tokio::spawn(connection(stream, peer, place, door.clone()));
            }
            (_, Err(error)) => {
                tracing::debug!("a connection could not be accepted: {error}");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
            // The semaphore is never closed.
            (Err(_), _) => return,
        }
    }
}

/// Waits for the stop; a server whose owner is gone stops too.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    _place: OwnedSemaphorePermit,
    mut door: Door<impl Answer>,
) {
    // Answers are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let Some(tls) = &door.tls else {
        return speak(stream, peer, door).await;
    };
    let handshake = tokio::time::timeout(HANDSHAKE_WITHIN, tls.accept(stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = stopped(&mut door.stop) => return,
    };
    match shaken {
        Ok(Ok(stream)) => speak(stream, peer, door).await,
        Ok(Err(error)) => tracing::debug!("a TLS handshake failed: {error}"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn speak<A: Answer>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    door: Door<A>,
) {
    let Door { answer, mut stop, .. } = door;
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = answer.clone();
        async move { Ok::<_, Infallible>(answer.answer(request.map(Body::new), peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_header_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection broke: {error}");
    }
}
