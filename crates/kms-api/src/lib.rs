//! The wire, once: ids, paths, bodies and errors that the server and its clients agree on.
//!
//! Nothing here does I/O or knows an HTTP or SQL library; the optional features only derive
//! (`openapi`) or delegate (`sqlx`). Start at [`routes`] for the paths and [`secrets`] for the
//! bodies that most requests carry. Field names and defaults follow the Infisical-compatible
//! contract; where two spellings exist on the wire, both deserialize and one serializes.

pub mod accounts;
pub mod admin;
pub mod audit;
pub mod auth;
pub mod environments;
pub mod error;
pub mod events;
pub mod folders;
pub mod handover;
pub mod history;
mod id;
pub mod identities;
pub mod memberships;
pub mod oauth;
pub mod organizations;
pub mod permissions;
pub mod projects;
pub mod roles;
pub mod routes;
pub mod secret_imports;
pub mod secrets;
pub mod service_tokens;
pub mod single_sign_on;
pub mod status;
pub mod tags;
mod time;
pub mod transfers;
pub mod users;
mod value;
pub mod wire;

pub use error::ErrorBody;
pub use id::*;
pub use time::Timestamp;
pub use value::SecretValue;
