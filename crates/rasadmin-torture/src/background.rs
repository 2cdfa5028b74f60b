//! Other users of the journal while a worker runs: a follower, commands that append, and processes that ingest it into
//! the ledger.

use crate::call_log::CallEntry;
use crate::exit_status::was_killed;
use crate::ledger::INGEST;
use crate::paths::journal_in;
use crate::random::Random;
use mprapi::FunctionId as F;
use rasadmin_engine::config::{self, Config};
use rasadmin_engine::effect::BlockSubject;
use rasadmin_engine::event::BeginBlock;
use rasadmin_engine::{Event, Id, Identity, Mono, Now, Stamp};
use rasadmin_journal::{Follower, Item, Journal, Options, Position};
use rasadmin_recorder::admin::AdminJournal;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// The longest life of an ingesting process, in microseconds: long enough to open, fill and close a ledger a few times.
const LONGEST_INGEST: u64 = 20_000;

/// A record's number and bytes.
pub type Raw = (u64, Vec<u8>);

/// The records after a position.
#[derive(Debug)]
pub struct Reading {
    /// The records.
    pub records: Vec<Raw>,
    /// The position of the last record.
    pub position: Position,
}

/// Reads the records after a position, or all of them. None if nothing was ever appended.
pub fn read(folder: &Path, from: Option<&Position>) -> Result<Option<Reading>, String> {
    let Some(mut follower) = open(folder, from)? else { return Ok(None) };
    let mut records = Vec::new();
    read_into(&mut follower, &mut records)?;
    Ok(Some(Reading { records, position: follower.position() }))
}

fn open(folder: &Path, from: Option<&Position>) -> Result<Option<Follower>, String> {
    let Some(mut follower) = Follower::open(&journal_in(folder)).map_err(|e| e.to_string())? else { return Ok(None) };
    if let Some(position) = from
        && !follower.start_at(position).map_err(|e| e.to_string())?
    {
        return Err(format!("the journal does not have record {}, which it had", position.number));
    }
    Ok(Some(follower))
}

fn read_into(follower: &mut Follower, records: &mut Vec<Raw>) -> Result<(), String> {
    let mut gap = None;
    let read = follower.read(|item| match item {
        Item::Record(record) => records.push((record.number, record.payload.to_vec())),
        Item::Gap { first, last } => gap = Some((first, last)),
    });
    read.map_err(|e| e.to_string())?;
    gap.map_or(Ok(()), |(first, last)| Err(format!("records {first} to {last} are missing")))
}

/// Work in the background, until its result is requested.
pub struct Background<T> {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<T, String>>,
}

impl<T: Send + 'static> Background<T> {
    fn new(work: impl FnOnce(&AtomicBool) -> Result<T, String> + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stops = stop.clone();
        Self { stop, thread: std::thread::spawn(move || work(&stops)) }
    }

    /// Stops the work and returns its result.
    pub fn end(self) -> Result<T, String> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap_or_else(|_| Err("it panicked".to_owned()))
    }
}

/// Follows the journal from a position as it grows.
pub fn follow(folder: &Path, from: Option<Position>) -> Background<Vec<Raw>> {
    let folder = folder.to_owned();
    Background::new(move |stop| {
        let (mut records, mut follower) = (Vec::new(), None);
        loop {
            // What is read after the stop is everything.
            let last = stop.load(Ordering::SeqCst);
            if follower.is_none() {
                follower = open(&folder, from.as_ref())?;
            }
            if let Some(follower) = &mut follower {
                read_into(follower, &mut records)?;
            }
            if last {
                return Ok(records);
            }
            std::thread::sleep(Duration::from_micros(300));
        }
    })
}

/// Ingests the journal into the ledger all the time, in one process after the other, each killed at a random time.
/// Returns the number of killed processes.
pub fn ingest(folder: &Path, mut random: Random) -> Background<u32> {
    let folder = folder.to_owned();
    Background::new(move |stop| {
        let own = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut killed = 0;
        while !stop.load(Ordering::SeqCst) {
            let after = random.any() % LONGEST_INGEST + 1;
            let ran = Command::new(&own).arg(INGEST).arg(&folder).arg(after.to_string()).output();
            let ran = ran.map_err(|e| format!("cannot run an ingesting process: {e}"))?;
            if !was_killed(ran.status) {
                return Err(format!("ingesting failed ({}): {}", ran.status, String::from_utf8_lossy(&ran.stderr)));
            }
            killed += 1;
        }
        Ok(killed)
    })
}

/// Appends an administrator's events every few milliseconds. Returns the identifiers of their records.
pub fn run_commands(folder: &Path) -> Background<Vec<Id>> {
    let folder = folder.to_owned();
    Background::new(move |stop| {
        let config = configuration(&folder)?;
        let mut acknowledged = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(2));
            // As if somebody typed one command after the other: each starts from what is on disk.
            let opened = AdminJournal::open(&journal_in(&folder), &config).map_err(|e| format!("a command: {e}"))?;
            let Some(mut journal) = opened else { continue };
            for nth in 0..4 {
                let now = now()?;
                // Only the record of each event matters. Every other event closes a session.
                let recorded = journal.record(&now, |state| {
                    let session = state.live().map(|session| session.id).min().filter(|_| nth % 2 == 1);
                    let event = session
                        .map_or_else(|| block(&now), |session| Event::CloseSession { session, by: None, reason: None });
                    ((), Some(event))
                });
                if recorded.map_err(|e| format!("a command: {e}"))?.is_some() {
                    acknowledged.push(Id(u128::from_be_bytes(now.random)));
                }
            }
        }
        Ok(acknowledged)
    })
}

/// The workers' configuration.
fn configuration(folder: &Path) -> Result<Arc<Config>, String> {
    config::load(&folder.join("rasadmin.toml")).map(Arc::new).map_err(|e| e.to_string())
}

/// A block of one of a few users who never connect.
fn block(now: &Now) -> Event {
    let user = Identity { domain: "CORP".into(), name: format!("blocked{}", now.random[0] % 8).as_str().into() };
    let (subject, until) = (BlockSubject::User(user), Some(now.at.time + 60_000));
    Event::BeginBlock(BeginBlock { subject, until, reason: None, by: None })
}

fn now() -> Result<Now, String> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let time = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    let mono = Mono(rasadmin_system::monotonic::milliseconds());
    Ok(Now { at: Stamp { time, mono }, random: rasadmin_recorder::random().map_err(|e| e.to_string())? })
}

/// Holds the journal's lock until a worker has made some calls, or ends. Meanwhile calls can only be answered from
/// memory.
pub fn hold_lock(folder: &Path, calls: usize) -> Result<Background<()>, String> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let journal = Journal::open(&journal_in(folder), Options::default(), deadline).map_err(|e| e.to_string())?;
    let log = folder.join("calls.log");
    let _ = std::fs::remove_file(&log);
    let (held, holds) = std::sync::mpsc::channel();
    let background = Background::new(move |stop| {
        let guard = journal.lock(deadline).map_err(|e| e.to_string())?;
        let _ = held.send(());
        // A worker with few calls ends earlier: then it can still write what waits in its memory.
        let end = CallEntry::Began(F::TerminateDll).line();
        let over = |text: String| text.matches("\n<").count() >= calls || text.contains(&end);
        while !stop.load(Ordering::SeqCst) && !std::fs::read_to_string(&log).is_ok_and(over) {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(guard);
        Ok(())
    });
    holds.recv().map_err(|_| "the journal's lock cannot be taken".to_owned())?;
    Ok(background)
}
