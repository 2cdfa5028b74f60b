//! `rasadmin host run`: a scenario against a list of DLLs.

mod answer;
mod report;

use crate::commands::host::ledger_summary::Summary;
use crate::commands::internal::address_process;
use crate::commands::internal::lock_journal::JournalLock;
use crate::error::{CommandError, Exit, Kind, OrCommandError, Result};
use crate::format::{dll_file, shown};
use crate::output::{Output, note};
use crate::scratch::{self, Keep};
use crate::warning;
pub use answer::Answer;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use mprapi::Profile;
use rasadmin_host::clock::Clock;
use rasadmin_host::outcome::RunSummary;
use rasadmin_host::program;
use rasadmin_host::runner::{self, JournalLocker, RunOptions};
use rasadmin_host::scenario::Scenario;
use rasadmin_host::scratch::CLOCK_VARIABLE;
use rasadmin_host::serialise::Serialise;
use rasadmin_host::service::Stopped;
use rasadmin_host::{Options, SeparateProcesses, Service, StartFailure, StartProblem, dllpath};
use rasadmin_text::printable_path;
use std::fs::File;
use std::io::{BufWriter, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Run a day of VPN users through admin DLLs, as RRAS would, and show the results
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin host run --dll rasadmin.dll examples/office-day.scenario

Exit codes: 0 the day is as expected; 1 RRAS would not start, or an expectation
is not met; 2 the command could not do its work.")]
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

/// What was run, and how it went.
#[derive(Clone, Copy)]
pub struct Ran<'a> {
    arguments: &'a Arguments,
    scenario: &'a Scenario,
    paths: &'a [PathBuf],
    /// Each DLL in words.
    descriptions: &'a [String],
    day: &'a RunSummary,
    stopped: &'a Stopped,
    took: Duration,
    /// What the ledger says; only if --config was given.
    summary: Option<&'a Summary>,
}

/// Runs the scenario.
pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let folder = match scratch::rerun_inside(&arguments.keep, arguments.config.as_deref())? {
        scratch::Run::Inside(folder) => folder,
        scratch::Run::Finished(exit) => return Ok(exit),
    };
    let scenario = Scenario::read(&arguments.scenario).or_error(Kind::File)?;
    let (paths, never_loaded) = arguments.dlls.paths()?;
    for entry in &never_loaded {
        warning!(
            "RRAS never loads `{}`: it stops reading the list at an entry that begins with a space, and reports \
             nothing. Remove the space.",
            entry.trim_start()
        );
    }
    for path in paths.iter().filter(|path| program::is_program(path)) {
        warning!("{}: {}. {}", printable_path(path), program::A_PROGRAM, program::LOADED_WITHOUT_IMPORTS);
    }
    let options = options(&arguments, &paths, &scenario)?;
    // Without the user's own rules there is nothing to report about them.
    let has_rules = arguments.config.is_some();
    let summary = has_rules.then(|| Summary::before(&folder.join("rasadmin.toml"))).transpose()?;
    let clock = match (std::env::var_os(CLOCK_VARIABLE), scenario.begins) {
        (Some(path), Some(begins)) => {
            let clock = Clock::create(Path::new(&path))
                .map_err(|e| CommandError::new(Kind::File, format!("cannot write the clock: {e}")))?;
            // The service starts just before the first event.
            let at = scenario.events.first().map_or(0, |event| event.at);
            clock.set((begins + i64::from(at)) * 1000, u64::from(at) * 1000);
            Some(clock)
        }
        _ => None,
    };
    let started = Instant::now();
    let service = match Service::start(&paths, options) {
        Ok(service) => service,
        Err(failure) => {
            would_not_start(&failure, arguments.json, out)?;
            return Ok(Exit::No);
        }
    };
    let descriptions: Vec<String> = service
        .descriptions()
        .iter()
        .map(|dll| {
            let ikev2 = if dll.serves_ikev2() { "" } else { ", never called for IKEv2" };
            format!("{} (revision {}{ikev2})", shown(&dll.path), dll.revision)
        })
        .collect();
    let progress = progress_bar(scenario.events.len());
    let threads = arguments.threads.into();
    let journal_lock = scenario.locks_journal().then(|| JournalLock::new(&folder));
    let journal_locker = journal_lock.as_ref().map(|lock| lock as &dyn JournalLocker);
    let run_options = RunOptions { threads, clock: clock.as_ref(), journal_locker, folder: Some(&folder) };
    let day = runner::run(&service, &scenario, run_options, &|done| progress.set_position(done as u64));
    progress.finish_and_clear();
    let stopped = service.stop().or_error(Kind::Dll)?;
    let took = started.elapsed();
    let summary = summary.map(Summary::after).transpose()?;
    let ran = Ran {
        arguments: &arguments,
        scenario: &scenario,
        paths: &paths,
        descriptions: &descriptions,
        day: &day,
        stopped: &stopped,
        took,
        summary: summary.as_ref(),
    };
    if arguments.json {
        out.json(&Answer::Ran(Box::new((&ran).into())))?;
    } else {
        write!(out, "{}", report::text(&ran))?;
    }
    // Before what goes to standard error.
    out.flush()?;
    if let Err(error) = &stopped.trace {
        return Err(CommandError::new(Kind::File, format!("the trace is incomplete: {error}")));
    }
    if let Some(message) = &day.failed {
        return Err(CommandError::new(Kind::Dll, format!("the scenario could not be played to its end: {message}")));
    }
    if !stopped.processes_ended_well {
        return Err(CommandError::new(
            Kind::Dll,
            "a process of the DLLs crashed or failed: run without --two-processes, kill and restart to see where",
        ));
    }
    let faults = scenario.faults(&day);
    for fault in &faults {
        note(format_args!("{fault}"));
    }
    Ok(Exit::no_if(!faults.is_empty()))
}

fn would_not_start(failure: &StartFailure, json: bool, out: &mut Output) -> Result<()> {
    let dll = failure.dll.display();
    if json {
        return out.json(&Answer::NotStarted(failure.into()));
    }
    let remedy = match failure.problem {
        StartProblem::Load(_) => "Check the path and that it is a 64-bit DLL",
        _ => "See what it lacks",
    };
    note(format_args!("error: {failure}\n  {remedy}: rasadmin check {dll}"));
    Ok(())
}

fn options(arguments: &Arguments, paths: &[PathBuf], scenario: &Scenario) -> Result<Options> {
    let mut options = Options::new(scenario.pool.clone());
    options.profile = arguments.profile;
    options.serialise = match arguments.serialise {
        SerialiseArgument::Documented => Serialise::Documented,
        SerialiseArgument::All => Serialise::All,
    };
    if let Some(path) = &arguments.trace {
        let file = File::create(path)
            .map_err(|e| CommandError::new(Kind::File, format!("cannot write the trace {}: {e}", path.display())))?;
        options.trace = Some(Box::new(BufWriter::new(file)));
    }
    options.assumptions = scenario.assumptions;
    let two = arguments.two_processes || scenario.two_processes;
    if (two || scenario.kills()) && !paths.is_empty() {
        let own = scratch::this_program()?;
        let (profile, paths) = (arguments.profile.name(), paths.to_vec());
        let command = move || {
            let mut command = std::process::Command::new(&own);
            command.arg(address_process::NAME).arg("--profile").arg(profile).args(&paths);
            command
        };
        if scenario.kills() {
            options.separate_processes = Some(SeparateProcesses { command: Box::new(command), address_process: two });
        } else {
            options.address_process = Some(command());
        }
    }
    Ok(options)
}

fn progress_bar(events: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(events as u64);
    if let Ok(style) = ProgressStyle::with_template("  {bar:40} {pos}/{len} events") {
        bar.set_style(style);
    }
    bar
}
