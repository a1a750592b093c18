//! Opens an address in a browser, for `kms login`: a process of its own, so that what the browser
//! writes and which signals it gets has nothing to do with the login.

use url::Url;

use crate::error::CliError;

/// The name that `kms login` starts it by.
pub(crate) const NAME: &str = "open-address";

/// Open an address in a browser
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The address
    address: Url,
}

pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    // Other schemes start other programs.
    if !matches!(args.address.scheme(), "http" | "https") {
        return Err(CliError::usage("only a page can be opened"));
    }
    webbrowser::open(args.address.as_str()).map_err(CliError::failed)
}
