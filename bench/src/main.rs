//! Repeatable load measurements of the server and the client: `cargo run --release -p bench`.
//!
//! Every figure is a ratio of two things measured in turns in one run, because machines are noisy
//! and differ. `docs/performance.md` says what the ratios mean and how to repeat them.

mod browser;
mod client;
mod load;
mod logins;
mod memory;
mod references;
mod report;
mod run;
mod server;
mod suites;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = match words.as_slice() {
        ["server", engine, memory] => runtime.block_on(server::run(engine, memory)),
        ["load"] => runtime.block_on(suites::load()),
        ["curve"] => runtime.block_on(suites::curve()),
        ["references"] => runtime.block_on(references::measure()),
        ["memory", binary] => runtime.block_on(memory::measure(binary)),
        ["client", binary] => runtime.block_on(client::measure(binary)),
        ["browser", binary] => browser::measure(binary),
        ["run", binary] => runtime.block_on(run::measure(binary)),
        _ => {
            Err("usage: bench load | curve | references | memory KMS | client KMS | browser KMS | \
                  run KMS\n\
                  KMS is the release binary; KMS_BENCH_DATABASE_URL adds PostgreSQL to `load`"
                .into())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a measurement may end with: it is for the person who runs it.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
