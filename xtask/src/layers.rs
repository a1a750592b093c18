//! Holds the dependencies between our crates against the drawing in `ARCHITECTURE.md`.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

/// Every arrow that the drawing has. Any crate may use `kms-api`; nothing may use `kms`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("kms", &["kms-cli", "kms-server"]),
    ("kms-cli", &["kms-client", "kms-crypto"]),
    ("kms-client", &[]),
    ("kms-server", &["kms-core"]),
    ("kms-core", &["kms-auth", "kms-store", "kms-crypto"]),
    ("kms-auth", &[]),
    ("kms-store", &[]),
    ("kms-crypto", &[]),
    ("kms-api", &[]),
];

/// Crates for development alone, which may use all of ours and which none of ours may use,
/// except in tests.
const DEVELOPMENT: &[&str] = &["kms-testkit", "kms-standins", "xtask", "bench"];

/// Which outside crates only one room may use: the database behind the store, the web framework
/// behind the skin, the HTTP client behind the client.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("sqlx", &["kms-store", "kms-api"]),
    ("axum", &["kms-server"]),
    ("reqwest", &["kms-client", "kms-auth"]),
    ("aws-lc-rs", &["kms-crypto"]),
    ("webauthn-rs", &["kms-core"]),
];

/// Says what the layers are, or which arrows should not be there.
pub fn check() -> Result<String, String> {
    let packages = packages()?;
    let names: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for package in &packages {
        let name = package["name"].as_str().unwrap_or_default();
        if DEVELOPMENT.contains(&name) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(from, _)| *from == name) else {
            wrong.push(format!("`{name}` is not in the drawing"));
            continue;
        };
        for dependency in dependencies(package) {
            if names.contains(dependency) && dependency != "kms-api" {
                arrows += 1;
                if !allowed.contains(&dependency) {
                    wrong.push(format!("`{name}` must not use `{dependency}`"));
                }
            }
            let owners = ONLY_IN.iter().find(|(outside, _)| *outside == dependency);
            if owners.is_some_and(|(_, rooms)| !rooms.contains(&name)) {
                wrong.push(format!("`{name}` must not use `{dependency}` itself"));
            }
        }
    }
    if wrong.is_empty() {
        Ok(format!("layers: {arrows} arrows, all drawn"))
    } else {
        Err(wrong.join("\n"))
    }
}

fn packages() -> Result<Vec<Value>, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--locked"])
        .output()
        .map_err(|error| format!("cargo metadata could not be run: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(metadata["packages"].as_array().cloned().unwrap_or_default())
}

/// What a package needs outside its tests.
fn dependencies(package: &Value) -> impl Iterator<Item = &str> {
    let all = package["dependencies"].as_array().into_iter().flatten();
    all.filter(|dependency| dependency["kind"].as_str() != Some("dev"))
        .filter_map(|dependency| dependency["name"].as_str())
}
