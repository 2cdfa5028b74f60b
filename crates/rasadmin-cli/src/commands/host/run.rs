//! `rasadmin host run`: a scenario against a list of DLLs.

use crate::commands::host::ledger_summary::{AddressesFrom, Denied, Summary};
use crate::commands::internal::address_process;
use crate::commands::internal::lock_journal::JournalLock;
use crate::error::{CommandError, Exit, Kind, OrCommandError, Result};
use crate::format::{count, dll_file, duration, numbers, shown};
use crate::output::{Output, note};
use crate::scratch::{self, Keep};
use crate::warning;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use mprapi::Profile;
use rasadmin_host::clock::Clock;
use rasadmin_host::fill::Tunnel;
use rasadmin_host::outcome::{Answers, OutcomeKind, RunSummary};
use rasadmin_host::runner::{self, JournalLocker, RunOptions};
use rasadmin_host::scenario::Scenario;
use rasadmin_host::scratch::CLOCK_VARIABLE;
use rasadmin_host::serialise::Serialise;
use rasadmin_host::service::Stopped;
use rasadmin_host::{Options, SeparateProcesses, Service, StartFailure, StartProblem, dllpath};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, IsTerminal};
use std::net::Ipv4Addr;
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

/// The answer for programs.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Answer {
    NotStarted(NotStarted),
    Ran(Box<Report>),
}

/// RRAS would not start with these DLLs.
#[derive(Serialize, JsonSchema)]
pub struct NotStarted {
    /// Whether RRAS would start: false.
    started: bool,
    /// The reason.
    failure: Failure,
}

/// Why RRAS would not start.
#[derive(Serialize, JsonSchema)]
struct Failure {
    /// The DLL's path.
    dll: String,
    /// The Windows error code.
    error: u32,
    /// The number of the event that RRAS writes to the Event Log.
    event: u32,
    /// The same in words.
    message: String,
}

/// A day that was run.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    /// Whether RRAS would start: true.
    started: bool,
    /// The RRAS server's name in the scenario.
    server: String,
    /// The paths of the DLLs, in their order.
    dlls: Vec<String>,
    /// How long the run took, in milliseconds.
    took_ms: f64,
    /// How many connections were attempted.
    connects: usize,
    /// How many of them were accepted.
    accepted: usize,
    /// How many of them were refused or rejected.
    refused: usize,
    /// Why connections were refused or cut, with how many each.
    reasons: BTreeMap<String, usize>,
    /// Further links of accepted connections.
    links: AnswerCounts,
    /// Reauthentications.
    reauthentications: AnswerCounts,
    /// Changes of the client's endpoint.
    endpoint_changes: AnswerCounts,
    /// Addresses.
    addresses: AddressCounts,
    /// The most sessions that were live at once.
    peak: usize,
    /// How many expectations the scenario has.
    expectations: usize,
    /// What is wrong, as text: expectations that are not met, and addresses that two users had at once.
    faults: Vec<String>,
    /// The functions that were called, with their times.
    functions: Vec<FunctionTimes>,
    /// The result of every attempt to connect, in order.
    outcomes: Vec<Outcome>,
    /// Refusals by rule; only if --config was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    denied: Option<Vec<Denied>>,
    /// Where addresses came from; only if --config was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    given: Option<Vec<AddressesFrom>>,
}

/// How often the DLLs accepted and rejected something.
#[derive(Serialize, JsonSchema)]
struct AnswerCounts {
    /// How often they accepted it.
    accepted: usize,
    /// How often they rejected it.
    rejected: usize,
}

/// Addresses that clients got, and that DLLs got back.
#[derive(Serialize, JsonSchema)]
struct AddressCounts {
    /// How many IPv4 addresses clients got.
    ipv4_given: usize,
    /// How many IPv6 identifiers clients got.
    ipv6_given: usize,
    /// How many IPv4 addresses RRAS released to a DLL.
    ipv4_released: usize,
    /// How many IPv6 identifiers RRAS released to a DLL.
    ipv6_released: usize,
}

/// How often a function was called, and how long its calls took.
#[derive(Serialize, JsonSchema)]
struct FunctionTimes {
    /// The function's name.
    function: &'static str,
    /// How many calls.
    calls: usize,
    /// The median, in nanoseconds.
    p50_ns: u64,
    /// The 99th percentile, in nanoseconds.
    p99_ns: u64,
    /// The longest, in nanoseconds.
    max_ns: u64,
}

/// The result of an attempt to connect.
#[derive(Serialize, JsonSchema)]
struct Outcome {
    /// The session's label in the scenario.
    session: String,
    /// The user as RRAS passed it.
    user: String,
    /// The tunnel: `SSTP`, `IKEv2`, `L2TP` or `PPTP`.
    tunnel: &'static str,
    /// Whether the connection was accepted.
    accepted: bool,
    /// The result in the word that a scenario's `expect` uses.
    became: &'static str,
    /// Why it was refused or rejected; null if it was accepted.
    refused: Option<String>,
    /// The index of the DLL that refused it; null if RRAS did, or if it was accepted.
    refused_by_dll: Option<usize>,
    /// Why it was cut later; null if it was not.
    cut: Option<String>,
    /// Its first port; empty if it got none.
    port: String,
    /// The client's IPv4 address; null if it got none.
    ipv4: Option<Ipv4Addr>,
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
    let about: Vec<String> = service
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
    if arguments.json {
        let report = json_report(&scenario, &paths, &day, &stopped, took, summary.as_ref());
        out.json(&Answer::Ran(Box::new(report)))?;
    } else {
        let report = text_report(&arguments, &scenario, &about, &day, &stopped, took, summary.as_ref());
        write!(out, "{report}")?;
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
        return out.json(&Answer::NotStarted(NotStarted {
            started: false,
            failure: Failure {
                dll: dll.to_string(),
                error: failure.code(),
                event: failure.event(),
                message: failure.to_string(),
            },
        }));
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

fn percent(part: usize, whole: usize) -> String {
    if whole == 0 { String::new() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

fn text_report(
    arguments: &Arguments,
    scenario: &Scenario,
    about: &[String],
    day: &RunSummary,
    stopped: &Stopped,
    took: Duration,
    summary: Option<&Summary>,
) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let connects = day.outcomes.len();
    let name = arguments.scenario.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}"); // Writing to a String cannot fail.
    };
    line(format!("{name} on {}: {} in {}", scenario.server, count(connects, "connect"), short(took)));
    if about.is_empty() {
        line("  no admin DLL: RRAS decides alone".into());
    }
    about.iter().for_each(|dll| line(format!("  {dll}")));
    line(String::new());
    let header = ["connections", "asked", "accepted", "refused", "share accepted"];
    let of = |tunnel: Option<Tunnel>| {
        let all: Vec<_> = day.outcomes.iter().filter(|o| tunnel.is_none_or(|t| o.tunnel == t)).collect();
        let accepted = all.iter().filter(|o| o.refused.is_none()).count();
        vec![
            tunnel.map_or("all", Tunnel::name).to_owned(),
            all.len().to_string(),
            accepted.to_string(),
            (all.len() - accepted).to_string(),
            percent(accepted, all.len()),
        ]
    };
    line(numbers(&header, Tunnel::ALL.into_iter().map(Some).chain([None]).map(of)));
    let refusals = day.refusals();
    if !refusals.is_empty() {
        line(String::new());
        let rows = refusals.into_iter().map(|(why, n)| vec![why, n.to_string()]);
        line(numbers(&["refused or cut because", "times"], rows));
    }
    line(String::new());
    let rows = [
        ("further links", day.links.accepted, day.links.rejected),
        ("reauthentications", day.reauthentications.accepted, day.reauthentications.rejected),
        ("endpoint changes", day.endpoint_changes.accepted, day.endpoint_changes.rejected),
    ];
    let rows = rows.map(|(what, yes, no)| vec![what.to_owned(), yes.to_string(), no.to_string()]);
    line(numbers(&["while connected", "accepted", "rejected"], rows));
    line(String::new());
    let rows = [("IPv4", day.ipv4_given, day.released.ipv4), ("IPv6", day.ipv6_given, day.released.ipv6)];
    let rows = rows.map(|(what, given, released)| vec![what.to_owned(), given.to_string(), released.to_string()]);
    line(numbers(&["addresses", "given", "released to the DLL"], rows));
    line(format!("  most sessions at once: {}", day.peak));
    line(String::new());
    if let Some(summary) = summary {
        line(summary.tables());
    }
    let rows = stopped.statistics.times().into_iter().map(|(function, t)| {
        vec![function.name().to_owned(), t.calls.to_string(), duration(t.p50), duration(t.p99), duration(t.max)]
    });
    line(numbers(&["function", "calls", "p50", "p99", "max"], rows));
    for (dll, code) in &stopped.terminate_codes {
        line(format!("note: MprAdminTerminateDll of {} answered {code}; RRAS does not mind.", dll.display()));
    }
    for stuck in &stopped.stuck {
        line(format!("warning: {stuck}"));
    }
    if arguments.each {
        line(String::new());
        let rules = summary.map(|summary| summary.rules(day)).unwrap_or_default();
        let rows = day.outcomes.iter().enumerate().map(|(index, o)| {
            let address = o.ipv4.map_or_else(|| "-".to_owned(), |a| a.to_string());
            let port = if o.port.is_empty() { "-".to_owned() } else { o.port.clone() };
            let what = match (o.refused, o.cut) {
                (Some(why), _) => format!("refused: {why}"),
                (None, Some(why)) => format!("accepted, then cut: {why}"),
                (None, None) => OutcomeKind::of(o).name().to_owned(),
            };
            let mut row = vec![o.session.clone(), o.user.clone(), o.tunnel.name().to_owned(), port, address, what];
            row.extend(rules.get(index).cloned());
            row
        });
        let mut header = vec!["session", "user", "tunnel", "port", "address", "what became of it"];
        header.extend((!rules.is_empty()).then_some("by the rule"));
        line(crate::format::texts(&header, rows));
    }
    let expected = scenario.expectations.len();
    if expected > 0 {
        let unmet = scenario.expectations.iter().filter(|one| one.unmet(day).is_some()).count();
        line(format!("\n{} met, {unmet} not", count(expected - unmet, "expectation")));
    }
    if let Some(folder) = arguments.keep.folder() {
        line(format!("\nkept in {}", folder.display()));
        line(format!("  look at it: rasadmin sessions --config {}", folder.join("rasadmin.toml").display()));
    }
    if let Some(path) = &arguments.trace {
        line(format!("\ntrace: {}", path.display()));
        line(format!("  replay it: rasadmin host replay --dll OTHER.dll {}", path.display()));
    }
    out
}

fn short(took: Duration) -> String {
    duration(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX))
}

fn json_report(
    scenario: &Scenario,
    paths: &[PathBuf],
    day: &RunSummary,
    stopped: &Stopped,
    took: Duration,
    summary: Option<&Summary>,
) -> Report {
    let outcomes = day.outcomes.iter().map(|o| Outcome {
        session: o.session.clone(),
        user: o.user.clone(),
        tunnel: o.tunnel.name(),
        accepted: o.refused.is_none(),
        became: OutcomeKind::of(o).name(),
        refused: o.refused.map(|refused| refused.to_string()),
        refused_by_dll: o.refused.and_then(|refused| refused.dll()),
        cut: o.cut.map(|cut| cut.to_string()),
        port: o.port.clone(),
        ipv4: o.ipv4,
    });
    let functions = stopped.statistics.times().into_iter().map(|(function, times)| FunctionTimes {
        function: function.name(),
        calls: times.calls,
        p50_ns: times.p50,
        p99_ns: times.p99,
        max_ns: times.max,
    });
    let counts = |asked: Answers| AnswerCounts { accepted: asked.accepted, rejected: asked.rejected };
    Report {
        started: true,
        server: scenario.server.to_string(),
        dlls: paths.iter().map(|path| path.display().to_string()).collect(),
        took_ms: took.as_secs_f64() * 1e3,
        connects: day.outcomes.len(),
        accepted: day.accepted(),
        refused: day.outcomes.len() - day.accepted(),
        reasons: day.refusals(),
        links: counts(day.links),
        reauthentications: counts(day.reauthentications),
        endpoint_changes: counts(day.endpoint_changes),
        addresses: AddressCounts {
            ipv4_given: day.ipv4_given,
            ipv6_given: day.ipv6_given,
            ipv4_released: day.released.ipv4,
            ipv6_released: day.released.ipv6,
        },
        peak: day.peak,
        expectations: scenario.expectations.len(),
        faults: scenario.faults(day),
        functions: functions.collect(),
        outcomes: outcomes.collect(),
        denied: summary.map(Summary::denied),
        given: summary.map(Summary::given),
    }
}
