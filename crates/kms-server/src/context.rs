//! What is known about a request besides the request itself.

use std::sync::{Arc, OnceLock};

use kms_core::{Caller, Origin};

/// Travels with a request as an extension; the pipeline reads it again when the answer is there.
#[derive(Default)]
pub(crate) struct Context {
    /// Names the request in the answer and in the log.
    pub(crate) id: String,
    /// Where the request came from.
    pub(crate) origin: Origin,
    /// Who is asking, once that is known.
    pub(crate) caller: OnceLock<Caller>,
}

/// How a [`Context`] is kept among the extensions of a request.
pub(crate) type SharedContext = Arc<Context>;
