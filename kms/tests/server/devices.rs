//! As many logins of devices as may wait.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::Path,
};

use crate::process::{Server, command};

/// Addresses, and the logins of each that may wait.
const SOURCES: u8 = 100;
const OF_SOURCE: usize = 100;
/// KiB that ten thousand logins that wait may take beyond what one takes, in memory and on disk with
/// the audit records of their asking and what is not checkpointed yet.
const MEMORY: u64 = 64 * 1_024;
const DISK: u64 = 64 * 1_024;

/// The most memory that a process ever had resident, in KiB.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn disk(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap());
    files.filter(std::fs::Metadata::is_file).map(|file| file.len()).sum::<u64>() / 1_024
}

/// A connection from one of the addresses that this machine has for itself.
fn connect(source: u8, port: u16) -> BufReader<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let connected = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 0, 1, source), 0).into()).unwrap();
        socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.unwrap().into_std().unwrap()
    });
    connected.set_nonblocking(false).unwrap();
    BufReader::new(connected)
}

/// Asks for a login, and tells the status.
fn ask(connection: &mut BufReader<TcpStream>) -> u16 {
    const BODY: &str = "client_id=kms-cli&host=a-machine-with-a-name-of-its-own.example";
    let length = BODY.len();
    let request = format!(
        "POST /oauth/device HTTP/1.1\r\nhost: localhost\r\nuser-agent: kms-cli/0.1.0 (linux)\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{BODY}"
    );
    connection.get_mut().write_all(request.as_bytes()).unwrap();
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(rest) = line.strip_prefix("http/1.1 ") {
            status = rest[..3].parse().unwrap();
        } else if let Some(rest) = line.strip_prefix("content-length: ") {
            length = rest.parse().unwrap();
        } else if line.is_empty() {
            break;
        }
    }
    connection.read_exact(&mut vec![0; length]).unwrap();
    status
}

#[test]
fn l6_ten_thousand_devices_that_wait_stay_under_the_stated_memory() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&mut command(&["--dev", "--data-dir", data.to_str().unwrap()]));
    let port = server.port();
    assert_eq!(ask(&mut connect(200, port)), 200);

    let (memory, stored) = (peak(server.id()), disk(&data));
    let all_of = |source| {
        let mut connection = connect(source, port);
        let given = (0..OF_SOURCE).filter(|_| ask(&mut connection) == 200).count();
        // The last address finds the place taken that the first question took.
        (given, ask(&mut connection))
    };
    let answers: Vec<_> = std::thread::scope(|scope| {
        let sources: Vec<_> = (1..=SOURCES).map(|n| scope.spawn(move || all_of(n))).collect();
        sources.into_iter().map(|source| source.join().unwrap()).collect()
    });

    let given: usize = answers.iter().map(|(given, _)| given).sum();
    assert_eq!(given, usize::from(SOURCES) * OF_SOURCE - 1);
    assert!(answers.iter().all(|(_, more)| [429, 503].contains(more)), "{answers:?}");
    assert_eq!(ask(&mut connect(201, port)), 503, "from wherever");
    let more = peak(server.id()) - memory;
    assert!(more <= MEMORY, "{more} KiB more where {MEMORY} are allowed");
    let more = disk(&data) - stored;
    assert!(more <= DISK, "{more} KiB more on disk where {DISK} are allowed");
}
