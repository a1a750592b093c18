//! References from one secret to another: `${KEY}` and `${env.folder.KEY}` in values.

pub(super) mod scan;
