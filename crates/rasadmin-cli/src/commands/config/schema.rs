//! `rasadmin config schema`.

use crate::error::{Exit, Result};
use crate::output::Output;
use clap::Args;
use rasadmin_policy::config;

/// Print the JSON Schema of the configuration, for editors
///
/// Editors with a TOML extension use it if the file begins with `#:schema FILE`.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin config schema > rasadmin.schema.json")]
pub struct Arguments {}

pub fn run(_: Arguments, out: &mut Output) -> Result {
    write!(out, "{}", config::schema())?;
    Ok(Exit::Success)
}
