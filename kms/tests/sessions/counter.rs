//! Stands between the program and the server, and counts.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

#[derive(Default)]
struct Counts {
    requests: AtomicUsize,
    refreshes: AtomicUsize,
}

/// Passes everything on.
pub(crate) struct Counter {
    address: SocketAddr,
    counts: Arc<Counts>,
}

impl Counter {
    /// Listens for a server; ends with the process.
    pub(crate) fn before(server: &str) -> Self {
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let counts: Arc<Counts> = Arc::default();
        let counted = Arc::clone(&counts);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (client, server) = (stream.unwrap(), TcpStream::connect(&server).unwrap());
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let counted = Arc::clone(&counted);
                thread::spawn(move || pass(client, server, |sent| counted.count(sent)));
                thread::spawn(move || pass(back.0, back.1, |_| {}));
            }
        });
        Self { address, counts }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.counts.refreshes.load(Ordering::SeqCst)
    }
}

impl Counts {
    fn count(&self, sent: &[u8]) {
        let found = |text: &[u8]| sent.windows(text.len()).filter(|part| *part == text).count();
        self.requests.fetch_add(found(b" HTTP/1.1\r\n"), Ordering::SeqCst);
        self.refreshes.fetch_add(found(b"POST /api/v1/auth/token "), Ordering::SeqCst);
    }
}

/// Until either side has enough.
fn pass(mut from: TcpStream, mut to: TcpStream, see: impl Fn(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        see(&buffer[..count]);
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}
