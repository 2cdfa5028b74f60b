//! A process that has admin DLLs loaded, for `rasadmin host run`: the second one in two-process mode, or one that the
//! scenario kills.

use crate::error::{Exit, Kind, OrCommandError, Result};
use clap::Args;
use mprapi::Profile;
use std::path::PathBuf;

/// The name of the hidden subcommand.
pub const NAME: &str = "__address-process";

/// The DLLs, and the requirements that they must meet.
#[derive(Args)]
pub struct Arguments {
    #[arg(long)]
    profile: Profile,
    dlls: Vec<PathBuf>,
}

/// Makes the calls that arrive on standard input.
pub fn run(arguments: Arguments) -> Result {
    rasadmin_host::serve_calls(&arguments.dlls, arguments.profile).or_error(Kind::Dll)?;
    Ok(Exit::Success)
}
