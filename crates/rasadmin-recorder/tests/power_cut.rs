//! A kill -9 cannot tell a synced write from an unsynced one: a power cut can. A worker runs under strace; from what it
//! wrote and synced, the ledger's files are rebuilt as a disk would have them had the power been cut at any point, the
//! writes since the last sync being there, or not, or in part. Every accept and every hangup that was acknowledged by
//! then must be in them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "power_cut_support/disk.rs"]
mod disk;
#[path = "power_cut_support/trace.rs"]
mod trace;

use disk::{Disk, Kept, Random};
use rasadmin_engine::{Mono, Name, Now, Stamp};
use rasadmin_ledger::Engine;
use rusqlite::config::DbConfig;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use trace::{DB, Event, WAL, What};

const SESSIONS: u64 = 100;
/// Cuts at random points, besides those at every sync and every acknowledgement.
const RANDOM_CUTS: usize = 200;
/// On one of so many images the service is started again. (No divisor is shared with the ways to keep writes, so that
/// every way has its turn.)
const RESTARTS: usize = 61;

fn system() -> Now {
    let time = jiff::Timestamp::now().as_millisecond();
    let at = Stamp { time, mono: Mono(time.cast_unsigned()) };
    Now { at, random: rasadmin_ledger::random().unwrap() }
}

fn configure(folder: &Path, durability: &str) -> PathBuf {
    let config = format!(
        "default_domain = \"CORP\"\ndefault.action = \"allow\"\naddresses.pool = \"staff\"\n\
         [pools.staff]\naddresses = [\"10.8.0.1-10.8.0.9\"]\n[ledger]\ndurability = \"{durability}\"\n"
    );
    let path = folder.join("rasadmin.toml");
    std::fs::write(&path, config).unwrap();
    path
}

/// Runs the worker under strace.
fn watched(durability: &str) -> Vec<Event> {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), durability);
    let log = folder.path().join("strace");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-xx", "-s", "131072", "-o"]).arg(&log);
    command.args(["-e", "trace=openat,pwrite64,pwritev,write,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,close"]);
    command.arg(worker()).arg(folder.path()).arg(SESSIONS.to_string()).stdout(Stdio::null());
    let status = command.status().expect("strace is missing: apt-get install strace");
    assert!(status.success(), "the worker under strace: {status}");
    trace::read(&std::fs::read_to_string(&log).unwrap(), &folder.path().join("rasadmin.db"))
}

/// cargo builds it with the tests.
fn worker() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let path = deps.parent().unwrap().parent().unwrap().join("examples/power_cut_worker");
    assert!(path.is_file(), "{}: cargo test builds it", path.display());
    path
}

/// What was acknowledged before a cut.
#[derive(Clone, Debug, Default)]
struct Acknowledged {
    accepts: Vec<u64>,
    hangups: Vec<u64>,
}

/// What the cuts came to.
#[derive(Debug, Default)]
struct Outcome {
    cuts: usize,
    images: usize,
    /// Acknowledgements looked for, in all images together.
    looked_for: usize,
    /// Images on which the engine was started again.
    restarts: usize,
    damaged: Vec<String>,
    lost: Vec<String>,
}

fn cut_everywhere(events: &[Event]) -> Outcome {
    let mut random = Random(7);
    let mut cuts: Vec<usize> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        match event.what {
            // Just before it, and just after.
            What::Sync | What::FolderSync => cuts.extend([index, index + 1]),
            What::Acknowledged(..) => cuts.push(index + 1),
            _ => {}
        }
    }
    cuts.extend((0..RANDOM_CUTS).map(|_| random.below(events.len())));
    cuts.sort_unstable();
    cuts.dedup();
    let folder = tempfile::tempdir().unwrap();
    let (mut outcome, mut disk, mut acknowledged) = (Outcome::default(), Disk::default(), Acknowledged::default());
    let mut cuts = cuts.into_iter().peekable();
    for index in 0..=events.len() {
        if cuts.next_if_eq(&index).is_some() {
            outcome.cuts += 1;
            for kept in Kept::ALL {
                let image = disk.after_a_cut(kept, &mut random);
                let path = folder.path().join("rasadmin.db");
                for (file, end) in image.iter().zip(trace::ENDS) {
                    let path = folder.path().join(format!("rasadmin.db{end}"));
                    match file {
                        Some(bytes) => std::fs::write(&path, bytes).unwrap(),
                        None => drop(std::fs::remove_file(&path)),
                    }
                }
                // The shared memory is none of the disk's.
                let _ = std::fs::remove_file(folder.path().join("rasadmin.db-shm"));
                let cut = format!("cut {index}, {kept:?}");
                look(&path, &cut, &acknowledged, &mut outcome);
                if outcome.images.is_multiple_of(RESTARTS) {
                    restart(folder.path(), &cut, &mut outcome);
                    look(&path, &format!("{cut}, restarted"), &acknowledged, &mut outcome);
                }
            }
        }
        let Some(event) = events.get(index) else { break };
        match &event.what {
            What::Acknowledged(what, handle) if what == "accept" => acknowledged.accepts.push(*handle),
            What::Acknowledged(what, handle) if what == "hangup" => acknowledged.hangups.push(*handle),
            _ => disk.happens(event),
        }
    }
    outcome
}

fn look(path: &Path, cut: &str, acknowledged: &Acknowledged, outcome: &mut Outcome) {
    outcome.images += 1;
    outcome.looked_for += acknowledged.accepts.len() + acknowledged.hangups.len();
    match sessions(path) {
        Ok(sessions) => {
            for handle in acknowledged.accepts.iter().filter(|handle| !sessions.contains_key(handle)) {
                outcome.lost.push(format!("{cut}: the accept of {handle}"));
            }
            let hung_up = |handle: &u64| sessions.get(handle).is_some_and(|by| by.as_deref() == Some("hangup"));
            for handle in acknowledged.hangups.iter().filter(|handle| !hung_up(handle)) {
                outcome.lost.push(format!("{cut}: the hangup of {handle}"));
            }
        }
        Err(e) => outcome.damaged.push(format!("{cut}: {e}")),
    }
}

/// The service starts again on what the cut left: the ledger is here, and what was open is closed.
fn restart(folder: &Path, cut: &str, outcome: &mut Outcome) {
    outcome.restarts += 1;
    let config = rasadmin_engine::config::load(&configure(folder, "process")).expect("a configuration");
    let engine = Engine::start(Arc::new(config), &Name::new("VPN1"), system());
    if let Some(away) = engine.health().away {
        outcome.damaged.push(format!("{cut}: the ledger is away: {away}"));
    }
    engine.stop(system());
    let open: i64 = rusqlite::Connection::open(folder.join("rasadmin.db"))
        .and_then(|ledger| {
            let sql = "SELECT (SELECT count(*) FROM sessions WHERE acct_stop_time IS NULL)
                            + (SELECT count(*) FROM leases WHERE ended IS NULL)";
            ledger.query_row(sql, [], |row| row.get(0))
        })
        .unwrap();
    if open > 0 {
        outcome.damaged.push(format!("{cut}: {open} sessions and leases are open after a restart"));
    }
}

/// Handle and closed_by of every session; none if the ledger was not made yet.
fn sessions(path: &Path) -> Result<HashMap<u64, Option<String>>, String> {
    let said = |e: rusqlite::Error| e.to_string();
    let ledger = rusqlite::Connection::open(path).map_err(said)?;
    // Only looked at: nothing is written back.
    ledger.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(said)?;
    ledger.execute_batch("PRAGMA synchronous = OFF").map_err(said)?;
    let answer: String = ledger.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(said)?;
    if answer != "ok" {
        return Err(answer);
    }
    let made = "SELECT count(*) FROM sqlite_schema WHERE name = 'sessions'";
    if ledger.query_row(made, [], |row| row.get::<_, i64>(0)).map_err(said)? == 0 {
        return Ok(HashMap::new());
    }
    let mut statement = ledger.prepare("SELECT handle, closed_by FROM sessions").map_err(said)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))).map_err(said)?;
    rows.collect::<Result<_, _>>().map_err(said)
}

/// How often the ledger's files were synced, from the first session to the last.
#[derive(Debug, Default, PartialEq, Eq)]
struct Syncs {
    /// Commits: the log was synced with frames in it that were not.
    commits: usize,
    /// Checkpoints: of the log before its pages are copied, of the file after, of the log's new header.
    checkpoints: usize,
}

fn count_syncs(events: &[Event]) -> Syncs {
    let is = |event: &Event, what: &str| matches!(&event.what, What::Acknowledged(w, _) if w == what);
    let begin = events.iter().position(|event| is(event, "begin")).unwrap();
    let end = events.iter().position(|event| is(event, "end")).unwrap();
    let (mut syncs, mut unsynced_frames) = (Syncs::default(), 0);
    for (index, event) in events[begin..end].iter().enumerate() {
        let mut after = events[begin + index + 1..].iter().filter(|e| !matches!(e.what, What::Acknowledged(..)));
        // A checkpoint syncs the log, then copies its pages: at once.
        let copies = after.next().is_some_and(|next| next.file == DB && matches!(next.what, What::Write { .. }));
        match &event.what {
            // A frame's header is 24 bytes and its page 4096; the log's own header 32.
            What::Write { bytes, .. } if event.file == WAL && bytes.len() != 32 => unsynced_frames += 1,
            What::Sync if event.file == WAL && unsynced_frames > 0 => {
                *(if copies { &mut syncs.checkpoints } else { &mut syncs.commits }) += 1;
                unsynced_frames = 0;
            }
            What::Sync if event.file == WAL || event.file == DB => syncs.checkpoints += 1,
            _ => {}
        }
    }
    syncs
}

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    let events = watched("fsync");
    let outcome = cut_everywhere(&events);
    let syncs = count_syncs(&events);
    println!(
        "{SESSIONS} sessions, {} cuts, {} images, {} restarts: {} acknowledgements looked for, {} lost, {} images damaged; {} syncs \
         of commits ({} a session), {} of checkpoints",
        outcome.cuts,
        outcome.images,
        outcome.restarts,
        outcome.looked_for,
        outcome.lost.len(),
        outcome.damaged.len(),
        syncs.commits,
        syncs.commits as f64 / SESSIONS as f64,
        syncs.checkpoints
    );
    assert!(outcome.lost.is_empty() && outcome.damaged.is_empty(), "{:#?}", (&outcome.lost, &outcome.damaged));
    assert!(outcome.looked_for > 100_000, "too little was looked for: {}", outcome.looked_for);
    assert_eq!(syncs.commits as u64, 2 * SESSIONS, "a session costs two syncs: the accept's and the hangup's");
    assert!(syncs.checkpoints > 0, "no cut hit a checkpoint");
}

#[test]
fn without_syncs_the_cut_shows_it() {
    let events = watched("process");
    let outcome = cut_everywhere(&events);
    let (lost, cuts) = (outcome.lost.len(), outcome.cuts);
    println!("durability = \"process\", {SESSIONS} sessions, {cuts} cuts: {lost} lost, as they must be");
    assert!(lost > 0, "nothing was lost without syncs: the check finds nothing");
    assert_eq!(count_syncs(&events).commits, 0);
    // What is left is whole all the same.
    assert!(outcome.damaged.is_empty(), "{:#?}", outcome.damaged);
}
