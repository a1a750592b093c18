//! Listing secrets that refer to others against listing them as they are stored.

use serde_json::json;

use crate::{
    Outcome,
    load::Request,
    report::Ratios,
    suites::{Server, cost},
};

/// Secrets in the list, each with three references.
const SECRETS: usize = 1_000;
const ROUNDS: usize = 5;

/// Of the three references of each secret, two lead to another folder and one through a third to
/// that.
pub(crate) async fn measure() -> Outcome {
    let mut engines = vec!["embedded".to_owned()];
    engines.extend(std::env::var("KMS_BENCH_DATABASE_URL"));
    for engine in engines {
        let server = Server::start(&engine, "cold").await?;
        for folder in ["list", "near", "far"] {
            server.folder(folder).await?;
        }
        write(&server, "/far", |n| format!("far value number {n}")).await?;
        write(&server, "/near", |n| format!("near ${{dev.far.SECRET_{n}}}")).await?;
        let next = |n: usize| (n + 1) % SECRETS;
        write(&server, "/list", |n| {
            let next = next(n);
            format!("${{dev.far.SECRET_{n}}} ${{dev.far.SECRET_{next}}} ${{dev.near.SECRET_{n}}}")
        })
        .await?;
        let ask = |expand: bool| {
            let path = format!(
                "/api/v4/secrets?projectId={}&environment=dev&secretPath=/list\
                 &expandSecretReferences={expand}",
                server.facts.project
            );
            Request::new("GET", &path, &server.token, None)
        };
        let (mut expanded, mut stored) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let costs = [cost(&server, &ask(true)).await?, cost(&server, &ask(false)).await?];
            // The first round warms up.
            if round > 0 {
                expanded.push(costs[0]);
                stored.push(costs[1]);
            }
        }
        let kind = if engine == "embedded" { "embedded" } else { "PostgreSQL" };
        println!(
            "{kind}, cold, {} secrets listed, {} references expanded / as stored = {}",
            SECRETS,
            3 * SECRETS,
            Ratios::of(&expanded, &stored)
        );
    }
    Ok(())
}

async fn write(server: &Server, path: &str, value: impl Fn(usize) -> String) -> Outcome {
    let secret = |n| json!({ "secretKey": format!("SECRET_{n}"), "secretValue": value(n) });
    server.batch(path, (0..SECRETS).map(secret).collect()).await
}
