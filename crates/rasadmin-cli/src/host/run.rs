//! `rasadmin host run`: a scenario against a list of DLLs.

use crate::host::stranger::JournalLock;
use crate::host::told::Told;
use crate::output::{count, dll_file, duration, numbers, shown};
use crate::scratch::{self, Keep, Place};
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
use rasadmin_host::{Options, SeparateProcesses, Service, StartProblem, dllpath};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The hidden subcommand of a process that has the DLLs loaded: the second in two-process mode, and those that are
/// killed.
pub const ADDRESS_PROCESS: &str = "__address-process";

/// Run a day of VPN users through admin DLLs, as RRAS would, and show what became of them
///
/// Example: rasadmin host run --dll target/release/librasadmin.so examples/office-day.scenario
#[derive(Args)]
pub struct Arguments {
    /// The scenario: who comes and goes (docs/scenario.md)
    scenario: PathBuf,
    #[command(flatten)]
    dlls: Dlls,
    /// Which requirements decide whether the service starts: shipping, documented or nt4
    #[arg(long, default_value = "shipping", value_name = "PROFILE")]
    profile: Profile,
    /// Which calls may overlap: `documented` (different functions, except within the two groups) or `all` (none)
    #[arg(long, default_value = "documented")]
    serialise: SerialiseArgument,
    /// How many threads call the DLLs; with 1, calls come in the scenario's order
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    /// Run the address functions in a process of their own, as Microsoft warns they may be
    #[arg(long)]
    two_processes: bool,
    /// A configuration whose rules this run uses, never its journal or ledger; without it, the one that RASADMIN_CONFIG
    /// names, else one that allows everyone
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    keep: Keep,
    /// Record every call with its buffers to this file, for `rasadmin host replay`
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// List what became of every connect, not only the totals
    #[arg(long)]
    each: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Which DLLs.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Dlls {
    /// An admin DLL; give it several times for several, in order
    #[arg(long = "dll", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A whole list, as the registry value DllPath has it: `A.dll;B.dll`, quirks included
    #[arg(long, value_name = "LIST")]
    dll_path: Option<String>,
    /// The list in the registry of this machine (Windows)
    #[arg(long)]
    registry: bool,
}

impl Dlls {
    /// The paths, in order, and what RRAS would never load.
    fn paths(&self) -> Result<(Vec<PathBuf>, Vec<String>), String> {
        let list = if self.registry {
            dllpath::parse_with_environment(&registry()?.unwrap_or_default())
        } else if let Some(list) = &self.dll_path {
            dllpath::parse_with_environment(list)
        } else {
            let files = self.files.iter().map(|file| dll_file(file)).collect::<Result<_, _>>()?;
            return Ok((files, Vec::new()));
        };
        Ok((list.entries.into_iter().map(PathBuf::from).collect(), list.never_loaded))
    }
}

#[cfg(windows)]
fn registry() -> Result<Option<String>, String> {
    rasadmin_host::registry::dll_path().map_err(|e| e.to_string())
}

#[cfg(not(windows))]
fn registry() -> Result<Option<String>, String> {
    Err("there is no registry on this system: name the DLLs with --dll or --dll-path".into())
}

#[derive(Clone, Copy, ValueEnum)]
enum SerialiseArgument {
    Documented,
    All,
}

/// Arguments of a process that has the DLLs loaded.
#[derive(Args)]
pub struct AddressArguments {
    #[arg(long)]
    profile: Profile,
    dlls: Vec<PathBuf>,
}

/// That process: makes the calls that arrive on standard input.
pub fn address_process(arguments: AddressArguments) -> Result<u8, String> {
    rasadmin_host::serve_calls(&arguments.dlls, arguments.profile).map(|()| 0)
}

/// Runs the scenario.
pub fn run(arguments: Arguments) -> Result<u8, String> {
    let folder = match scratch::again(&arguments.keep, arguments.config.as_deref())? {
        Place::Here(folder) => folder,
        Place::There(code) => return Ok(code),
    };
    let scenario = Scenario::read(&arguments.scenario).map_err(|e| e.to_string())?;
    let (paths, never_loaded) = arguments.dlls.paths()?;
    for entry in &never_loaded {
        eprintln!(
            "warning: RRAS never loads `{}`: an entry that begins with a space ends the list there, silently. \
             Remove the space.",
            entry.trim_start()
        );
    }
    let options = options(&arguments, &paths, &scenario)?;
    // Without rules of one's own there is nothing to tell of them.
    let ruled = arguments.config.is_some();
    let ledger = ruled.then(|| Told::before(&folder.join("rasadmin.toml"))).transpose()?;
    let clock = match (std::env::var_os(CLOCK_VARIABLE), scenario.begins) {
        (Some(path), Some(begins)) => {
            let clock = Clock::create(Path::new(&path)).map_err(|e| format!("cannot write the clock: {e}"))?;
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
            if arguments.json {
                let (code, event) = (failure.code(), failure.event());
                let start = json!({ "dll": failure.dll, "error": code, "event": event,
                                    "message": failure.to_string() });
                println!("{:#}", json!({ "started": false, "failure": start }));
            } else {
                eprintln!("error: {failure}");
                let remedy = match failure.problem {
                    StartProblem::Load(_) => "Check the path and that it is a 64-bit DLL",
                    _ => "See what it lacks",
                };
                eprintln!("  {remedy}: rasadmin check {}", failure.dll.display());
            }
            return Ok(1);
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
    let stranger = scenario.locks_journal().then(|| JournalLock::new(&folder));
    let stranger = stranger.as_ref().map(|stranger| stranger as &dyn JournalLocker);
    let run_options = RunOptions { threads, clock: clock.as_ref(), journal_locker: stranger, folder: Some(&folder) };
    let day = runner::run(&service, &scenario, run_options, &|done| progress.set_position(done as u64));
    progress.finish_and_clear();
    let stopped = service.stop()?;
    let took = started.elapsed();
    let told = ledger.map(|ledger| ledger.after(&day)).transpose()?;
    if arguments.json {
        let mut value = as_json(&scenario, &paths, &day, &stopped, took);
        if let Some(told) = &told {
            told.add_to(&mut value);
        }
        print(&format!("{value:#}\n"));
    } else {
        print(&report(&arguments, &scenario, &about, &day, &stopped, took, told.as_ref()));
    }
    if let Err(error) = &stopped.trace {
        return Err(format!("the trace is incomplete: {error}"));
    }
    if let Some(message) = &day.failed {
        return Err(format!("the scenario could not be played to its end: {message}"));
    }
    if !stopped.processes_ended_well {
        return Err("a process of the DLLs crashed or failed: run without --two-processes, kill and restart to see \
                    where"
            .into());
    }
    let faults = scenario.faults(&day);
    for fault in &faults {
        eprintln!("{fault}");
    }
    Ok(u8::from(!faults.is_empty()))
}

/// Standard output may be a pipe that was closed: that is no error.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn options(arguments: &Arguments, paths: &[PathBuf], scenario: &Scenario) -> Result<Options, String> {
    let mut options = Options::new(scenario.pool.clone());
    options.profile = arguments.profile;
    options.serialise = match arguments.serialise {
        SerialiseArgument::Documented => Serialise::Documented,
        SerialiseArgument::All => Serialise::All,
    };
    if let Some(path) = &arguments.trace {
        let file = File::create(path).map_err(|e| format!("cannot write the trace {}: {e}", path.display()))?;
        options.trace = Some(Box::new(BufWriter::new(file)));
    }
    options.assumptions = scenario.assumptions;
    let two = arguments.two_processes || scenario.two_processes;
    if (two || scenario.kills()) && !paths.is_empty() {
        let own = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
        let (profile, paths) = (arguments.profile.name(), paths.to_vec());
        let command = move || {
            let mut command = std::process::Command::new(&own);
            command.arg(ADDRESS_PROCESS).arg("--profile").arg(profile).args(&paths);
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

fn report(
    arguments: &Arguments,
    scenario: &Scenario,
    about: &[String],
    day: &RunSummary,
    stopped: &Stopped,
    took: Duration,
    told: Option<&Told>,
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
    if let Some(told) = told {
        line(told.tables());
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
        let rules = told.map(|told| told.rules(day)).unwrap_or_default();
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
        line(crate::output::texts(&header, rows));
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

fn as_json(
    scenario: &Scenario,
    paths: &[PathBuf],
    day: &RunSummary,
    stopped: &Stopped,
    took: Duration,
) -> serde_json::Value {
    let outcomes: Vec<_> = day
        .outcomes
        .iter()
        .map(|o| {
            json!({ "session": o.session, "user": o.user, "tunnel": o.tunnel.name(), "accepted": o.refused.is_none(),
                    "became": OutcomeKind::of(o).name(), "refused": o.refused.map(|r| r.to_string()), "refused_by_dll": o.refused.and_then(|r| r.dll()),
                    "cut": o.cut.map(|r| r.to_string()), "port": o.port, "ipv4": o.ipv4 })
        })
        .collect();
    let functions: Vec<_> = stopped
        .statistics
        .times()
        .into_iter()
        .map(|(function, t)| {
            json!({ "function": function.name(), "calls": t.calls, "p50_ns": t.p50, "p99_ns": t.p99, "max_ns": t.max })
        })
        .collect();
    let asked = |a: Answers| json!({ "accepted": a.accepted, "rejected": a.rejected });
    json!({
        "started": true,
        "server": scenario.server,
        "dlls": paths.iter().map(|p: &PathBuf| Path::display(p).to_string()).collect::<Vec<_>>(),
        "took_ms": took.as_secs_f64() * 1e3,
        "connects": day.outcomes.len(),
        "accepted": day.accepted(),
        "refused": day.outcomes.len() - day.accepted(),
        "reasons": day.refusals(),
        "links": asked(day.links),
        "reauthentications": asked(day.reauthentications),
        "endpoint_changes": asked(day.endpoint_changes),
        "addresses": { "ipv4_given": day.ipv4_given, "ipv6_given": day.ipv6_given,
                       "ipv4_released": day.released.ipv4, "ipv6_released": day.released.ipv6 },
        "peak": day.peak,
        "expectations": scenario.expectations.len(),
        "faults": scenario.faults(day),
        "functions": functions,
        "outcomes": outcomes,
    })
}
