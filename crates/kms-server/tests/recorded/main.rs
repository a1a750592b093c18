//! Our answers beside the answers that an older compatible server gave to the same requests.
//!
//! `exchanges.json` holds requests recorded from that server, in order, each with the status and
//! the fixed values of its answer; ids and tokens are names that earlier answers bind.
//! `shapes.json` holds the fields and types of its successes, endpoint by endpoint. The scenario
//! sends every request to our server. Where our answer differs, `differences.json` says why: a
//! difference without a row fails, and so does a row that explains nothing any more.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod differences;
mod fixture;
mod page;
mod replay;
mod shape;
mod tokens;

use std::collections::BTreeSet;

use fixture::{exchanges, shapes};
use http::Method;

use crate::{
    differences::Table,
    replay::{Found, Replay, Report},
};

#[tokio::test]
async fn every_recorded_exchange_is_answered_alike_or_differs_as_the_table_says() {
    let exchanges = exchanges();
    let table = Table::read(&exchanges);
    let mut replay = Replay::start().await;
    for exchange in &exchanges {
        replay.send(exchange, table.leaves_out(exchange.n)).await;
    }
    let Report { found, refusals } = replay.finish(&shapes()).await;
    let explained = table.explained();
    let about = |found: &Found| {
        let n = found.exchange().unwrap_or_default();
        let label = exchanges.iter().find(|exchange| exchange.n == n).map(|e| &e.label[..]);
        let refusal = refusals.get(&n).map_or("", String::as_str);
        format!("\n  {found} ({}) {refusal}", label.unwrap_or_default())
    };
    let unexplained: String = found.difference(&explained).map(about).collect();
    let stale: String = explained.difference(&found).map(about).collect();
    assert!(unexplained.is_empty(), "differences without a row:{unexplained}");
    assert!(stale.is_empty(), "rows that explain what is not so:{stale}");
}

#[test]
fn every_recorded_endpoint_is_in_the_table_of_routes() {
    let routes = kms_server::routes();
    let ours: BTreeSet<_> =
        routes.iter().map(|route| format!("{} {}", route.method, route.info.path)).collect();
    for exchange in exchanges() {
        // The three methods that no route lists: answered for all of them alike.
        let listed = ![Method::HEAD, Method::OPTIONS, Method::PUT].contains(&exchange.method());
        let endpoint = &exchange.endpoint;
        assert!(!listed || ours.contains(endpoint), "{endpoint} is no route");
    }
}
