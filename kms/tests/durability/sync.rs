//! Acknowledged means synced: a killed process keeps the page cache, so the syncs are counted.

use serde_json::json;

use crate::{
    database::{Database, psql},
    http::Connection,
    server::Server,
};

/// Writes that come one after the other, so that none can share a sync with another.
const WRITES: usize = 40;

fn write_one_after_the_other(server: &Server, token: &str, project: &str) {
    let mut connection = Connection::open(server.address, token).unwrap();
    for count in 0..WRITES {
        let body = json!({ "projectId": project, "environment": "dev", "secretValue": "v" });
        let path = format!("/api/v4/secrets/SYNC_{count}");
        let (status, answer) = connection.send("POST", &path, Some(&body)).unwrap();
        assert_eq!(status, 200, "{answer}");
    }
}

#[test]
fn every_acknowledged_write_of_the_embedded_server_was_synced() {
    let database = Database::embedded();
    let trace = database.directory().join("syncs");
    let trace_text = trace.to_str().unwrap().to_owned();
    let under = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", &trace_text];
    let mut server = Server::start(&database, &under);
    let (token, project) = server.set_up();
    let count = || {
        let text = std::fs::read_to_string(&trace).unwrap();
        text.lines().filter(|line| line.contains("sync(") && line.contains("= 0")).count()
    };
    let before = count();
    write_one_after_the_other(&server, &token, &project);
    let synced = count() - before;
    // The server is the tracer's child; the tracer ends when it has nothing left to trace.
    let tracer = server.child.id().to_string();
    let ended = std::process::Command::new("pkill").args(["-KILL", "-P", &tracer]).status();
    assert!(ended.unwrap().success());
    server.child.wait().unwrap();
    assert!(synced >= WRITES, "{WRITES} writes were acknowledged after {synced} syncs");
}

#[test]
#[ignore = "needs a PostgreSQL server: KMS_TEST_DATABASE_URL"]
fn every_acknowledged_write_on_postgresql_was_synced() {
    let database = Database::postgres();
    let Database::Postgres { url, .. } = &database else { unreachable!() };
    let count = || -> usize {
        // A session reports what it did when it ends, which is soon after the server was killed.
        std::thread::sleep(std::time::Duration::from_secs(2));
        psql(url, "SELECT wal_sync FROM pg_stat_wal").parse().unwrap()
    };
    let server = Server::start(&database, &[]);
    let (token, project) = server.set_up();
    server.kill();
    let before = count();
    let server = Server::start(&database, &[]);
    write_one_after_the_other(&server, &token, &project);
    server.kill();
    let synced = count() - before;
    assert!(synced >= WRITES, "{WRITES} writes were acknowledged after {synced} syncs");
}
