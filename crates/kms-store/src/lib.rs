//! The database: migrations, row types, SQL text as constants, one dispatch over SQLite and
//! PostgreSQL.
//!
//! Never decrypts and never decides who may. Every query on tenant data carries its tenant in
//! the `WHERE`. Start at [`Store`] (opening), [`Source`] (reading) and [`Tx`] (writing); a noun's
//! rows and queries are in the module of its name. SQL is portable: `$n` parameters, `BIGINT`
//! for integers and times, JSON as text, no functions of the clock.

pub mod audit;
pub mod auth_methods;
pub mod authorization_codes;
mod backup;
mod bind;
pub mod callers;
pub mod client_secrets;
pub mod device_logins;
pub mod environments;
pub mod epochs;
mod error;
pub mod folders;
pub mod identities;
pub mod identity_providers;
pub mod instance;
pub mod lockouts;
pub mod login_failures;
pub mod logins;
pub mod mailed_proofs;
pub mod memberships;
mod migrate;
pub mod organization_memberships;
pub mod organizations;
pub mod passkeys;
mod postgres_writer;
pub mod project_members;
pub mod projects;
pub mod roles;
pub mod second_factors;
pub mod secret_imports;
pub mod secret_versions;
pub mod secrets;
pub mod service_tokens;
mod sqlite_writer;
mod store;
pub mod tags;
pub mod tokens;
mod tx;
pub mod used_proofs;
pub mod user_sessions;
pub mod user_sources;
pub mod users;
mod wanted;

pub use bind::{Bind, Joined, Params, Part, Record, Then};
pub use error::StoreError;
pub use store::{Answer, Source, Store};
pub use tx::Tx;
pub use wanted::Here;
