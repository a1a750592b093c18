//! A closed-loop HTTP/1.1 load: every connection sends its next request when the answer is in.
//!
//! Deliberately bare (no client library), so that as little as possible of the machine goes to
//! the side that is not measured.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// One request as it goes over the wire.
#[derive(Clone)]
pub(crate) struct Request(Vec<u8>);

impl Request {
    /// A request with a bearer token and, for a `POST`, a JSON body.
    pub(crate) fn new(method: &str, path: &str, token: &str, body: Option<&str>) -> Self {
        let mut text =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: bench\r\n");
        if !token.is_empty() {
            text += &format!("authorization: Bearer {token}\r\n");
        }
        if let Some(body) = body {
            text += "content-type: application/json\r\n";
            text += &format!("content-length: {}\r\n", body.len());
        }
        text += "\r\n";
        text += body.unwrap_or_default();
        Self(text.into_bytes())
    }
}

/// What a run of load saw.
pub(crate) struct Figures {
    /// Answers with status 200.
    pub(crate) answered: u64,
    /// Answers with any other status.
    pub(crate) refused: u64,
    /// How long it ran.
    pub(crate) elapsed: Duration,
    /// Every answer's latency in microseconds, sorted.
    latencies: Vec<u32>,
    /// Bytes of the last answer's body.
    pub(crate) body: usize,
}

impl Figures {
    /// Answers with status 200 per second.
    pub(crate) fn rate(&self) -> f64 {
        self.answered as f64 / self.elapsed.as_secs_f64()
    }

    /// A percentile of the latency in microseconds.
    pub(crate) fn percentile(&self, percent: usize) -> u32 {
        let place =
            (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(place).copied().unwrap_or_default()
    }
}

/// Sends one request over and over on a number of connections.
pub(crate) async fn drive(
    address: SocketAddr,
    request: &Request,
    connections: usize,
    duration: Duration,
) -> std::io::Result<Figures> {
    let start = Instant::now();
    let until = start + duration;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..connections {
        clients.spawn(client(address, request.clone(), until));
    }
    let mut figures =
        Figures { answered: 0, refused: 0, elapsed: duration, latencies: Vec::new(), body: 0 };
    while let Some(client) = clients.join_next().await {
        let part = client.map_err(std::io::Error::other)??;
        figures.answered += part.answered;
        figures.refused += part.refused;
        figures.body = figures.body.max(part.body);
        figures.latencies.extend(part.latencies);
    }
    figures.elapsed = start.elapsed();
    figures.latencies.sort_unstable();
    Ok(figures)
}

/// Sends one request and gives back the answer's body.
pub(crate) async fn once(
    address: SocketAddr,
    request: &Request,
) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&request.0).await?;
    let mut buffer = Vec::new();
    let (status, head, body) = answer(&mut stream, &mut buffer).await?;
    Ok((status, buffer[head..head + body].to_vec()))
}

async fn client(address: SocketAddr, request: Request, until: Instant) -> std::io::Result<Figures> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut figures = Figures {
        answered: 0,
        refused: 0,
        elapsed: Duration::ZERO,
        latencies: Vec::new(),
        body: 0,
    };
    let mut buffer = Vec::with_capacity(64 * 1024);
    while Instant::now() < until {
        let sent = Instant::now();
        stream.write_all(&request.0).await?;
        let (status, head, body) = answer(&mut stream, &mut buffer).await?;
        buffer.drain(..head + body);
        figures.body = body;
        if status == 200 {
            figures.answered += 1;
        } else {
            figures.refused += 1;
        }
        let micros = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
        figures.latencies.push(micros);
    }
    Ok(figures)
}

/// Reads one whole answer: its status, the length of its head and of its body.
async fn answer(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> std::io::Result<(u16, usize, usize)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = std::str::from_utf8(&buffer[..end]).map_err(std::io::Error::other)?;
            let status = head.get(9..12).and_then(|text| text.parse().ok()).unwrap_or(0);
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse().ok())
                .unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                return Ok((status, end + 4, length));
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}
