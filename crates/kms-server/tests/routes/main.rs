//! The whole API by its routes: what holds for every one of them, and what HTTP itself promises.
#![expect(clippy::unwrap_used, reason = "tests")]

mod census;
mod connection;
mod devices;
mod headers;
mod input;
mod isolation;
mod limits;
mod machines;
mod openapi;
mod people;
mod pipeline;
mod reading;
mod tenants;
mod tokens;
mod vault;
mod world;

/// A path of a route's template with something in the place of every parameter.
pub(crate) fn filled(template: &str, value: &str) -> String {
    let parts = template.split('/').map(|part| if part.starts_with('{') { value } else { part });
    parts.collect::<Vec<_>>().join("/")
}
