//! `rasadmin metrics`.

use crate::context::{Context, ContextArguments};
use crate::error::{AS_ADMINISTRATOR, CommandError, Exit, Kind, Result};
use crate::output::Output;
use clap::Args;
use rasadmin_pipe::{Error, Refusal, Request, Why};
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
    let address = rasadmin_service::pipe::address(context.journal()?);
    let text: String = rasadmin_pipe::ask(&address, &Request::Metrics {}, PATIENCE).map_err(|e| failed(e, &context))?;
    write!(out, "{text}")?;
    Ok(Exit::Success)
}

/// How to start the service.
const START: &str = if cfg!(windows) {
    "start the service: `Start-Service rasadmin`; if it is not registered, `rasadmin install` registers it"
} else {
    "start the service: `rasadmin service run`"
};

fn failed(error: Error, context: &Context) -> CommandError {
    let runs = || matches!(rasadmin_journal::service_of(&context.config.journal), Ok(Some(_)));
    let (kind, hint) = match &error {
        Error::NoService(_) if !context.config.service.pipe => {
            (Kind::NotRunning, "the configuration switches the pipe off; set service.pipe.enabled = true")
        }
        Error::NoService(_) if runs() => {
            (Kind::NotRunning, "the service runs; `rasadmin status` shows its duty `pipe`")
        }
        Error::NoService(_) => (Kind::NotRunning, START),
        Error::TooLate(_) => (Kind::NotRunning, "`rasadmin status` shows how the service is doing"),
        Error::Denied(_) => (Kind::System, AS_ADMINISTRATOR),
        Error::Refused(Refusal { why: Why::Forbidden, .. }) => (Kind::System, AS_ADMINISTRATOR),
        Error::NoAnswer { .. } | Error::Refused(Refusal { why: Why::Version | Why::Invalid, .. }) => {
            (Kind::System, "use the rasadmin that came with the service")
        }
        Error::Foreign { .. } => (Kind::System, "find out which program that is; do not trust what it says"),
        Error::Refused(_) | Error::Taken(_) | Error::Io { .. } => {
            (Kind::System, "`rasadmin status` shows how the service is doing")
        }
    };
    CommandError::new(kind, error).hint(hint)
}
