//! What a browser comes back to: a listener on this machine, open while one login waits.
//!
//! Anybody on this machine and any web page can send something here, so nothing that arrives can end
//! the wait but what the [`Gate`] takes; everything else is answered by fixed text, with nothing of
//! the request in it (attacks L1, L3 and L4).

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Request, Response, StatusCode, request::Parts};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::{AbortHandle, JoinHandle},
    time::{sleep, timeout},
};

/// Connections at one time. One more ends the oldest, so that holding them open keeps nobody out.
const CONNECTIONS: usize = 16;
/// How long a connection may last.
const CONNECTION: Duration = Duration::from_secs(5);
/// How long the last answer may take to reach the browser.
const LAST_ANSWER: Duration = Duration::from_secs(1);
/// How large the head of a request may be, in bytes: an address with a code is far below.
const LARGEST_HEAD: usize = 16 * 1024;
/// How large its body may be, in bytes: two tokens and an address.
const LARGEST_BODY: usize = 64 * 1024;
/// What may be taken before somebody looks at it.
const QUEUE: usize = 4;

/// An answer of the listener.
pub(super) type Answer = Response<Full<Bytes>>;

/// Decides about every request.
pub(super) trait Gate: Send + Sync + 'static {
    /// What is waited for.
    type Taken: Send + 'static;

    /// Looks at a request.
    fn judge(&self, head: &Parts, body: &[u8]) -> (Option<Self::Taken>, Answer);
}

/// A socket on one loopback address, not yet answering.
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes a free port of `127.0.0.1` or, on a machine without that, of `[::1]`. Never of a name:
    /// a name may lead elsewhere (RFC 8252, section 8.3).
    pub(super) async fn bind() -> io::Result<Self> {
        let socket = match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await {
            Ok(socket) => socket,
            Err(_) => TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await?,
        };
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Address and port, as they stand in `Host`.
    pub(super) fn authority(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Starts answering.
    pub(super) fn serve<G: Gate>(self, gate: G) -> Serving<G::Taken> {
        let (sender, taken) = mpsc::channel(QUEUE);
        let door = Arc::new(Door { gate, authority: self.authority(), sender });
        let task = tokio::spawn(accept(self.socket, door));
        Serving { taken, task, last: None }
    }
}

/// A listener that answers, until it is dropped.
pub(super) struct Serving<T> {
    taken: mpsc::Receiver<(T, oneshot::Receiver<Infallible>)>,
    task: JoinHandle<()>,
    last: Option<oneshot::Receiver<Infallible>>,
}

impl<T> Serving<T> {
    /// The next thing that the gate takes.
    pub(super) async fn next(&mut self) -> T {
        match self.taken.recv().await {
            Some((taken, sent)) => {
                self.last = Some(sent);
                taken
            }
            // Whoever sends lives as long as the listener.
            None => std::future::pending().await,
        }
    }

    /// Waits until the browser has the answer to what was taken last: the program ends soon.
    pub(super) async fn last_answer(&mut self) {
        if let Some(sent) = self.last.take() {
            let _ = timeout(LAST_ANSWER, sent).await;
        }
    }
}

impl<T> Drop for Serving<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Door<G: Gate> {
    gate: G,
    authority: String,
    sender: mpsc::Sender<(G::Taken, oneshot::Receiver<Infallible>)>,
}

async fn accept<G: Gate>(socket: TcpListener, door: Arc<Door<G>>) {
    let mut connections = Connections(VecDeque::with_capacity(CONNECTIONS));
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                let task = tokio::spawn(converse(stream, Arc::clone(&door)));
                connections.add(task.abort_handle());
            }
            // Out of file descriptors, most likely: the next try is not better at once.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// The open connections, the oldest first. They end with the listener.
struct Connections(VecDeque<AbortHandle>);

impl Connections {
    fn add(&mut self, connection: AbortHandle) {
        self.0.retain(|open| !open.is_finished());
        if self.0.len() == CONNECTIONS {
            self.0.pop_front().inspect(AbortHandle::abort);
        }
        self.0.push_back(connection);
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// One request and its answer.
async fn converse<G: Gate>(stream: TcpStream, door: Arc<Door<G>>) {
    // Dropped when the connection is over, which is how its other end learns that.
    let (_open, closed) = oneshot::channel();
    let closed = Mutex::new(Some(closed));
    let service = service_fn(|request| {
        let (door, closed) = (&door, &closed);
        async move { Ok::<_, Infallible>(door.answer(request, closed).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(CONNECTION)
        .max_buf_size(LARGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever sends no request gets no answer.
    let _ = timeout(CONNECTION, connection).await;
}

impl<G: Gate> Door<G> {
    async fn answer(
        &self,
        request: Request<Incoming>,
        closed: &Mutex<Option<oneshot::Receiver<Infallible>>>,
    ) -> Answer {
        let (head, body) = request.into_parts();
        if !self.is_host(&head) {
            return plain(StatusCode::MISDIRECTED_REQUEST);
        }
        let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
            return plain(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let (taken, answer) = self.gate.judge(&head, &body.to_bytes());
        let Some(taken) = taken else { return answer };
        let closed = closed.lock().ok().and_then(|mut closed| closed.take());
        let Some(closed) = closed else { return plain(StatusCode::NOT_FOUND) };
        match self.sender.try_send((taken, closed)) {
            Ok(()) => answer,
            Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// A name that somebody else has pointed at this machine is not ours (attack L3).
    fn is_host(&self, head: &Parts) -> bool {
        let mut hosts = head.headers.get_all(http::header::HOST).iter();
        let first = hosts.next().is_some_and(|host| *host == *self.authority);
        first && hosts.next().is_none() && head.uri.authority().is_none()
    }
}

/// An answer that says no more than its status.
pub(super) fn plain(status: StatusCode) -> Answer {
    let text = format!("{}\n", status.canonical_reason().unwrap_or_default());
    sealed(status, "text/plain; charset=utf-8", "default-src 'none'", text.into())
}

/// An answer with the headers that every one of them has.
pub(super) fn sealed(
    status: StatusCode,
    content_type: &'static str,
    policy: &str,
    body: Bytes,
) -> Answer {
    let answer = Response::builder()
        .status(status)
        .header("content-type", content_type)
        .header("content-security-policy", policy)
        .header("cache-control", "no-store")
        .header("referrer-policy", "no-referrer")
        .header("x-content-type-options", "nosniff")
        .header("cross-origin-resource-policy", "same-origin")
        .body(Full::new(body));
    answer.expect("the headers are ours and well-formed")
}
