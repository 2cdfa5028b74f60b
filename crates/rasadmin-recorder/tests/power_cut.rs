//! A kill -9 does not distinguish a synced write from an unsynced one, but a power cut does. Sessions go through a
//! recorder under strace; from what it wrote and synced, the journal's folder is rebuilt as a disk would have it had
//! the power been cut at any point, the writes since the last sync being there, or not, or in part. Every accept and
//! every hangup that had returned by then must be in it, and the state must be the one that the records make.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "power_cut_support/disk.rs"]
mod disk;
mod support;
#[path = "power_cut_support/trace.rs"]
mod trace;

use disk::{Disk, Kept, Random};
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::{Answer, Event as EngineEvent, Name, State, Tunnel::Sstp};
use rasadmin_journal::{Follower, Item};
use rasadmin_recorder::{Recorder, Verdict, present};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use support::With;
use trace::{Event, PROMISES};

/// The sessions in each life of the service.
const SESSIONS: u64 = 20;
/// Cuts at random points, besides those at every sync and every promise.
const RANDOM_CUTS: usize = 60;
/// The service is started again on one image in so many. (Coprime to the number of ways to keep writes, so that every
/// way gets its turn.)
const RESTARTS: usize = 7;
/// One cut in so many is made: without optimisation, an image takes a third of a second.
const ONE_IN: usize = if cfg!(debug_assertions) { 9 } else { 1 };
/// The environment variable that names the worker's folder.
const WORKER: &str = "RASADMIN_POWER_CUT";

/// `note` makes it another one. It is long, so that few records fill a segment.
fn configuration(durability: &str, note: u64) -> String {
    let mut text = format!(
        "default_domain = \"CORP\"\ndefault.action = \"allow\"\naddresses.pool = \"staff\"\n\
         journal.durability = \"{durability}\"\n[pools.staff]\naddresses = [\"10.8.0.1-10.8.0.9\"]\n"
    );
    (0..6000).for_each(|line| writeln!(text, "# note {note}, line {line}: {}", "-".repeat(80)).unwrap());
    text
}

/// The work that is watched: the service lives twice, and its configuration changes meanwhile.
fn work(folder: &Path, durability: &str) {
    let mut promises = std::fs::File::create(folder.join(PROMISES)).unwrap();
    let mut promised = |what: &str, handle: u64| promises.write_all(format!("{what} {handle}\n").as_bytes()).unwrap();
    let mut handle = 0;
    for life in 0..2 {
        let config = |note| support::config(folder, &configuration(durability, note));
        let recorder = Recorder::start(config(life), &Name::new("VPN1"), support::system());
        promised("begin", life);
        for _ in 0..SESSIONS {
            handle += 1;
            if handle % 5 == 0 {
                recorder.set_config(config(handle), support::system());
            }
            let (user, port) = (format!("user{}", handle % 7), "VPN2-1");
            let asked = support::address(&user, port, "");
            let given = support::ipv4(recorder.assign(&asked, support::system())).unwrap();
            let event = support::connection(handle, &user).with(|e| e.addresses = vec![support::number(&given)]);
            assert_eq!(recorder.accept_connection(&event, support::system()), Verdict::Accept);
            promised("accept", handle);
            let link = support::link(handle, port, Sstp);
            assert_eq!(recorder.accept_link(&link, support::system()), Verdict::Accept);
            recorder.link_hangup(&link, support::system());
            recorder.hangup(&event, support::system());
            promised("hangup", handle);
            recorder.release(&support::release(&user, port, &given), support::system());
        }
        promised("end", life);
        recorder.stop(support::system());
    }
}

/// Runs this test again as the worker, under strace; or is the worker.
fn watched(test: &str, durability: &str) -> Option<Vec<Event>> {
    if let Some(folder) = std::env::var_os(WORKER) {
        work(Path::new(&folder), durability);
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let events = trace::watch(test, WORKER, folder.path(), &[&folder.path().join("journal")]);
    Some(events.into_iter().map(|(_, event)| event).collect())
}

/// What was promised before a cut.
#[derive(Clone, Debug, Default)]
struct Promises {
    accepts: BTreeSet<u64>,
    hangups: BTreeSet<u64>,
}

/// The results of the cuts.
#[derive(Debug, Default)]
struct Outcome {
    cuts: usize,
    images: usize,
    /// Promises looked for, in all images together.
    looked_for: usize,
    /// Images on which a service was started again.
    restarts: usize,
    damaged: Vec<String>,
    lost: Vec<String>,
}

fn cut_everywhere(events: &[Event]) -> Outcome {
    let mut random = Random(7);
    let mut cuts: Vec<usize> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        match event {
            // Just before it.
            Event::Sync(_) | Event::NamesSync | Event::Renamed { .. } => cuts.push(index),
            Event::Promised(..) => cuts.push(index + 1),
            _ => {}
        }
    }
    cuts.extend((0..RANDOM_CUTS).map(|_| random.below(events.len())));
    cuts.sort_unstable();
    cuts.dedup();
    let cuts: Vec<usize> = cuts.into_iter().step_by(ONE_IN).collect();
    let (mut outcome, mut disk, mut promises) = (Outcome::default(), Disk::default(), Promises::default());
    let mut cuts = cuts.into_iter().peekable();
    for index in 0..=events.len() {
        if cuts.next_if_eq(&index).is_some() {
            // The ways take turns.
            for turn in 0..2 {
                let kept = Kept::ALL[(2 * outcome.cuts + turn) % Kept::ALL.len()];
                let cut = format!("cut {index}, {kept:?}");
                let folder = tempfile::tempdir().unwrap();
                let journal = folder.path().join("journal");
                std::fs::create_dir(&journal).unwrap();
                for (name, bytes) in disk.after_a_cut(kept, &mut random) {
                    std::fs::write(journal.join(name), bytes).unwrap();
                }
                outcome.images += 1;
                let before = look(&journal, &cut, &promises, &mut outcome);
                if outcome.images.is_multiple_of(RESTARTS) {
                    restart(folder.path(), &cut, &promises, &before, &mut outcome);
                }
            }
            outcome.cuts += 1;
        }
        match events.get(index) {
            None => break,
            Some(Event::Promised(what, handle)) if what == "accept" => drop(promises.accepts.insert(*handle)),
            Some(Event::Promised(what, handle)) if what == "hangup" => drop(promises.hangups.insert(*handle)),
            Some(event) => disk.happens(event),
        }
    }
    outcome
}

/// Returns the numbers and lengths of the records. Nothing that was promised may be missing, and a process that starts
/// from a checkpoint must have the state that all records make.
fn look(journal: &Path, cut: &str, promises: &Promises, outcome: &mut Outcome) -> Vec<(u64, usize)> {
    let (mut found, mut all, mut state, mut gaps) = (Promises::default(), Vec::new(), State::new(), 0);
    let follower = Follower::open(journal);
    let read = follower.and_then(|follower| {
        follower.map_or(Ok(()), |mut follower| {
            follower.read(|item| match item {
                Item::Record(record) => {
                    let record_ = rasadmin_recorder::decode(record.payload).unwrap().record;
                    match &record_.event {
                        EngineEvent::Connection(event) if record_.answer == Answer::Accept => {
                            found.accepts.insert(event.handle);
                        }
                        EngineEvent::Hangup(event) if record_.ended().count() == 1 => {
                            found.hangups.insert(event.handle);
                        }
                        _ => {}
                    }
                    state.apply(&record_);
                    all.push((record.number, record.payload.len()));
                }
                Item::Gap { .. } => gaps += 1,
            })
        })
    });
    if let Err(error) = read {
        outcome.damaged.push(format!("{cut}: {error}"));
    }
    outcome.looked_for += promises.accepts.len() + promises.hangups.len();
    for handle in promises.accepts.difference(&found.accepts) {
        outcome.lost.push(format!("{cut}: the accept of {handle}"));
    }
    for handle in promises.hangups.difference(&found.hangups) {
        outcome.lost.push(format!("{cut}: the hangup of {handle}"));
    }
    // A checkpoint may have what a gap replaces, or what is after a hole.
    let complete = |present: &present::Present| gaps == 0 && present.position.number <= state.number();
    match present::read(journal) {
        Ok(Some(present)) if complete(&present) && Checkpoint::of(&present.state) != Checkpoint::of(&state) => {
            outcome.damaged.push(format!("{cut}: the state is not the one that the records make"));
        }
        Ok(_) => {}
        Err(error) => outcome.damaged.push(format!("{cut}: {error}")),
    }
    all
}

/// Starts the service on what the cut left, which must close what was open and continue.
fn restart(folder: &Path, cut: &str, promises: &Promises, before: &[(u64, usize)], outcome: &mut Outcome) {
    outcome.restarts += 1;
    let config = support::config(folder, &configuration("process", 0));
    let journal = config.journal.clone();
    let recorder = Recorder::start(config, &Name::new("VPN1"), support::system());
    let open = recorder.look(|state| state.live_count() + state.leases().count());
    if open > 0 {
        outcome.damaged.push(format!("{cut}: {open} sessions and leases are open after a restart"));
    }
    let given = support::ipv4(recorder.assign(&support::address("user0", "VPN2-1", ""), support::system())).unwrap();
    let event = support::connection(99, "user0").with(|e| e.addresses = vec![support::number(&given)]);
    recorder.accept_connection(&event, support::system());
    if let Some(failure) = recorder.health(support::system()).failure {
        outcome.damaged.push(format!("{cut}: nothing can be recorded: {failure}"));
    }
    let memory = recorder.look(Checkpoint::of);
    let disk = present::read(&journal).unwrap().unwrap();
    if Checkpoint::of(&disk.state) != memory {
        outcome.damaged.push(format!("{cut}: another state is on disk than in memory after a restart"));
    }
    let after = look(&journal, &format!("{cut}, restarted"), promises, outcome);
    if !after.starts_with(before) {
        outcome.damaged.push(format!("{cut}: records that were found are gone after a restart"));
    }
    recorder.stop(support::system());
}

/// The number of syncs of segments with unsynced records, within each life.
fn syncs_of_records(events: &[Event]) -> u64 {
    let (mut counts, mut unsynced, mut syncs) = (false, BTreeSet::new(), 0);
    for event in events {
        match event {
            Event::Promised(what, _) => counts = what != "end" && (counts || what == "begin"),
            Event::Write { file, bytes, .. } if bytes.starts_with(b"RjRc") => drop(unsynced.insert(file)),
            Event::Sync(file) if unsynced.remove(file) => syncs += u64::from(counts),
            _ => {}
        }
    }
    syncs
}

#[test]
fn what_was_promised_survives_a_power_cut() {
    let Some(events) = watched("what_was_promised_survives_a_power_cut", "fsync") else { return };
    let outcome = cut_everywhere(&events);
    let syncs = syncs_of_records(&events);
    let Outcome { cuts, images, restarts, looked_for, lost, damaged } = outcome;
    println!(
        "{} sessions, {cuts} cuts, {images} images, {restarts} restarts: {looked_for} promises looked for, {} lost, {} images \
         damaged; {syncs} syncs of records",
        2 * SESSIONS,
        lost.len(),
        damaged.len(),
    );
    assert!(lost.is_empty() && damaged.is_empty(), "{:#?}", (&lost, &damaged));
    assert!(looked_for > 1_000, "too little was looked for: {looked_for}");
    let rolls = events.iter().filter(|event| matches!(event, Event::Made(name) if name.ends_with(".segment"))).count();
    let checkpoints = events.iter().filter(|event| matches!(event, Event::Renamed { .. })).count();
    assert!(rolls > 2 && checkpoints > 1, "{rolls} segments, {checkpoints} checkpoints");
    let of_sessions = 2 * 2 * SESSIONS;
    assert!((of_sessions..=of_sessions + rolls as u64).contains(&syncs), "two a session, not {syncs} in all");
}

#[test]
fn without_syncs_the_cut_shows_it() {
    let Some(events) = watched("without_syncs_the_cut_shows_it", "process") else { return };
    let outcome = cut_everywhere(&events);
    assert!(!outcome.lost.is_empty(), "nothing was lost without syncs: the check finds nothing");
    assert_eq!(syncs_of_records(&events), 0);
    // What is left is still consistent.
    assert!(outcome.damaged.is_empty(), "{:#?}", outcome.damaged);
}
