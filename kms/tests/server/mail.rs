//! How mail leaves the server, and what of it the log tells.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use crate::process::{Server, command, refused};

/// A mail server that takes everything: its port, and the texts that it is given.
fn mail_server() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (mails, received) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mails = mails.clone();
            thread::spawn(move || speak(stream.unwrap(), &mails));
        }
    });
    (port, received)
}

fn speak(stream: TcpStream, mails: &mpsc::Sender<String>) {
    let mut answer = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines();
    answer.write_all(b"220 mail.example.test\r\n").unwrap();
    while let Some(Ok(line)) = lines.next() {
        let said = if line.starts_with("DATA") {
            answer.write_all(b"354 go on\r\n").unwrap();
            let text: Vec<String> =
                lines.by_ref().map(Result::unwrap).take_while(|line| line != ".").collect();
            mails.send(text.join("\n")).unwrap();
            "250 taken"
        } else {
            "250 fine"
        };
        if answer.write_all(format!("{said}\r\n").as_bytes()).is_err() {
            return;
        }
    }
}

/// Asks for a link to set a new password with: the status line and how long it took.
fn recover(server: &Server, email: &str) -> (String, Duration) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let body = format!(r#"{{"email":"{email}"}}"#);
    write!(
        stream,
        "POST /api/v1/account-recovery/send-email HTTP/1.1\r\nhost: evil.example\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer, began.elapsed())
}

#[test]
fn a_mail_server_that_is_none_is_refused_without_telling_its_password() {
    for (url, said) in [
        ("smtp://ada:canary-pw@mail.example.test/path", "`--smtp-url` must not have a path"),
        ("http://ada:canary-pw@mail.example.test", "must begin with `smtp://` or `smtps://`"),
        ("smtps://ada:canary-pw@", "`--smtp-url`"),
    ] {
        let mut command = command(&["--dev", "--mail-from", "kms@example.test"]);
        let (code, text) = refused(command.env("KMS_SMTP_URL", url));
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(said), "{text}");
        assert!(!text.contains("canary-pw"), "{text}");
    }
    let (code, text) = refused(command(&["--dev"]).env("KMS_SMTP_URL", "smtp://localhost"));
    assert_eq!(code, 2);
    assert!(text.contains("`--smtp-url` needs `--mail-from`"), "{text}");
}

#[test]
fn d5_mail_is_sent_and_the_log_tells_neither_to_whom_nor_what() {
    let (port, mails) = mail_server();
    let url = format!("smtp://127.0.0.1:{port}");
    let arguments = ["--dev", "--log-level", "trace", "--mail-from", "KMS <kms@example.test>"];
    let server = Server::start(command(&arguments).args(["--smtp-url", &url]));
    let (answer, _) = recover(&server, "dev@localhost");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let mail = mails.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(
        mail.contains("To: dev@localhost") && mail.contains("KMS <kms@example.test>"),
        "{mail}"
    );
    let token = mail.split("token=").nth(1).unwrap().split('&').next().unwrap();
    let token = token.replace("=\n", "");
    assert!(!mail.contains("evil.example"), "{mail}");
    let (_, said) = server.stop("-TERM");
    assert!(said.contains("a mail was sent"), "{said}");
    for canary in [token.get(..16).unwrap(), "dev@localhost"] {
        assert!(!said.contains(canary), "{canary}");
    }
}

#[test]
fn no_request_waits_for_a_mail_server_and_no_stop_for_long() {
    // It accepts connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", silent.local_addr().unwrap());
    let arguments = ["--dev", "--mail-from", "kms@example.test", "--smtp-url", &url];
    let server = Server::start(&mut command(&arguments));
    let (answer, took) = recover(&server, "dev@localhost");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let began = Instant::now();
    let (status, said) = server.stop("-TERM");
    assert!(status.success());
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(said.contains("mails were not sent before the stop"), "{said}");
}

#[test]
fn mail_is_written_to_standard_error_only_where_that_was_asked_for() {
    let server = Server::start(&mut command(&["--dev"]));
    let (answer, _) = recover(&server, "dev@localhost");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (_, said) = server.stop("-TERM");
    assert!(said.contains("mail to dev@localhost: Reset your password"), "{said}");
    let directory = tempfile::tempdir().unwrap();
    let server =
        Server::start(&mut command(&["--data-dir", crate::process::text(directory.path())]));
    let (answer, _) = recover(&server, "dev@localhost");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("--print-mail"), "{answer}");
}
