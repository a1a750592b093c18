//! Secrets, tested on a real instance.

mod attacks;
mod batches;
mod bounds;
mod history;
mod imported;
mod memory;
mod overrides;
mod reads;
mod references;
mod renames;
mod rules;
mod tags;
mod transfers;
mod writes;

use crate::Error;

/// The kind of an error, as its status tells it.
fn status(error: &Error) -> u16 {
    match error {
        Error::Validation(_) => 422,
        Error::BadRequest { .. } => 400,
        Error::PermissionDenied { .. } | Error::Forbidden { .. } => 403,
        Error::NotFound(_) => 404,
        _ => 500,
    }
}

/// The status of what must not succeed.
fn refused<T>(result: crate::Result<T>) -> u16 {
    result.err().as_ref().map_or(200, status)
}
