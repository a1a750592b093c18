//! Fifty times `kill -9` under eight writers: every acknowledged write is there, none by half.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{database::Database, http::Connection, server::Server};

const KILLS: u32 = 50;
const WRITERS: usize = 8;
/// Secrets of one batch, written together or not at all.
const BATCH: usize = 5;

/// What the server said it did: name to the value of its newest acknowledged write.
type Acknowledged = BTreeMap<String, String>;

#[test]
fn nothing_acknowledged_is_lost_when_the_embedded_server_is_killed() {
    kill_over_and_over(&Database::embedded());
}

#[test]
#[ignore = "needs a PostgreSQL server: KMS_TEST_DATABASE_URL"]
fn nothing_acknowledged_is_lost_when_a_server_on_postgresql_is_killed() {
    kill_over_and_over(&Database::postgres());
}

fn kill_over_and_over(database: &Database) {
    let mut server = Server::start(database, &[]);
    let (token, project) = server.set_up();
    let acknowledged = Mutex::new(Acknowledged::new());
    for round in 0..KILLS {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let place = Place { address: server.address, token: &token, project: &project };
                let (acknowledged, stop) = (&acknowledged, &stop);
                scope.spawn(move || write(&place, round, writer, acknowledged, stop));
            }
            // A different moment of the load every time.
            let moment = Duration::from_millis(u64::from(round * 7 % 60));
            std::thread::sleep(database.warm_up() + moment);
            server.kill();
            stop.store(true, Ordering::Relaxed);
        });
        server = Server::start(database, &[]);
        let place = Place { address: server.address, token: &token, project: &project };
        check(&place, &acknowledged.lock().unwrap());
    }
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() > 500, "only {} secrets were written", acknowledged.len());
    let place = Place { address: server.address, token: &token, project: &project };
    check_audit(&place, &acknowledged);
    server.kill();
}

struct Place<'a> {
    address: SocketAddr,
    token: &'a str,
    project: &'a str,
}

impl Place<'_> {
    fn body(&self, rest: &Value) -> Value {
        let mut body = json!({ "projectId": self.project, "environment": "dev" });
        for (key, value) in rest.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    }
}

/// Makes, changes and batches secrets until the server goes away.
fn write(
    place: &Place<'_>,
    round: u32,
    writer: usize,
    acknowledged: &Mutex<Acknowledged>,
    stop: &AtomicBool,
) {
    let Ok(mut connection) = Connection::open(place.address, place.token) else { return };
    for count in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("R{round}W{writer}N{count}");
        let path = format!("/api/v4/secrets/{name}");
        for (method, value) in
            [("POST", format!("{name} made")), ("PATCH", format!("{name} changed"))]
        {
            let body = place.body(&json!({ "secretValue": value }));
            let Ok((status, answer)) = connection.send(method, &path, Some(&body)) else { return };
            assert_eq!(status, 200, "{answer}");
            acknowledged.lock().unwrap().insert(name.clone(), value);
        }
        let names: Vec<_> = (0..BATCH).map(|part| format!("{name}B{part}")).collect();
        let secrets: Vec<_> = names
            .iter()
            .map(|name| json!({ "secretKey": name, "secretValue": format!("{name} together") }))
            .collect();
        let body = place.body(&json!({ "secrets": secrets }));
        let Ok((status, answer)) = connection.send("POST", "/api/v4/secrets/batch", Some(&body))
        else {
            return;
        };
        assert_eq!(status, 200, "{answer}");
        let mut acknowledged = acknowledged.lock().unwrap();
        acknowledged
            .extend(names.into_iter().map(|name| (name.clone(), format!("{name} together"))));
    }
}

/// Every acknowledged write is there; what is there beyond is a whole write whose answer was lost.
fn check(place: &Place<'_>, acknowledged: &Acknowledged) {
    let stored = list(place);
    for (name, value) in acknowledged {
        let found =
            stored.get(name).unwrap_or_else(|| panic!("{name} was acknowledged and is gone"));
        let newer = *value == format!("{name} made") && *found == format!("{name} changed");
        assert!(found == value || newer, "{name} holds {found:?}, acknowledged was {value:?}");
    }
    let mut batches: BTreeMap<&str, usize> = BTreeMap::new();
    for name in stored.keys() {
        if let Some((batch, _)) = name.split_once('B') {
            *batches.entry(batch).or_default() += 1;
        }
    }
    for (batch, size) in batches {
        assert_eq!(size, BATCH, "the batch {batch} is there by half");
    }
}

fn list(place: &Place<'_>) -> BTreeMap<String, String> {
    let mut connection = Connection::open(place.address, place.token).unwrap();
    let path = format!("/api/v4/secrets?projectId={}&environment=dev", place.project);
    let (status, body) = connection.send("GET", &path, None).unwrap();
    assert_eq!(status, 200, "{body}");
    let secrets = body["secrets"].as_array().unwrap();
    let text = |secret: &Value, field: &str| secret[field].as_str().unwrap().to_owned();
    secrets.iter().map(|s| (text(s, "secretKey"), text(s, "secretValue"))).collect()
}

/// No write without its record: every single create and change has exactly one.
fn check_audit(place: &Place<'_>, acknowledged: &Acknowledged) {
    let mut connection = Connection::open(place.address, place.token).unwrap();
    let mut recorded: BTreeMap<String, [u32; 2]> = BTreeMap::new();
    for offset in (0..).step_by(1_000) {
        let path = format!(
            "/api/v1/organization/audit-logs?projectId={}&eventType=create-secret,update-secret\
             &limit=1000&offset={offset}",
            place.project
        );
        let (status, body) = connection.send("GET", &path, None).unwrap();
        assert_eq!(status, 200, "{body}");
        let logs = body["auditLogs"].as_array().unwrap();
        for log in logs {
            let kind = usize::from(log["event"]["type"] == "update-secret");
            let name = log["event"]["metadata"]["secretKey"].as_str().unwrap();
            recorded.entry(name.to_owned()).or_default()[kind] += 1;
        }
        if logs.len() < 1_000 {
            break;
        }
    }
    let stored = list(place);
    for (name, value) in stored.iter().filter(|(name, _)| !name.contains('B')) {
        let changed = u32::from(value.ends_with("changed"));
        assert_eq!(recorded.get(name), Some(&[1, changed]), "records of {name}");
    }
    assert!(acknowledged.keys().all(|name| stored.contains_key(name)));
}
