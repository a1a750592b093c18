//! Everybody logs in at one moment.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Barrier,
    time::Duration,
};

use serde_json::{Value, json};

use crate::process::{Server, command};

const CROWD: usize = 1_000;
/// KiB that a thousand logins at once may take beyond what one takes: the ceiling that the book
/// states. Hashes that ran on all threads of the runtime would hold more than that for good.
const CEILING: u64 = 256 * 1_024;

/// The most memory that a process ever had resident, in KiB.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn log_in(port: u16, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
    let length = body.len();
    let request = format!(
        "POST /api/v3/auth/login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer[9..12].parse().unwrap(), answer.to_lowercase())
}

#[test]
fn h10_a_thousand_parallel_logins_stay_under_the_stated_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials.json");
    let mut start = command(&["--dev", "--credentials-file", file.to_str().unwrap()]);
    let server = Server::start(&mut start);
    let made: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let body = json!({ "email": made["user"]["email"], "password": made["user"]["password"] });
    let body = body.to_string();
    // One hash may be made before the crowd comes: what the process needs in any case is there.
    assert_eq!(log_in(server.port(), &body).0, 200);

    let before = peak(server.id());
    let together = Barrier::new(CROWD);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let one = || {
            together.wait();
            log_in(server.port(), &body)
        };
        let crowd: Vec<_> = (0..CROWD).map(|_| scope.spawn(one)).collect();
        crowd.into_iter().map(|one| one.join().unwrap()).collect()
    });

    let (admitted, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|(status, _)| *status == 200);
    assert!(!admitted.is_empty() && !refused.is_empty(), "{} admitted", admitted.len());
    for (status, answer) in refused {
        assert_eq!(*status, 429, "{answer}");
        assert!(answer.contains("\r\nretry-after: "), "{answer}");
    }
    let more = peak(server.id()) - before;
    assert!(more <= CEILING, "{more} KiB more where {CEILING} are allowed");
    assert_eq!(log_in(server.port(), &body).0, 200, "there is room again");
}
