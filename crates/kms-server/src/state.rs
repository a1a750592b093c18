//! What every handler is given.

use kms_core::Core;

/// The product and the settings of its HTTP skin. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The product.
    pub core: Core,
}
