//! The HTTP skin: router, extractors, limits, error mapping, OpenAPI.
//!
//! Decides nothing: a handler turns a request into one call of [`kms_core::Core`] and its result
//! into an answer. Start at `handlers` for the table of routes, [`route`] for what a route is,
//! [`extract`] for how a request becomes typed, [`error`] for how an error becomes a status.

mod address;
mod answer;
mod config;
mod context;
mod cookie;
pub mod error;
pub mod extract;
mod handlers;
mod limits;
mod logging;
mod mail;
mod metrics;
mod openapi;
mod output;
mod pages;
mod pipeline;
pub mod route;
mod run;
mod serve;
mod state;

pub use answer::Json;
pub use config::{LogFormat, ServerArgs, StartError};
pub use error::ApiError;
pub use limits::RateLimits;
pub use pipeline::Service;
pub use run::{Running, run};
pub use state::{AppState, Settings};

/// Every route of the API, in the order of the handlers.
pub fn routes() -> Vec<route::Route> {
    handlers::routes()
}

/// Every page.
pub fn pages() -> Vec<route::Route> {
    pages::routes()
}
