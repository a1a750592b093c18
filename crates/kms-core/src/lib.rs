//! What the product does: login, sessions, organizations, projects, secrets, access, audit.
//!
//! No HTTP and no SQL text here. A use case is a method of [`Core`]: it takes the [`Caller`],
//! asks [`access`] whether the caller may, does the work, and records it, the record in the same
//! transaction as the change. Start at [`Core`] and follow one use case down; `access` is the
//! only place that decides who may.

pub mod access;
mod access_tokens;
mod accounts;
pub mod audit;
mod audit_read;
mod auth_methods;
mod bootstrap;
mod caller;
mod changes;
mod clock;
mod context;
mod dev;
mod environments;
mod epochs;
mod error;
mod folders;
mod hashers;
mod identities;
mod imports;
mod keys;
mod login;
pub mod mail;
mod memberships;
pub mod oauth;
pub mod older_rules;
mod organizations;
mod passwords;
mod people;
mod place;
mod projects;
mod read_log;
pub mod secrets;
mod service_tokens;
mod sessions;
mod single_sign_on;
mod sweep;
mod tags;
#[cfg(test)]
mod testbed;
#[cfg(test)]
mod testing;
pub mod text;
mod trusted_ips;
mod users;
mod verified;

pub use accounts::{InvitationSeen, Proven};
pub use auth_methods::ExternalMethod;
pub use bootstrap::Installer;
pub use caller::{Actor, Caller, IdentityActor, Origin, ServiceActor, UserActor};
pub use clock::{Clock, ManualClock, SystemClock};
pub use context::{Core, Options};
pub use dev::{DevCredentials, DevIdentity, DevOrganization, DevProject, DevUser};
pub use error::{Error, Result, SecondFactor};
pub use keys::{KeyError, RootKeySource};
pub use people::{
    Missing, Opened, Page, PagePlace, Passkey, PasskeyAnswer, PasskeyRequest, PendingLogin,
    Selection,
};
pub use sessions::SignedIn;
pub use single_sign_on::{Connecting, ProviderAnswer, SentToProvider, SsoOutcome};

/// What the skin says about calls that leave the server: the skin itself may not use that room.
pub mod outbound {
    pub use kms_auth::{
        Endpoints,
        outbound::{Allow, InvalidAllow, Outbound, OutboundPolicy},
    };
}

/// What the skin needs to open an instance: the skin itself may use neither room.
pub mod opening {
    pub use kms_crypto::{Entropy, Fingerprint, LocalRootKey, OsEntropy, RootKeyError};
    pub use kms_store::{Store, StoreError};
}
// What it takes to open an instance and to read its errors, so that a skin needs no other room.
pub use kms_crypto::{
    Entropy, LocalRootKey, OsEntropy, RootKeyError, RootKeyProvider, SeededEntropy, TokenError,
};
pub use kms_store::{Store, StoreError};
