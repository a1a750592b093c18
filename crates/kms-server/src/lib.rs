//! The HTTP skin.
