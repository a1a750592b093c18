//! `--log-level`: one line on stderr for each request, never its content.

use tracing_subscriber::{Layer as _, filter, layer::SubscriberExt as _};

use crate::env_vars::{self, Env};

/// Starts logging if the flag or the variable asks for it. There is nothing to log above `debug`,
/// and an unknown level means the default, as in the compatible CLI.
pub(crate) fn install(flag: Option<&str>, env: &Env) {
    let named = env.value(&env_vars::LOG_LEVEL);
    let level = match flag.or(named.as_deref()).unwrap_or_default() {
        "debug" => filter::LevelFilter::DEBUG,
        "trace" => filter::LevelFilter::TRACE,
        _ => return,
    };
    // Only our own crates: what the HTTP libraries log holds headers, and they hold tokens.
    let ours =
        filter::Targets::new().with_target("kms_cli", level).with_target("kms_client", level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_filter(ours);
    let subscriber = tracing_subscriber::registry().with(lines);
    // A second run in one process keeps the first one's subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
