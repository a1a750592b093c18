//! Development only: stand-ins for those who vouch for machines, on this machine, as strict as the
//! real ones are.
//!
//! [`Peer`] is a web server that counts who calls; [`Signer`] a key that signs tokens; [`Sts`]
//! believes only requests whose signature it can recompute, [`Client`] signs such; [`Cluster`]
//! reviews tokens as a Kubernetes API server does; [`Vouchers`] are all of them together.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default,
    clippy::return_self_not_must_use,
    reason = "for tests alone"
)]

mod cluster;
mod peer;
mod signer;
mod sts;
mod vouchers;

pub use cluster::{Cluster, DEFAULT_AUDIENCE, GOOD_TOKEN, REVIEWER};
pub use peer::{Authority, Peer, json, status};
pub use signer::{NOW, Signer, changed, unsigned};
pub use sts::{ACCOUNT, Client, HOST, Sts, identity};
pub use vouchers::{METHODS, PRINCIPAL, SERVICE_ACCOUNT, SUBJECT, TENANT, Vouchers};
