//! The log, on stderr.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::config::{LogFormat, StartError};

/// Where the level may stand besides the command line.
const VARIABLES: [&str; 2] = ["KMS_LOG_LEVEL", "LOG_LEVEL"];

/// Starts logging in this process, panics included.
pub(crate) fn start(format: LogFormat, level: Option<&str>) -> Result<(), StartError> {
    let variable = || VARIABLES.iter().find_map(|name| std::env::var(name).ok());
    let level = level.map(str::to_owned).or_else(variable).unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(&level)
        .map_err(|_| StartError::Usage(format!("`{level}` is not a log level")))?;
    let registry = tracing_subscriber::registry().with(filter);
    let ansi = std::io::stderr().is_terminal();
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(ansi);
    // A second server in one process logs with the first.
    let _ = match format {
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
        LogFormat::Text => registry.with(lines).try_init(),
    };
    std::panic::set_hook(Box::new(|panic| {
        // Never the payload: it may hold what the code worked on.
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "the server has a bug and panicked");
    }));
    Ok(())
}
