//! Checks the checker: what a kill left is spoilt on purpose in many ways, and each must be found.

use crate::background::{self, Raw};
use crate::call_log::{CallEntry, CallResult};
use crate::check::{self, Before, CheckCounts, Findings, Journal, Round};
use crate::paths::{journal_in, ledger_in};
use crate::plan::{Kill, KillPoint};
use crate::rounds::{self, Torture};
use mprapi::FunctionId as F;
use rasadmin_engine::{Effect, Event, Id, Record};
use std::path::Path;

/// A list of findings.
type FindingsList = fn(&Findings) -> &Vec<String>;

/// What to spoil.
enum Spoil {
    /// The records that were read, or their effects.
    Records(fn(&mut Vec<Record>)),
    /// What is known about the round.
    Calls(fn(&mut RoundData)),
    /// A copy of the journal's files, which is then checked.
    Files(fn(&Path, &RoundData) -> Result<(), String>),
    /// A copy of the ledger.
    Ledger(&'static str),
}

/// What is known about the round besides the journal.
#[derive(Clone)]
struct RoundData {
    calls: Vec<CallEntry>,
    followed: Vec<Raw>,
    commands: Vec<Id>,
}

/// What is spoilt, and the list in which it must appear.
const SPOILT: [(&str, Spoil, FindingsList); 32] = [
    ("the last acknowledged record is cut off", Spoil::Files(erase_last), |found| &found.lost),
    ("a record in the middle is damaged", Spoil::Files(damage), |found| &found.lost),
    ("the last record is there, and the checksum of its frame is not", Spoil::Files(tear), |found| &found.lost),
    ("a record is missing", Spoil::Records(|all| drop(all.remove(last(all, is_accept)))), |found| &found.lost),
    ("a record is there twice", Spoil::Records(|all| duplicate_last(all, is_accept)), |found| &found.double),
    ("there is a record of no call", Spoil::Records(append_copy_of_last), |found| &found.double),
    (
        "an accept has begun no session",
        Spoil::Records(|all| without(all, |e| matches!(e, Effect::SessionBegan(_)))),
        |found| &found.lost,
    ),
    (
        "a hangup has ended nothing",
        Spoil::Records(|all| without(all, |e| matches!(e, Effect::SessionEnded(_)))),
        |found| &found.lost,
    ),
    (
        "a release has ended nothing",
        Spoil::Records(|all| without(all, |e| matches!(e, Effect::LeaseEnded { .. }))),
        |found| &found.lost,
    ),
    ("a link has not begun", Spoil::Records(|all| without(all, |e| matches!(e, Effect::LinkBegan(_)))), |found| {
        &found.lost
    }),
    ("a hangup is billed twice", Spoil::Records(|all| billed_twice(all)), |found| &found.double),
    ("an address has two leases", Spoil::Records(|all| given_twice(all)), |found| &found.double),
    ("what a dead service left lives on", Spoil::Records(|all| lives_on(all)), |found| &found.leaked),
    ("an address was refused", Spoil::Calls(refused), |found| &found.leaked),
    ("an answer was another one", Spoil::Calls(answered_otherwise), |found| &found.lost),
    ("the follower missed a record", Spoil::Calls(|known| drop(known.followed.pop())), |found| &found.broken),
    ("a command's event is missing", Spoil::Calls(|known| known.commands.push(Id(7))), |found| &found.lost),
    (
        "the ledger lacks a session",
        Spoil::Ledger("DELETE FROM sessions WHERE id = (SELECT max(id) FROM sessions WHERE closed_by = 'hangup')"),
        |found| &found.lost,
    ),
    (
        "the ledger has a session twice",
        Spoil::Ledger(
            "INSERT INTO sessions (acct_session_id, instance, nas_identifier, user_name, handle, remote_computer,
                 calling_station_id, interface_type, quarantine, acct_start_time, acct_stop_time)
             SELECT 'x' || acct_session_id, instance, nas_identifier, user_name, handle, remote_computer,
                 calling_station_id, interface_type, quarantine, acct_start_time, acct_stop_time
             FROM sessions WHERE closed_by = 'hangup' LIMIT 1",
        ),
        |found| &found.double,
    ),
    (
        "the ledger has another user",
        Spoil::Ledger("UPDATE sessions SET user_name = 'CORP\\nobody' WHERE id = (SELECT max(id) FROM sessions)"),
        |found| &found.lost,
    ),
    (
        "the ledger has another IPv4 address",
        Spoil::Ledger("UPDATE sessions SET framed_ip_address = '10.8.0.99' WHERE id = (SELECT min(id) FROM sessions)"),
        |found| &found.lost,
    ),
    (
        "the ledger has another IPv6 address",
        Spoil::Ledger("UPDATE sessions SET framed_interface_id = '::99' WHERE id = (SELECT max(id) FROM sessions)"),
        |found| &found.lost,
    ),
    (
        "the ledger has another beginning",
        Spoil::Ledger("UPDATE sessions SET acct_start_time = acct_start_time - 1 WHERE id = 1"),
        |found| &found.lost,
    ),
    (
        "the ledger has another end",
        Spoil::Ledger("UPDATE sessions SET acct_stop_time = acct_stop_time + 1 WHERE closed_by = 'hangup'"),
        |found| &found.lost,
    ),
    (
        "the ledger counts a hangup's octets twice",
        Spoil::Ledger("UPDATE sessions SET acct_input_octets = 2 * acct_input_octets WHERE closed_by = 'hangup'"),
        |found| &found.lost,
    ),
    (
        "the ledger counts seconds that nobody was connected",
        Spoil::Ledger("UPDATE sessions SET acct_session_time = acct_session_time + 60 WHERE closed_by = 'hangup'"),
        |found| &found.lost,
    ),
    (
        "a session that has ended lives on in the ledger",
        Spoil::Ledger("UPDATE sessions SET acct_stop_time = NULL WHERE closed_by = 'instance ended'"),
        |found| &found.leaked,
    ),
    (
        "a lease that has ended lives on in the ledger",
        Spoil::Ledger(
            "UPDATE leases SET ended = NULL WHERE id = (SELECT max(id) FROM leases WHERE ended_by = 'release')",
        ),
        |found| &found.leaked,
    ),
    (
        "the ledger lacks a live lease",
        Spoil::Ledger("DELETE FROM leases WHERE id = (SELECT max(id) FROM leases WHERE ended IS NULL)"),
        |found| &found.leaked,
    ),
    (
        "the ledger lacks a decision",
        Spoil::Ledger("DELETE FROM decisions WHERE id = (SELECT max(id) FROM decisions)"),
        |found| &found.broken,
    ),
    (
        "the ledger has used up what nobody has used",
        Spoil::Ledger("UPDATE use SET input_octets = input_octets + 1"),
        |found| &found.broken,
    ),
    ("the ledger's cursor is not where it was", Spoil::Ledger("UPDATE journals SET number = number - 1"), |found| {
        &found.broken
    }),
];

/// Spoils a journal in every way. Returns what was found.
pub fn run(torture: &Torture) -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    rounds::configure(folder.path(), Journal::Available)?;
    // The second service has closed what the first one left open.
    let kill = Kill::At { at: KillPoint::After, function: F::ReleaseIpAddress, call: 12, time: 1 };
    let mut before = Before::default();
    let mut found = Findings::default();
    let look = |folder: &Path,
                known: &RoundData,
                before: &mut Before,
                spoil: &dyn Fn(&mut Vec<Record>),
                found: &mut Findings| {
        let RoundData { calls, followed, commands } = known;
        let (was, two_processes) = (Journal::Available, false);
        let round =
            Round { kill, killed: true, two_processes, was, calls, followed, commands, whole: true, ledger_anew: true };
        check::round(folder, &round, before, spoil, found)
    };
    let play = |seed, before: &Before| -> Result<RoundData, String> {
        let follower = background::follow(folder.path(), before.position);
        let killed = rounds::worker(torture, folder.path(), kill, seed, 400, "one");
        let followed = follower.end()?;
        if !killed? {
            return Err("the control's workers were not killed".into());
        }
        Ok(RoundData { calls: rounds::read_call_log(folder.path()), followed, commands: Vec::new() })
    };
    let known = play(1, &before)?;
    look(folder.path(), &known, &mut before, &|_| (), &mut found)?;
    let known = play(2, &before)?;
    let mut report = String::new();
    for (what, spoil, kind) in &SPOILT {
        let mut found = Findings::default();
        spoilt(folder.path(), &known, spoil, &mut |folder, known, spoil| {
            look(folder, known, &mut before.clone(), spoil, &mut found)
        })?;
        let Some(line) = kind(&found).first() else {
            return Err(format!("{what}, and the check does not see it: {:?}", found.lines()));
        };
        report += &format!("{what}: found ({line})\n");
    }
    look(folder.path(), &known, &mut before, &|_| (), &mut found)?;
    if !found.is_empty() {
        return Err(format!("nothing is spoilt, and yet: {:?}", found.lines()));
    }
    Ok(report + &format!("control: {} ways to spoil journal and ledger, all found\n", SPOILT.len()))
}

type Look<'a> = &'a mut dyn FnMut(&Path, &RoundData, &dyn Fn(&mut Vec<Record>)) -> Result<CheckCounts, String>;

fn spoilt(folder: &Path, known: &RoundData, spoil: &Spoil, look: Look<'_>) -> Result<CheckCounts, String> {
    match spoil {
        Spoil::Records(change) => look(folder, known, &|records| change(records)),
        Spoil::Calls(change) => {
            let mut known = known.clone();
            change(&mut known);
            look(folder, &known, &|_| ())
        }
        Spoil::Files(change) => {
            let copy = copied(folder)?;
            change(&journal_in(copy.path()), known)?;
            look(copy.path(), known, &|_| ())
        }
        Spoil::Ledger(sql) => {
            let copy = copied(folder)?;
            let ledger = rusqlite::Connection::open(ledger_in(copy.path()));
            match ledger.and_then(|ledger| ledger.execute(sql, [])).map_err(|e| format!("{sql}: {e}"))? {
                0 => Err(format!("{sql}: the ledger has no such row")),
                _ => look(copy.path(), known, &|_| ()),
            }
        }
    }
}

/// Copies journal and ledger.
fn copied(folder: &Path) -> Result<tempfile::TempDir, String> {
    let copy = tempfile::tempdir().map_err(|e| e.to_string())?;
    let files = |from: &Path, to: &Path| -> std::io::Result<()> {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)?.collect::<Result<Vec<_>, _>>()? {
            if entry.file_type()?.is_file() {
                std::fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
        }
        Ok(())
    };
    files(folder, copy.path()).map_err(|e| e.to_string())?;
    files(&journal_in(folder), &journal_in(copy.path())).map_err(|e| e.to_string())?;
    Ok(copy)
}

/// Changes the frame of a record. `change` gets the bytes from the frame's beginning to the segment's end.
fn in_file(journal: &Path, record: &[u8], change: impl Fn(&mut [u8])) -> Result<(), String> {
    /// The bytes in a frame before the payload.
    const HEAD: usize = 24;
    for entry in std::fs::read_dir(journal).map_err(|e| e.to_string())? {
        let path = entry.map_err(|e| e.to_string())?.path();
        let mut bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        if let Some(at) = bytes.windows(record.len()).position(|window| window == record) {
            change(&mut bytes[at - HEAD..]);
            return std::fs::write(&path, bytes).map_err(|e| format!("{}: {e}", path.display()));
        }
    }
    Err("the record stands in no segment".into())
}

fn last_payload(known: &RoundData) -> Result<&[u8], String> {
    known.followed.last().map(|(_, payload)| &payload[..]).ok_or_else(|| "nothing was recorded".into())
}

fn erase_last(journal: &Path, known: &RoundData) -> Result<(), String> {
    in_file(journal, last_payload(known)?, |frame| frame.fill(0))
}

fn tear(journal: &Path, known: &RoundData) -> Result<(), String> {
    in_file(journal, last_payload(known)?, |frame| frame[8] ^= 1)
}

fn damage(journal: &Path, known: &RoundData) -> Result<(), String> {
    let (_, payload) = &known.followed[known.followed.len() / 2];
    in_file(journal, payload, |frame| frame[40] ^= 1)
}

fn is_accept(record: &Record) -> bool {
    matches!(record.event, Event::Connection(_))
}

/// The index of the last such record.
fn last(records: &[Record], is: fn(&Record) -> bool) -> usize {
    records.iter().rposition(is).unwrap_or(0)
}

fn duplicate_last(records: &mut Vec<Record>, is: fn(&Record) -> bool) {
    let at = last(records, is);
    records.insert(at, records[at].clone());
}

fn append_copy_of_last(records: &mut Vec<Record>) {
    records.extend(records.last().cloned());
}

/// Removes the last such effect.
fn without(records: &mut [Record], is: fn(&Effect) -> bool) {
    if let Some(record) = records.iter_mut().rev().find(|record| record.effects.iter().any(is)) {
        record.effects.retain(|effect| !is(effect));
    }
}

fn billed_twice(records: &mut [Record]) {
    let days = records.iter_mut().rev().flat_map(|record| &mut record.effects).find_map(|effect| match effect {
        Effect::Used { days, .. } => Some(days),
        _ => None,
    });
    for day in days.into_iter().flatten() {
        (day.seconds, day.input_octets) = (2 * day.seconds + 1, 2 * day.input_octets);
    }
}

/// Assigns an address that is not released once more.
fn given_twice(records: &mut [Record]) {
    let effects = || records.iter().flat_map(|record| &record.effects);
    let ends = |id: Id| effects().any(|effect| matches!(effect, Effect::LeaseEnded { lease, .. } if *lease == id));
    let leases =
        || effects().filter_map(|effect| if let Effect::LeaseBegan(lease) = effect { Some(lease) } else { None });
    let held = leases().find(|lease| !ends(lease.lease)).map(|lease| (lease.lease, lease.address));
    let Some((held, address)) = held else { return };
    let mut later = records.iter_mut().flat_map(|record| &mut record.effects).filter_map(|effect| match effect {
        Effect::LeaseBegan(lease) if lease.address.family == address.family => Some(lease),
        _ => None,
    });
    later.find(|lease| lease.lease == held);
    if let Some(next) = later.next() {
        next.address = address;
    }
}

fn lives_on(records: &mut [Record]) {
    for record in records.iter_mut() {
        record.effects.retain(|effect| !matches!(effect, Effect::InstanceBegan(_)));
    }
}

fn refused(known: &mut RoundData) {
    known.calls.push(CallEntry::Returned(F::GetIpAddressForUser, CallResult { result: 1, ..CallResult::default() }));
}

fn answered_otherwise(known: &mut RoundData) {
    let address = known.calls.iter_mut().rev().find_map(|note| match note {
        CallEntry::Returned(F::GetIpAddressForUser, done) => Some(done),
        _ => None,
    });
    if let Some(done) = address {
        done.number += 1;
    }
}
