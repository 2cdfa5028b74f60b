//! The rounds: choose where to kill, run a worker, check what it left.

use crate::background::{self, Raw};
use crate::call_log::CallEntry;
use crate::check::{self, Before, CheckCounts, Findings, Journal, Round};
use crate::exit_status::was_killed;
use crate::plan::{CALLBACKS, Kill, KillPoint};
use crate::random::Random;
use crate::worker::POOL;
use mprapi::FunctionId as F;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How often to hit every callback at least, if there are enough rounds.
pub const HITS: u32 = 20;
/// The rounds after which a new journal begins.
const SERIES: u32 = 100;
/// How often the journal is read from its beginning, in rounds.
const FULL: u32 = 50;
/// How often a ledger is made from the whole journal, in rounds.
const LEDGER_ANEW: u32 = 10;
/// The deadline of calls, in milliseconds: long if commands hold the lock for a moment, short if the lock is
/// unavailable.
const DEADLINES: [u32; 2] = [10_000, 100];
/// The calls that are made while another process holds the lock.
const ALONE: usize = 40;

/// The options of a run.
pub struct Torture {
    /// The number of rounds.
    pub rounds: u32,
    /// The seed.
    pub seed: u64,
    /// Use two processes?
    pub two_processes: bool,
    /// The product, built for the torture.
    pub dll: PathBuf,
    /// The worker's program, if it is not this one.
    pub worker: Option<PathBuf>,
    /// What runs the worker's program (wine).
    pub runner: Option<String>,
}

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// At a chosen point.
    At(KillPoint),
    /// At a random time.
    Time,
    /// The address process, at a random time.
    Peer,
    /// While events waited in memory.
    Unavailable,
}

/// The results of a run.
#[derive(Default)]
pub struct Report {
    /// The number of rounds.
    pub rounds: u32,
    /// The number of kills by callback name and column.
    pub kills: BTreeMap<(String, Column), u32>,
    /// The number of workers that ended by themselves.
    pub survived: u32,
    /// What was checked.
    pub seen: CheckCounts,
    /// The number of processes that were killed while they ingested the journal.
    pub ingests_killed: u32,
    /// How often the pool was filled to the last address.
    pub fills: u32,
    /// What was wrong.
    pub found: Findings,
}

/// The row of a kill that hit no callback.
pub const BETWEEN: &str = "between two calls";

impl Report {
    /// How often a callback was hit.
    pub fn hits(&self, function: F) -> u32 {
        self.kills.iter().filter(|((row, _), _)| row == function.name()).map(|(_, n)| n).sum()
    }

    /// The number of kills in a cell.
    pub fn cell(&self, row: &str, column: Column) -> u32 {
        self.kills.get(&(row.to_owned(), column)).copied().unwrap_or(0)
    }
}

/// Runs the rounds, until every callback was hit often enough, unless there are too few rounds for that.
pub fn run(torture: &Torture, progress: &dyn Fn(&Report)) -> Result<Report, String> {
    let mut report = Report::default();
    let mut random = Random::new(torture.seed);
    let enough = torture.rounds >= HITS * CALLBACKS.len() as u32;
    loop {
        let folder = tempfile::Builder::new().prefix("rasadmin-torture-").tempdir().map_err(|e| e.to_string())?;
        configure(folder.path(), Journal::Available)?;
        let mut before = Before::default();
        for _ in 0..SERIES {
            if report.rounds >= torture.rounds
                && (!enough || CALLBACKS.iter().all(|&function| report.hits(function) >= HITS))
            {
                break;
            }
            let kill = choose(torture, &report, &mut random);
            round(torture, folder.path(), kill, &mut random, &mut before, &mut report)?;
            progress(&report);
            if !report.found.is_empty() {
                let kept = folder.keep();
                return Err(failure_text(torture, &report, kill, &kept));
            }
        }
        // What is left of the pool must be all of it.
        round(torture, folder.path(), Kill::Fill, &mut random, &mut before, &mut report)?;
        report.fills += 1;
        report.rounds -= 1;
        if !report.found.is_empty() {
            let kept = folder.keep();
            return Err(failure_text(torture, &report, Kill::Fill, &kept));
        }
        let all = !enough || CALLBACKS.iter().all(|&function| report.hits(function) >= HITS);
        if report.rounds >= torture.rounds && all {
            return Ok(report);
        }
    }
}

fn failure_text(torture: &Torture, report: &Report, kill: Kill, folder: &Path) -> String {
    let mut lines = report.found.lines();
    let rest = lines.len().saturating_sub(12);
    lines.truncate(12);
    if rest > 0 {
        lines.push(format!("and {rest} more"));
    }
    let lines = lines.join("\n  ");
    let (round, seed, folder) = (report.rounds, torture.seed, folder.display());
    format!("round {round} of seed {seed}, killed at {kill}, left in {folder}:\n  {lines}")
}

/// Writes a configuration with one pool of each family, five addresses larger than the peak of sessions.
pub fn configure(folder: &Path, was: Journal) -> Result<(), String> {
    let deadline = DEADLINES[usize::from(was == Journal::Unavailable)];
    let text = format!(
        "default_domain = \"CORP\"\ndefault.action = \"allow\"\nserver.name = \"TORTURE\"\n\
         addresses.pool = \"staff\"\naddresses.ipv6_pool = \"staff6\"\n\
         [pools.staff]\naddresses = [\"10.8.0.1-10.8.0.{POOL}\"]\nwhen_exhausted = \"refuse\"\n\
         [pools.staff6]\nidentifiers = [\"::1:0:0:1-::1:0:0:{POOL:x}\"]\nwhen_exhausted = \"refuse\"\n\
         [journal]\ndeadline_ms = {deadline}\n"
    );
    std::fs::write(folder.join("rasadmin.toml"), text).map_err(|e| e.to_string())
}

/// Chooses a point with the fewest kills, or sometimes a random time.
fn choose(torture: &Torture, report: &Report, random: &mut Random) -> Kill {
    if random.below(100) < 15 {
        let slow = if torture.runner.is_some() { 15 } else { 1 };
        let after = random.any() % (80_000 * slow) + 1;
        let peer = torture.two_processes && random.below(2) == 0;
        return if peer { Kill::PeerTime(after) } else { Kill::Time(after) };
    }
    let cells = CALLBACKS.iter().flat_map(|&f| KillPoint::ALL.map(|at| (f, at))).filter(|(f, at)| at.is_in(*f));
    let cells: Vec<(F, KillPoint)> = cells.collect();
    let kills = |&(f, at): &(F, KillPoint)| report.cell(f.name(), Column::At(at));
    let fewest = cells.iter().map(kills).min().unwrap_or(0);
    let fewest: Vec<_> = cells.into_iter().filter(|cell| kills(cell) == fewest).collect();
    let (function, at) = fewest[random.below(fewest.len())];
    let calls = if matches!(function, F::InitializeDllEx | F::TerminateDll) { 1 } else { 20 };
    // Initialise records the start of the instance and the configuration, in each process.
    let times = match (function, at) {
        (F::InitializeDllEx, KillPoint::Appended) => 2 + usize::from(torture.two_processes),
        (F::InitializeDllEx, _) => 1 + usize::from(torture.two_processes),
        _ => 1,
    };
    Kill::At { at, function, call: random.below(calls) as u32 + 1, time: random.below(times) as u32 + 1 }
}

fn round(
    torture: &Torture,
    folder: &Path,
    kill: Kill,
    random: &mut Random,
    before: &mut Before,
    report: &mut Report,
) -> Result<(), String> {
    let seed = random.any();
    let can_be_unavailable = before.has_begun() && kill != Kill::Fill && torture.runner.is_none();
    let was = if can_be_unavailable && random.below(12) == 0 { Journal::Unavailable } else { Journal::Available };
    let kill = match (was, random.below(4)) {
        (Journal::Available, _) => kill,
        // What waits in memory is written at the end, if the worker gets there.
        (Journal::Unavailable, 0) => Kill::At { at: KillPoint::Locked, function: F::TerminateDll, call: 1, time: 1 },
        (Journal::Unavailable, 1) => Kill::Time(random.any() % 400_000 + 100_000),
        (Journal::Unavailable, _) => Kill::Nothing,
    };
    let steps = match kill {
        Kill::At { function: F::TerminateDll, .. } | Kill::Nothing => random.below(80) + 20,
        _ => 400,
    };
    configure(folder, was)?;
    let follower = background::follow(folder, before.position);
    let ingesting = background::ingest(folder, Random::new(random.any()));
    let (held, commands) = match was {
        // A command frees the address of a session that it closes, while RRAS still uses it.
        Journal::Available if kill == Kill::Fill => (None, None),
        Journal::Available => (None, Some(background::run_commands(folder))),
        Journal::Unavailable => (Some(background::hold_lock(folder, ALONE)?), None),
    };
    let processes = if torture.two_processes { "two" } else { "one" };
    let ended = worker(torture, folder, kill, seed, steps, processes);
    let commands = commands.map_or(Ok(Vec::new()), |commands| commands.end());
    let held = held.map_or(Ok(()), |held| held.end());
    let ingests_killed = ingesting.end();
    let followed: Result<Vec<Raw>, String> = follower.end();
    let ((killed, commands), followed) = (ended.and_then(|killed| Ok((killed, commands?)))?, followed?);
    held?;
    report.rounds += 1;
    report.ingests_killed += ingests_killed?;
    let calls = read_call_log(folder);
    count_kill(kill, killed, was, &calls, report);
    let killed = killed || calls.iter().any(|note| matches!(note, CallEntry::NeverMade(_)));
    let whole = kill == Kill::Fill || report.rounds.is_multiple_of(FULL);
    let ledger_anew = kill == Kill::Fill || report.rounds.is_multiple_of(LEDGER_ANEW);
    let two_processes = torture.two_processes;
    let (calls, followed, commands) = (&calls[..], &followed[..], &commands[..]);
    let round = Round { kill, killed, two_processes, was, calls, followed, commands, whole, ledger_anew };
    let seen = check::round(folder, &round, before, &|_| (), &mut report.found)
        .map_err(|e| format!("the journal cannot be read after round {}, killed at {kill}: {e}", report.rounds))?;
    report.seen.add(seen);
    Ok(())
}

/// Reads the call log of the last worker.
pub fn read_call_log(folder: &Path) -> Vec<CallEntry> {
    CallEntry::read_all(&std::fs::read_to_string(folder.join("calls.log")).unwrap_or_default())
}

/// Counts a kill by what it hit.
fn count_kill(kill: Kill, killed: bool, was: Journal, calls: &[CallEntry], report: &mut Report) {
    let gone = calls.iter().any(|note| matches!(note, CallEntry::NeverMade(_)));
    let (row, column) = match kill {
        _ if was == Journal::Unavailable && (killed || gone) => match calls.last() {
            Some(CallEntry::Began(function) | CallEntry::Returned(function, _)) => {
                (function.name(), Column::Unavailable)
            }
            _ => (BETWEEN, Column::Unavailable),
        },
        Kill::PeerTime(_) if gone => (BETWEEN, Column::Peer),
        Kill::At { at, function, .. } if killed || gone => (function.name(), Column::At(at)),
        Kill::Time(_) if killed => match calls.last() {
            Some(CallEntry::Began(function)) => (function.name(), Column::Time),
            // Before the first entry: the program was only starting.
            _ => (BETWEEN, Column::Time),
        },
        Kill::Fill | Kill::Nothing => return,
        _ => {
            report.survived += 1;
            return;
        }
    };
    *report.kills.entry((row.to_owned(), column)).or_default() += 1;
}

/// Runs a worker to its end, and its address process too, so that nobody writes any more. Returns true if it was
/// killed.
pub fn worker(
    torture: &Torture,
    folder: &Path,
    kill: Kill,
    seed: u64,
    steps: usize,
    processes: &str,
) -> Result<bool, String> {
    for old in ["order", "calls.log"] {
        let _ = std::fs::remove_file(folder.join(old));
    }
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let program = torture.worker.as_ref().unwrap_or(&own);
    let mut command = match &torture.runner {
        Some(runner) => {
            let mut command = Command::new(runner);
            command.arg(program);
            command
        }
        None => Command::new(program),
    };
    command.arg("worker").arg(folder).arg(&torture.dll).args([&seed.to_string(), &steps.to_string(), processes]);
    command.arg(kill.to_string());
    command
        .env("RASADMIN_CONFIG", folder.join("rasadmin.toml"))
        .env("RASADMIN_LOG", folder.join("rasadmin.log"))
        .env("RASADMIN_SYSTEM_LOG", "off")
        .env("RASADMIN_TORTURE", folder.join("order"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("cannot run a worker: {e}"))?;
    let mut errors = String::new();
    // Both processes have it open, so it ends when both have ended.
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.read_to_string(&mut errors);
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    if was_killed(status) {
        return Ok(true);
    }
    if status.success() {
        return Ok(false);
    }
    Err(format!("a worker that should be killed at {kill} failed ({status}):\n{errors}"))
}
