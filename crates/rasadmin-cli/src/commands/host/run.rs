//! `rasadmin host run`: a scenario against a list of DLLs.

mod answer;
mod death;
mod play;
mod readings;
mod report;
mod serve;
mod watch;

use crate::commands::host::{not_standard_input, windows_dll};
use crate::error::{CommandError, Result};
#[cfg(windows)]
use crate::error::{Kind, OrCommandError};
use crate::format::dll_file;
use crate::output::Output;
use crate::scratch::Keep;
use crate::supervised::Inside;
#[cfg(test)]
pub use answer::Answer;
use clap::{Args, ValueEnum};
pub use death::End;
use mprapi::Profile;
use rasadmin_host::assumptions::{Assumption, Assumptions};
use rasadmin_host::dllpath;
use std::path::PathBuf;

/// Run a day of VPN users through admin DLLs, as RRAS would, and show the results
///
/// The DLLs run in a process of their own. If they crash it, end it or do not return, the report says which DLL did what
/// in which function.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin host run --dll rasadmin.dll examples/office-day.scenario
  rasadmin host run --dll vendor.dll --assume all examples/office-day.scenario

Exit codes: 0 the day is as expected; 1 RRAS would not start, or an expectation
is not met; 2 the command could not do its work; 3 a DLL ended its process, or
did not return.")]
pub struct Arguments {
    /// The scenario: who connects and disconnects, and when (docs/scenario.md)
    scenario: PathBuf,
    #[command(flatten)]
    dlls: Dlls,
    /// The requirements that decide whether RRAS would start: shipping, documented or nt4
    #[arg(long, default_value = "shipping", value_name = "PROFILE")]
    profile: Profile,
    /// The calls that never overlap: `documented` (those of one function or one group) or `all`
    #[arg(long, default_value = "documented")]
    serialise: SerialiseArgument,
    /// How many threads call the DLLs; with 1, calls come in the scenario's order
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    /// How long a call may take, in seconds; after that, the report says that the DLL did not return
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    deadline: u64,
    /// Assume this where the behaviour of RRAS is unproven, such as `ikev2-link=not-called`; repeat the option for
    /// several. `all` plays the scenario under every assumption, one at a time, and says where results differ
    /// (`rasadmin host assumptions` lists them)
    #[arg(long, value_name = "NAME=VALUE")]
    assume: Vec<String>,
    /// Run the address functions in a separate process, as Microsoft warns RRAS may do
    #[arg(long)]
    two_processes: bool,
    /// Use the rules of this configuration, but never its journal or ledger. Without this option, the run uses the
    /// configuration that RASADMIN_CONFIG names, or else one that allows everyone
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    keep: Keep,
    /// Record every call with its buffers in this file, for `rasadmin host replay`
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Play the day by the clock, and answer at this address as RRAS, so that `rasadmin service run --rras` can run beside
    /// it: a port like 127.0.0.1:8601, or except on Windows the path of a socket
    #[arg(long, value_name = "ADDRESS", requires = "keep", conflicts_with_all = ["assume", "threads"])]
    serve_rras: Option<PathBuf>,
    /// With --serve-rras: how many seconds of the day pass per second
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400), requires = "serve_rras")]
    speed: u32,
    /// With --serve-rras: no time passes while this file exists
    #[arg(long, value_name = "FILE", requires = "serve_rras")]
    pause_while: Option<PathBuf>,
    /// List every connection with its result, not only the totals
    #[arg(long)]
    each: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The DLLs.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Dlls {
    /// An admin DLL; repeat the option for several DLLs, in their order
    #[arg(long = "dll", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A whole list as in the registry value DllPath, with its quirks: `A.dll;B.dll`
    #[arg(long, value_name = "LIST")]
    dll_path: Option<String>,
    /// The list in the registry of this computer (Windows)
    #[arg(long)]
    registry: bool,
}

impl Dlls {
    /// The paths in their order, and the entries that RRAS would never load.
    fn paths(&self) -> Result<(Vec<PathBuf>, Vec<String>)> {
        let list = if self.registry {
            dllpath::parse_with_environment(&registry()?.unwrap_or_default())
        } else if let Some(list) = &self.dll_path {
            dllpath::parse_with_environment(list)
        } else {
            let files = self.files.iter().map(|file| dll_file(file)).collect::<Result<_>>()?;
            return Ok((files, Vec::new()));
        };
        Ok((list.entries.into_iter().map(PathBuf::from).collect(), list.never_loaded))
    }
}

#[cfg(windows)]
fn registry() -> Result<Option<String>> {
    rasadmin_host::registry::dll_path().or_error(Kind::System)
}

#[cfg(not(windows))]
fn registry() -> Result<Option<String>> {
    Err(CommandError::usage("there is no registry on this system: name the DLLs with --dll or --dll-path"))
}

#[derive(Clone, Copy, ValueEnum)]
enum SerialiseArgument {
    Documented,
    All,
}

/// What `--assume` calls for every assumption.
const ALL: &str = "all";

impl Arguments {
    fn assume_all(&self) -> bool {
        self.assume.iter().any(|assumed| assumed == ALL)
    }

    /// Changes what the scenario assumes.
    fn assumed(&self, mut assumptions: Assumptions) -> Result<Assumptions> {
        for assumed in self.assume.iter().filter(|assumed| *assumed != ALL) {
            set(&mut assumptions, assumed)?;
        }
        Ok(assumptions)
    }
}

/// Assumes `NAME=VALUE`.
fn set(assumptions: &mut Assumptions, assumed: &str) -> Result<()> {
    let (name, value) = assumed.split_once('=').unwrap_or((assumed, ""));
    let Some(assumption) = Assumption::from_name(name) else {
        let names: Vec<_> = Assumption::ALL.iter().map(|assumption| assumption.name()).collect();
        let unknown = format!("--assume {assumed}: there is no assumption `{name}`: use {} or all", names.join(", "));
        return Err(CommandError::usage(unknown));
    };
    if assumptions.set(assumption, value) {
        return Ok(());
    }
    let values = assumption.values().join(" or ");
    Err(CommandError::usage(format!("--assume {assumed}: `{name}` is {values}")))
}

/// Runs the scenario.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    match Inside::of_environment() {
        Some(inside) => play::run(&arguments, &inside, out),
        None => {
            windows_dll::require_native(&arguments.dlls.paths()?.0)?;
            not_standard_input(&arguments.scenario)?;
            watch::run(&arguments, out)
        }
    }
}
