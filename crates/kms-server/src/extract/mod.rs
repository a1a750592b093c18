//! How a request becomes typed: who is asking, the path, the query, the body.
//!
//! A handler names the caller first, so that nobody learns anything from a validation error
//! before they proved who they are.

mod body;
mod caller;
mod issues;
mod json;
mod path;
mod query;

pub use body::{Body, JsonOrForm};
pub use caller::{OnlyIdentity, OnlyUser};
pub use path::Path;
pub use query::Query;
