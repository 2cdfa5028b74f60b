//! The power is cut while records are ingested into the ledger. A process records sessions and ingests them under
//! strace. From what it wrote and synced, the folders of journal and ledger are rebuilt as the disk would have them if
//! the power had been cut at any point. Ingesting must then continue, and give the ledger that the journal implies.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../../rasadmin-recorder/tests/power_cut_support/disk.rs"]
mod disk;
mod support;
#[path = "../../rasadmin-recorder/tests/power_cut_support/trace.rs"]
mod trace;

use disk::{Disk, Kept, Random};
use rasadmin_engine::{Name, Tunnel::Sstp};
use rasadmin_journal::cursor;
use rasadmin_ledger::ingest::IngestSummary;
use rasadmin_ledger::report::Reader;
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_recorder::admin::AdminJournal;
use rasadmin_recorder::{Recorder, Verdict, present};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use support::rows::first_difference;
use support::{With, ask, dump, soon};
use trace::{Event, PROMISES};

/// The sessions in each life of the service.
const SESSIONS: u64 = 16;
/// Cuts at random points, in addition to those at every sync and every promise.
const RANDOM_CUTS: usize = 60;
/// The service is started again on one image in so many, and its records are ingested. (Coprime to the number of ways
/// to keep writes, so that every way gets its turn.)
const RESTARTS: usize = 7;
/// One cut in so many is made.
const ONE_IN: usize = if cfg!(debug_assertions) { 5 } else { 1 };
/// The environment variable that names the worker's folder.
const WORKER: &str = "RASADMIN_LEDGER_POWER_CUT";
/// The folders that are watched; events have their index.
const FOLDERS: [&str; 2] = ["journal", "ledger"];

const CONFIG: &str = r#"
    time_zone = "UTC"
    default_domain = "CORP"
    default.action = "allow"
    addresses.pool = "staff"
    [pools.staff]
    addresses = ["10.8.0.1-10.8.0.9"]
"#;

fn journal_in(folder: &Path) -> PathBuf {
    folder.join(FOLDERS[0])
}

fn ledger_in(folder: &Path) -> PathBuf {
    folder.join(FOLDERS[1]).join("rasadmin.db")
}

fn start(folder: &Path) -> Recorder {
    Recorder::start(support::config(folder, CONFIG), &Name::new("VPN1"), support::system())
}

/// A whole session; calls `step` after each of its six calls.
fn session(recorder: &Recorder, handle: u64, step: &mut dyn FnMut(usize)) {
    let (user, port) = (format!("user{}", handle % 7), "VPN2-1");
    let given = support::ipv4(recorder.assign(&support::address(&user, port, ""), support::system())).unwrap();
    step(0);
    let event = support::connection(handle, &user).with(|e| e.addresses = vec![support::number(&given)]);
    assert_eq!(recorder.accept_connection(&event, support::system()), Verdict::Accept);
    step(1);
    let link = support::link(handle, port, Sstp);
    assert_eq!(recorder.accept_link(&link, support::system()), Verdict::Accept);
    step(2);
    recorder.link_hangup(&link, support::system());
    step(3);
    recorder.hangup(&event, support::system());
    step(4);
    recorder.release(&support::release(&user, port, &given), support::system());
    step(5);
}

fn bring(ledger: &mut Sqlite, folder: &Path) -> IngestSummary {
    ledger.ingest(&journal_in(folder), &Name::new("VPN1"), &mut |_| {}).unwrap()
}

fn open(folder: &Path, durable: bool) -> Sqlite {
    Sqlite::open(&ledger_in(folder), Create::Yes, durable, soon()).unwrap()
}

/// The work that is watched: the service lives twice, and its records are ingested after every kind of call, whether it
/// syncs or not. In the second life the ledger is opened again each time, as commands do. `durable`: the ledger syncs.
fn work(folder: &Path, durable: bool) {
    let mut promises = std::fs::File::create(folder.join(PROMISES)).unwrap();
    let mut handle = 0;
    for life in 0..2 {
        let recorder = start(folder);
        let mut kept_open = (life == 0).then(|| open(folder, durable));
        for nth in 0..SESSIONS {
            handle += 1;
            session(&recorder, handle, &mut |step| {
                if step as u64 == handle % 6 {
                    let brought = match &mut kept_open {
                        Some(ledger) => bring(ledger, folder),
                        None => bring(&mut open(folder, durable), folder),
                    };
                    let line = format!("brought {}\n", brought.position.unwrap().number);
                    promises.write_all(line.as_bytes()).unwrap();
                }
            });
            if nth == SESSIONS / 2 {
                let config = support::config(folder, CONFIG);
                AdminJournal::open(&journal_in(folder), &config).unwrap().unwrap().seal().unwrap();
            }
        }
        recorder.stop(support::system());
    }
}

/// Runs this test again as the worker, under strace; or is the worker.
fn watched(test: &str, durable: bool) -> Option<Vec<(usize, Event)>> {
    if let Some(folder) = std::env::var_os(WORKER) {
        work(Path::new(&folder), durable);
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let folders = FOLDERS.map(|name| folder.path().join(name));
    Some(trace::watch(test, WORKER, folder.path(), &[&folders[0], &folders[1]]))
}

/// Writes the folders as a cut leaves them.
fn image(disks: &[Disk; 2], kept: Kept, random: &mut Random) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (disk, name) in disks.iter().zip(FOLDERS) {
        write(disk, &folder.path().join(name), kept, random);
    }
    folder
}

fn write(disk: &Disk, to: &Path, kept: Kept, random: &mut Random) {
    std::fs::create_dir(to).unwrap();
    for (name, bytes) in disk.after_a_cut(kept, random) {
        std::fs::write(to.join(name), bytes).unwrap();
    }
}

/// The number of the last record that a ledger has.
fn position(ledger: &Path) -> u64 {
    let brought = Reader::open(ledger).unwrap().journal_cursors().unwrap();
    brought.iter().filter_map(|brought| brought.position).map(|position| position.number).max().unwrap_or(0)
}

/// The results of the cuts.
#[derive(Debug, Default)]
struct Outcome {
    cuts: usize,
    images: usize,
    restarts: usize,
    /// Images whose ledger lacked records of the journal, and got them.
    went_on: usize,
    wrong: Vec<String>,
}

/// Continues ingesting after a cut. `promised` is the last record that was reported to be in the ledger.
fn go_on(folder: &Path, cut: &str, promised: u64, outcome: &mut Outcome) {
    let (journal, ledger) = (journal_in(folder), ledger_in(folder));
    let mut wrong = |what: String| outcome.wrong.push(format!("{cut}: {what}"));
    let mut opened = open(folder, false);
    let had = position(&ledger);
    if had < promised {
        wrong(format!("record {promised} was in the ledger, and its cursor is at {had}"));
    }
    for cursor in cursor::list(&journal).unwrap() {
        // Else segments would go whose records the ledger does not have.
        if cursor.position.is_some_and(|position| position.number > had) {
            wrong(format!("the ledger has {had} records, and tells the journal {:?}", cursor.position));
        }
    }
    let brought = bring(&mut opened, folder);
    if brought.reread {
        wrong("the ledger has records that the journal lost".into());
    }
    outcome.went_on += usize::from(brought.records > 0);
    let faults = Reader::open(&ledger).unwrap().faults().unwrap();
    if !faults.is_empty() {
        outcome.wrong.push(format!("{cut}: {faults:?}"));
    }
    let anew = folder.join("anew.db");
    let _ = std::fs::remove_file(&anew);
    let mut new = Sqlite::open(&anew, Create::Yes, false, soon()).unwrap();
    bring(&mut new, folder);
    if let Some(difference) = first_difference(&dump(&ledger), &dump(&anew)) {
        outcome.wrong.push(format!("{cut}: a ledger that is made anew has other rows: {difference}"));
    }
}

/// Starts the service again after a cut: its records take the numbers of the lost ones.
fn restart(folder: &Path) {
    let recorder = start(folder);
    (900..903).for_each(|handle| session(&recorder, handle, &mut |_| ()));
    recorder.stop(support::system());
}

/// Where the power is cut: before each sync, after each promise, and at random points.
fn cuts(events: &[(usize, Event)], random: &mut Random) -> BTreeSet<usize> {
    let at = |(index, (_, event)): (usize, &(usize, Event))| match event {
        Event::Sync(_) | Event::NamesSync | Event::Renamed { .. } | Event::Removed(_) => Some(index),
        Event::Promised(..) => Some(index + 1),
        _ => None,
    };
    let mut cuts: Vec<usize> = events.iter().enumerate().filter_map(at).collect();
    cuts.extend((0..RANDOM_CUTS).map(|_| random.below(events.len())));
    cuts.sort_unstable();
    cuts.into_iter().step_by(ONE_IN).collect()
}

fn cut_everywhere(events: &[(usize, Event)]) -> Outcome {
    let mut random = Random(11);
    let cuts = cuts(events, &mut random);
    let (mut outcome, mut disks, mut promised) = (Outcome::default(), [Disk::default(), Disk::default()], 0);
    for index in 0..=events.len() {
        if cuts.contains(&index) {
            // The ways take turns.
            for turn in 0..2 {
                let kept = Kept::ALL[(2 * outcome.cuts + turn) % Kept::ALL.len()];
                let folder = image(&disks, kept, &mut random);
                outcome.images += 1;
                let cut = format!("cut {index}, {kept:?}");
                go_on(folder.path(), &cut, promised, &mut outcome);
                if outcome.images.is_multiple_of(RESTARTS) {
                    outcome.restarts += 1;
                    restart(folder.path());
                    go_on(folder.path(), &format!("{cut}, restarted"), promised, &mut outcome);
                }
            }
            outcome.cuts += 1;
        }
        match events.get(index) {
            Some((_, Event::Promised(what, number))) if what == "brought" => promised = *number,
            Some((folder, event)) => disks[*folder].happens(event),
            None => {}
        }
    }
    outcome
}

/// The number of syncs of journal and ledger.
fn syncs(events: &[(usize, Event)]) -> [usize; 2] {
    let of = |of| events.iter().filter(|(at, event)| *at == of && matches!(event, Event::Sync(_))).count();
    [of(0), of(1)]
}

#[test]
fn bringing_in_goes_on_after_a_power_cut() {
    let Some(events) = watched("bringing_in_goes_on_after_a_power_cut", true) else { return };
    let [of_journal, of_ledger] = syncs(&events);
    let Outcome { cuts, images, restarts, went_on, wrong } = cut_everywhere(&events);
    println!(
        "{} sessions, {of_journal} syncs of the journal, {of_ledger} of the ledger: {cuts} cuts, {images} images, {restarts} \
         restarts; on {went_on} the ledger lacked records; {} wrong",
        2 * SESSIONS,
        wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(went_on > images / 10 && restarts > 3, "too little happened: {went_on} of {images}, {restarts}");
    assert!(of_journal > 50 && of_ledger > 30, "{of_journal} {of_ledger}");
}

#[test]
fn without_syncs_of_the_ledger_the_cut_shows_it() {
    let Some(events) = watched("without_syncs_of_the_ledger_the_cut_shows_it", false) else { return };
    let wrong = cut_everywhere(&events).wrong;
    let of = |text: &str| wrong.iter().filter(|what| what.contains(text)).count();
    let (promised, told) = (of("was in the ledger"), of("tells the journal"));
    assert!(promised > 0 && told > 0, "without syncs {promised} promises were broken, and {told} cursors were ahead");
    // What is left still fits together.
    assert_eq!(wrong.len(), promised + told, "{wrong:#?}");
}

/// The columns in which both ledgers must agree about what the journal has. Not the row numbers, because one ledger has
/// more rows; and not what only lost records say, such as that a connection took a lease or a session had a link.
const SHARED: [&str; 5] = [
    "SELECT acct_session_id, domain, name, user_name, handle, framed_ip_address, acct_start_time, acct_stop_time,
         acct_session_time, acct_input_octets, acct_output_octets, closed_by FROM sessions",
    "SELECT lease, address, domain, name, port, origin, pool, began, ended, ended_by FROM leases",
    "SELECT session, day, domain, name, seconds, input_octets, output_octets FROM use",
    "SELECT record, time, stage, domain, name, outcome, rule, config FROM decisions",
    "SELECT token, started FROM instances",
];

fn shared(ledger: &Path) -> BTreeSet<String> {
    let lines = |sql: &&str| ask(ledger, sql).split("; ").map(str::to_owned).collect::<Vec<_>>();
    SHARED.iter().flat_map(lines).collect()
}

/// A disk that loses synced data, or a restored journal: the journal is behind the ledger.
#[test]
fn records_that_the_ledger_has_and_the_journal_lost_are_noticed() {
    let Some(events) = watched("records_that_the_ledger_has_and_the_journal_lost_are_noticed", true) else { return };
    let mut random = Random(13);
    let all = events.len();
    let (mut noticed, mut whole) = (0, 0);
    // The journal is as it was at the first, the ledger as at the second.
    for turn in 0..24 {
        let of_ledger = all / 3 + random.below(all - all / 3);
        let of_journal = of_ledger - random.below(all / 6);
        let mut disks = [Disk::default(), Disk::default()];
        for (folder, event) in &events[..of_ledger] {
            disks[*folder].happens(event);
        }
        let mut behind = Disk::default();
        events[..of_journal].iter().filter(|(folder, _)| *folder == 0).for_each(|(_, event)| behind.happens(event));
        disks[0] = behind;
        let folder = image(&disks, Kept::Everything, &mut random);
        let folder = folder.path();
        let case = format!("the ledger as after {of_ledger} of {all} events, the journal as after {of_journal}");
        let had = position(&ledger_in(folder));
        let state = present::read(&journal_in(folder)).unwrap().unwrap().state;
        let lost = had > state.number();
        // Either at once, or when other records have taken the numbers.
        let mut brought = IngestSummary::default();
        if turn % 2 == 0 {
            brought = bring(&mut open(folder, false), folder);
        }
        restart(folder);
        let after = bring(&mut open(folder, false), folder);
        assert_eq!(brought.reread || after.reread, lost, "{case}: {had} of {}", state.number());
        let ledger = ledger_in(folder);
        let noted =
            "SELECT count(*) FROM anomalies WHERE what = 'records that the ledger has are missing in the journal'";
        assert_eq!(ask(&ledger, noted), if lost { "1" } else { "0" }, "{case}");
        let reader = Reader::open(&ledger).unwrap();
        assert_eq!(reader.faults().unwrap(), Vec::<String>::new(), "{case}");
        let now = present::read(&journal_in(folder)).unwrap().unwrap().state;
        assert_eq!(reader.differences(&now).unwrap(), Vec::<String>::new(), "{case}");
        let anew = folder.join("anew.db");
        bring(&mut Sqlite::open(&anew, Create::Yes, false, soon()).unwrap(), folder);
        let (there, must) = (shared(&ledger), shared(&anew));
        let lacks: Vec<_> = must.difference(&there).collect();
        assert!(lacks.is_empty(), "{case}: {lacks:#?}");
        assert!(!bring(&mut open(folder, false), folder).reread, "{case}: once is enough");
        noticed += usize::from(lost);
        whole += usize::from(!lost);
    }
    println!("{noticed} journals that had lost records of the ledger were noticed, {whole} had lost none");
    assert!(noticed > 5, "{noticed} of 24 journals had lost records");
}
