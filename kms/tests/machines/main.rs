//! Machines log in for good: the real program at the real server, which asks stand-ins of the
//! vendors that check what they are sent as strictly as the vendors document it, or programs that
//! others wrote: `moto` for AWS, `oidc-provider` for providers of tokens.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../cli/authority.rs"]
mod authority;
#[path = "../browser/http.rs"]
#[expect(dead_code, reason = "browsers ask for more")]
mod http;
#[path = "../browser/server.rs"]
#[expect(dead_code, reason = "browsers ask for more")]
mod server;
#[path = "../cli/signed.rs"]
#[expect(dead_code, reason = "whoever looks at proofs alone asks for more")]
mod signed;
#[path = "../cli/support.rs"]
#[expect(dead_code, reason = "scripted servers ask for more")]
mod support;

mod issuer;
mod peer;
mod place;

mod aws;
mod aws_moto;
mod azure;
mod gcp;
mod kubernetes;
mod providers;
