//! How a request becomes typed: who is asking, the path, the query, the body.
//!
//! A handler names the caller first, so that nobody learns anything from a validation error
//! before they proved who they are.

mod body;
mod caller;
mod issues;
mod json;
mod origin;
mod path;
mod query;
#[cfg(test)]
mod tests;

pub(crate) use body::form as form_body;
pub use body::{Body, JsonOrForm};
pub use caller::{Bearer, OnlyIdentity, OnlyService, OnlyUser};
pub(crate) use caller::{TokenText, bearer};
pub use origin::Sender;
pub use path::Path;
pub use query::Query;
pub(crate) use query::{check_encoding, form as form_text};

use http::Extensions;
use kms_core::Error;

use crate::{ApiError, context::SharedContext};

/// What the pipeline knows about the request.
pub(crate) fn context(extensions: &Extensions) -> Result<SharedContext, ApiError> {
    let context = extensions.get::<SharedContext>().cloned();
    context.ok_or_else(|| Error::Internal("a request came around the pipeline".into()).into())
}
