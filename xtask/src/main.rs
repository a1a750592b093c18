//! Checks that need more than a shell line: `cargo xtask layers`.

use std::process::ExitCode;

mod layers;

fn main() -> ExitCode {
    let task = std::env::args().nth(1);
    let outcome = match task.as_deref() {
        Some("layers") => layers::check(),
        _ => Err("usage: cargo xtask layers".to_owned()),
    };
    match outcome {
        Ok(done) => {
            println!("{done}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
