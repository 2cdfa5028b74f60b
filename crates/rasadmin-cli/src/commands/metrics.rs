//! `rasadmin metrics`.

use crate::ask_service::ask;
use crate::context::ContextArguments;
use crate::error::{Exit, Result};
use crate::output::Output;
use clap::Args;
use rasadmin_pipe::Request;
use std::path::PathBuf;
use std::time::Duration;

/// The service answers at once, unless its disk does not. It serves others first if there are many.
const PATIENCE: Duration = Duration::from_secs(30);

/// Print what the rasadmin service counts, for Prometheus
///
/// Sessions, decisions, octets, pools, and how the service is doing, in Prometheus' text format. docs/metrics.md says
/// what each name means. With the key service.metrics.file, the service also writes this to a file, for the textfile
/// collector of windows_exporter or node_exporter.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin metrics
  rasadmin metrics | promtool check metrics

Exit codes: 0 it was printed; 2 no service runs, or it has not answered.")]
pub struct Arguments {
    /// Use this configuration instead of the one that the DLL on this computer would find
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = ContextArguments { config: arguments.config, ..ContextArguments::default() }.open()?;
    let text: String = ask(&context, &Request::Metrics {}, PATIENCE).map_err(|unanswered| unanswered.error)?;
    write!(out, "{text}")?;
    Ok(Exit::Success)
}
