//! A process of `rasadmin check` that has one admin DLL loaded.

use crate::error::{Exit, Result};
use clap::Args;
use std::ffi::OsString;

/// The name of the hidden subcommand.
pub const NAME: &str = rasadmin_check::CHILD_SUBCOMMAND;

/// The checker parses these itself.
#[derive(Args)]
pub struct Arguments {
    #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
    arguments: Vec<OsString>,
}

/// Runs the checks of one child process.
pub fn run(arguments: Arguments) -> Result {
    Ok(Exit::Code(u8::try_from(rasadmin_check::child_main(arguments.arguments)).unwrap_or(2)))
}
