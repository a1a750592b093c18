//! What a watched list tells, as server-sent events. Never a value, nor which secret it was.

/// The media type of the answer.
pub const MEDIA_TYPE: &str = "text/event-stream";

/// The watch has begun: what is listed from now on is not missed when it changes.
pub const READY: &str = "event: ready\ndata: {}\n\n";
/// The list would be answered differently now.
pub const CHANGED: &str = "event: changed\ndata: {}\n\n";
/// Nothing happened; the connection stands. Comes every 20 seconds.
pub const QUIET: &str = ": quiet\n\n";

/// The name of the event in [`READY`].
pub const READY_NAME: &str = "ready";
/// The name of the event in [`CHANGED`].
pub const CHANGED_NAME: &str = "changed";
