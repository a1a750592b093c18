//! What the server says to the person who started it. The only place that writes to the terminal.

use std::io::Write as _;

/// Says one line on stderr.
pub(crate) fn say(line: impl AsRef<str>) {
    // Nobody to tell when stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{}", line.as_ref());
}
