//! Typed HTTP client of the KMS API, usable as a Rust SDK.
//!
//! It never prints and never reads the terminal; what it reads of the environment are the
//! variables that every HTTP client honours (proxies, certificate files) and, in the login of a
//! machine, those of the vendor that vouches for it. Start at [`Client`];
//! one file per noun adds its calls, [`login`] has one file per login method.
//!
//! ```no_run
//! # async fn example() -> Result<(), kms_client::Error> {
//! use kms_api::secrets::{ListSecretsQuery, ProjectRef};
//!
//! let client = kms_client::Client::builder()
//!     .origin("https://kms.example.com".parse()?)
//!     .token("an access token".into())
//!     .build()?;
//! let query = ListSecretsQuery {
//!     project: ProjectRef::id("0192d0a4-8f9c-7c6e-9f0a-2f4d3a5b6c7d"),
//!     environment: Some("prod".into()),
//!     ..ListSecretsQuery::default()
//! };
//! for secret in client.list_secrets(&query).await?.secrets {
//!     let _ = (secret.secret_key, secret.secret_value.expose());
//! }
//! # Ok(())
//! # }
//! ```

mod admin;
mod audit;
mod auth_methods;
mod builder;
mod certificate;
mod claims;
mod cookie;
mod environments;
mod error;
mod events;
mod folders;
mod history;
mod http;
mod identities;
pub mod login;
mod memberships;
mod organizations;
mod origin;
mod probe;
mod projects;
mod release;
mod retry;
mod roles;
mod secret_imports;
mod secrets;
mod service_tokens;
mod session;
mod single_sign_on;
mod status;
mod tags;
mod tls;
mod tokens;
mod universal_auth;
mod verifier;
mod version;

pub use builder::ClientBuilder;
pub use certificate::Certificate;
pub use claims::Claims;
pub use cookie::WithRefresh;
pub use error::{Error, Obstacle, TlsFault};
pub use events::{SecretEvent, SecretEvents};
pub use http::Client;
pub use origin::Origin;
pub use probe::{Answer, Probe, Shown};
pub use release::latest_release;
pub use session::{StoreError, TokenStore, Tokens};
pub use tls::Roots;
