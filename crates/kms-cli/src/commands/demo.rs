//! `kms demo`: placeholder
#[derive(clap::Args, Debug)]
pub struct Args {}
pub(crate) async fn run(_: Args, _: &crate::Context) -> Result<(), crate::error::CliError> {
    Ok(())
}
