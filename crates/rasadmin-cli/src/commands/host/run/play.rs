//! The child of a run: it loads the DLLs, plays the day, and reports it.

use super::answer::Answer;
use super::serve::Served;
use super::{Arguments, SerialiseArgument, readings, report};
use crate::commands::host::ledger_summary::Summary;
use crate::commands::internal::address_process;
use crate::commands::internal::lock_journal::JournalLock;
use crate::error::{CommandError, Exit, Kind, OrCommandError, Result};
use crate::format::shown;
use crate::output::{Output, note};
use crate::scratch;
use crate::supervised::{DLL_DIED, Inside};
use crate::warning;
use rasadmin_host::clock::Clock;
use rasadmin_host::outcome::RunSummary;
use rasadmin_host::program;
use rasadmin_host::runner::{self, JournalLocker, RunOptions};
use rasadmin_host::scenario::Scenario;
use rasadmin_host::scratch::CLOCK_VARIABLE;
use rasadmin_host::serialise::Serialise;
use rasadmin_host::service::Stopped;
use rasadmin_host::supervise::on_own_thread;
use rasadmin_host::{Options, SeparateProcesses, Service, StartFailure, StartProblem};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What was run, and how it went.
#[derive(Clone, Copy)]
pub struct Ran<'a> {
    pub arguments: &'a Arguments,
    pub scenario: &'a Scenario,
    pub paths: &'a [PathBuf],
    /// Each DLL's path as a person writes it.
    pub names: &'a [String],
    /// Each DLL in words.
    pub descriptions: &'a [String],
    pub day: &'a RunSummary,
    pub stopped: &'a Stopped,
    pub took: Duration,
    /// What the ledger says; only if --config was given.
    pub summary: Option<&'a Summary>,
}

impl Ran<'_> {
    /// What a reason for a refusal calls a DLL: by its name only if there are several.
    pub fn name_in_reasons(&self, dll: usize) -> String {
        match self.names.get(dll) {
            Some(name) if self.names.len() > 1 => name.clone(),
            _ => "the DLL".into(),
        }
    }

    /// What is dangerous, or would not work with RRAS.
    pub fn warnings(&self) -> Vec<String> {
        const MOST: usize = 5;
        let mut warnings = Vec::new();
        let users = self.day.let_in_without_authentication();
        if !users.is_empty() {
            let more = if users.len() > MOST { format!(" and {} more", users.len() - MOST) } else { String::new() };
            let named = users.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
            warnings.push(format!("the pre-authentication callback let in without authentication: {named}{more}"));
        }
        let doubts = &self.day.doubts;
        warnings.extend(doubts.iter().take(MOST).map(|doubt| doubt.to_string()));
        if doubts.len() > MOST {
            warnings.push(format!("{} more addresses that no client can use", doubts.len() - MOST));
        }
        for death in &self.stopped.deaths {
            let dll = death.call.and_then(|call| self.names.get(call.dll)).map_or("a DLL", |name| name);
            warnings.push(format!("a process of the DLLs ended: {dll}, {}: {death}", death.place()));
        }
        warnings
    }
}

/// The day, and how the service stopped.
struct Played {
    descriptions: Vec<String>,
    day: RunSummary,
    stopped: Stopped,
    took: Duration,
}

/// What a day has besides its scenario.
struct Around<'a> {
    served: Option<&'a Served>,
    clock: Option<&'a Clock>,
    folder: &'a Path,
}

/// Runs the scenario.
pub fn run(arguments: &Arguments, inside: &Inside, out: &mut Output) -> Result {
    let mut scenario = Scenario::read(&arguments.scenario).or_error(Kind::File)?;
    scenario.assumptions = readings::of_environment(arguments.assumed(scenario.assumptions)?)?;
    let folder = inside.scratch.clone();
    let json = arguments.json || readings::is_one();
    let (paths, never_loaded) = arguments.dlls.paths()?;
    for entry in &never_loaded {
        warning!(
            "RRAS never loads `{}`: it stops reading the list at an entry that begins with a space, and reports \
             nothing. Remove the space.",
            entry.trim_start()
        );
    }
    for path in paths.iter().filter(|path| program::is_program(path)) {
        warning!("{}: {}. {}", shown(path), program::A_PROGRAM, program::LOADED_WITHOUT_IMPORTS);
    }
    let options = options(arguments, &paths, &scenario)?;
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
    let names: Vec<String> = paths.iter().map(|path| shown(path)).collect();
    // A relative path is one of the caller's folder.
    let served = Served::bind(arguments)?;
    inside.leave_current_directory()?;
    let around = Around { served: served.as_ref(), clock: clock.as_ref(), folder: &folder };
    let play = || play(&paths, &names, options, arguments, &scenario, &around);
    let played = on_own_thread(play).ok_or_else(|| CommandError::new(Kind::System, "the run did not end"))?;
    let Played { descriptions, day, stopped, took } = match played {
        Ok(Ok(played)) => played,
        Ok(Err(failure)) => {
            would_not_start(&failure, json, out)?;
            return Ok(Exit::No);
        }
        Err(message) => return Err(CommandError::new(Kind::Dll, message)),
    };
    let summary = summary.map(Summary::after).transpose()?;
    let ran = Ran {
        arguments,
        scenario: &scenario,
        paths: &paths,
        names: &names,
        descriptions: &descriptions,
        day: &day,
        stopped: &stopped,
        took,
        summary: summary.as_ref(),
    };
    if json {
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
    let faults = scenario.faults(&day);
    for fault in &faults {
        note(format_args!("{fault}"));
    }
    if !stopped.deaths.is_empty() {
        return Ok(Exit::Code(DLL_DIED));
    }
    Ok(Exit::no_if(!faults.is_empty()))
}

/// Starts the service, plays the day and stops the service.
///
/// The inner error is that RRAS would not start, the outer one that a DLL cannot be unloaded.
fn play(
    paths: &[PathBuf],
    names: &[String],
    options: Options,
    arguments: &Arguments,
    scenario: &Scenario,
    around: &Around<'_>,
) -> std::result::Result<std::result::Result<Played, StartFailure>, String> {
    let &Around { served, clock, folder } = around;
    let started = Instant::now();
    let service = match Service::start(paths, options) {
        Ok(service) => service,
        Err(failure) => return Ok(Err(failure)),
    };
    let descriptions = service.descriptions().iter().zip(names).map(|(dll, name)| {
        let ikev2 = if dll.serves_ikev2() { "" } else { ", never called for IKEv2" };
        format!("{name} (revision {}{ikev2})", dll.revision)
    });
    let journal_lock = scenario.locks_journal().then(|| JournalLock::new(folder));
    let journal_locker = journal_lock.as_ref().map(|lock| lock as &dyn JournalLocker);
    let threads = arguments.threads.into();
    let run_options = RunOptions { threads, clock, journal_locker, outside: None, folder: Some(folder) };
    let day = match served {
        Some(served) => served.run(&service, scenario, run_options),
        None => runner::run(&service, scenario, run_options),
    };
    let stopped = service.stop()?;
    Ok(Ok(Played { descriptions: descriptions.collect(), day, stopped, took: started.elapsed() }))
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
    if matches!(failure.problem, StartProblem::Load(_)) && failure.dll.is_relative() {
        note(format_args!("  RRAS looks for a relative path in System32, not in your folder: write the full path."));
    }
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
        // A DLL may change this process's environment before another process starts.
        let environment: Vec<_> = std::env::vars_os().collect();
        let command = move || {
            let mut command = std::process::Command::new(&own);
            command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
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
