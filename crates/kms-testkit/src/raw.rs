//! Bytes on a socket, for what no HTTP library would send.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Sends bytes to a server and gives back what it says until it is silent for a moment or hangs
/// up.
pub async fn exchange(url: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    // A server that refuses early may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut part = [0; 4_096];
    while let Ok(Ok(read @ 1..)) =
        tokio::time::timeout(Duration::from_millis(500), stream.read(&mut part)).await
    {
        answer.extend_from_slice(&part[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}
