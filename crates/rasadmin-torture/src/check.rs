//! Checks journal and ledger after a kill: everything that was acknowledged is there, nothing is there twice, and
//! nothing stays open forever.

mod acknowledged;
mod effects;
mod ledger;

use crate::background::{self, Raw, Reading};
use crate::call_log::CallEntry;
use crate::paths::journal_in;
use crate::plan::Kill;
use mprapi::FunctionId as F;
use rasadmin_engine::addresses::{Address, Family};
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::{Event, Id, Record, State};
use rasadmin_journal::Position;
use rasadmin_recorder::present::{self, Missing};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

/// What was found wrong.
#[derive(Debug, Default)]
pub struct Findings {
    /// Acknowledged, but not recorded.
    pub lost: Vec<String>,
    /// An address that two users held at once, or something that was recorded or counted twice.
    pub double: Vec<String>,
    /// A session, a lease or an address that never becomes free.
    pub leaked: Vec<String>,
    /// Anything else: a damaged file, a wrong answer.
    pub broken: Vec<String>,
}

impl Findings {
    /// Is nothing wrong?
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.double.is_empty() && self.leaked.is_empty() && self.broken.is_empty()
    }

    /// All findings, each with its kind.
    pub fn lines(&self) -> Vec<String> {
        let kinds =
            [("lost", &self.lost), ("double", &self.double), ("leaked", &self.leaked), ("broken", &self.broken)];
        kinds.iter().flat_map(|(kind, all)| all.iter().map(move |line| format!("{kind}: {line}"))).collect()
    }
}

/// How much was checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckCounts {
    /// Records.
    pub records: usize,
    /// Acknowledged accepts.
    pub accepts: usize,
    /// Acknowledged hangups.
    pub hangups: usize,
    /// Acknowledged addresses.
    pub addresses: usize,
    /// Sessions that a later start closed.
    pub closed: usize,
    /// Records of calls that were killed before they answered.
    pub unanswered: usize,
    /// Calls that were answered from memory and recorded later.
    pub late: usize,
    /// Acknowledged events of commands.
    pub commands: usize,
    /// Sessions that were looked up in the ledger: all of them after each round.
    pub rows: usize,
    /// Ledgers that were compared row by row with one made from the whole journal.
    pub ledgers: usize,
}

impl CheckCounts {
    /// Adds up both.
    pub fn add(&mut self, more: Self) {
        self.records += more.records;
        self.accepts += more.accepts;
        self.hangups += more.hangups;
        self.addresses += more.addresses;
        self.closed += more.closed;
        self.unanswered += more.unanswered;
        self.late += more.late;
        self.commands += more.commands;
        self.rows += more.rows;
        self.ledgers += more.ledgers;
    }
}

/// What earlier rounds left. Later records belong to this round.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// The last record.
    pub position: Option<Position>,
    /// The state after all records.
    state: State,
    /// The lease that holds each address, from the effects alone.
    held: HashMap<Address, Id>,
    /// What the ledger must contain.
    sessions: ledger::KnownSessions,
}

impl Before {
    /// Was anything recorded?
    pub fn has_begun(&self) -> bool {
        self.state.instance().is_some()
    }
}

/// Could the journal be used?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal {
    /// Yes.
    Available,
    /// Another process had its lock when the calls began, so they were answered from memory. What waits in memory is
    /// written at the end, unless the process is killed before.
    Unavailable,
}

/// What is known about a round besides the journal.
#[derive(Debug)]
pub struct Round<'a> {
    /// What ended the worker, if anything did.
    pub kill: Kill,
    /// Was the worker or its address process killed?
    pub killed: bool,
    /// Did the worker have two processes?
    pub two_processes: bool,
    /// Could it write the journal?
    pub was: Journal,
    /// The log of its calls.
    pub calls: &'a [CallEntry],
    /// What a follower has read meanwhile.
    pub followed: &'a [Raw],
    /// What commands acknowledged meanwhile.
    pub commands: &'a [Id],
    /// Read the journal from its beginning too?
    pub whole: bool,
    /// Compare the ledger with a newly made one?
    pub ledger_anew: bool,
}

struct Check<'a> {
    round: &'a Round<'a>,
    found: &'a mut Findings,
    seen: CheckCounts,
    /// Connections that a command closed: RRAS's later reports about them are out of order.
    closed_by_command: HashSet<u64>,
    /// Sessions whose clients came back in others before they ended.
    left_behind: HashSet<Id>,
    /// Leases that ended with them: address and port.
    ended_by_command: HashSet<(Family, u64, String)>,
}

/// Checks the journal after a round, while no process uses it. `spoil` can change the records that were read.
pub fn round(
    folder: &Path,
    round: &Round<'_>,
    before: &mut Before,
    spoil: &dyn Fn(&mut Vec<Record>),
    found: &mut Findings,
) -> Result<CheckCounts, String> {
    let begun = round.calls.iter().any(|entry| matches!(entry, CallEntry::Returned(F::InitializeDllEx, _)));
    let read = match background::read(folder, before.position.as_ref()) {
        Ok(read) => read,
        Err(what) => {
            found.broken.push(what);
            return Ok(CheckCounts::default());
        }
    };
    let Some(Reading { records: raw, position }) = read else {
        if begun {
            found.lost.push("the journal itself".into());
        }
        return Ok(CheckCounts::default());
    };
    if raw != round.followed {
        let both = raw.len().min(round.followed.len());
        let differs = (0..both).find(|&at| raw[at] != round.followed[at]).unwrap_or(both);
        let (there, followed) = (raw.len(), round.followed.len());
        found.broken.push(format!(
            "the follower read {followed} records, and {there} are there; they differ from the {differs}th on"
        ));
    }
    let seen = CheckCounts { records: raw.len(), ..CheckCounts::default() };
    let (closed_by_command, left_behind, ended_by_command) = Default::default();
    let mut check = Check { round, found, seen, closed_by_command, left_behind, ended_by_command };
    let mut records = check.decoded(&raw, before.position.map_or(0, |position| position.number));
    spoil(&mut records);
    let begin = check.carry_out(&records, before);
    check.state_on_disk(folder, &before.state);
    if round.whole {
        check.read_from_the_beginning(folder, &before.state)?;
    }
    check.commands(&records);
    // What waits in memory is lost with its process, including the start of the instance.
    let may_lack = round.was == Journal::Unavailable && round.killed;
    match begin {
        0 if begun && !may_lack => {
            check.found.broken.push("the worker joined an instance whose processes are dead".into());
        }
        0 => {}
        _ => {
            let truth = check.acknowledged(&records);
            // If neither of two processes could write, the second can write after the first has ended, and its instance
            // with it.
            if begin == 1 || round.was == Journal::Available {
                check.what_is_left(&truth, &before.state);
            }
        }
    }
    check.ledger(folder, &records, before);
    before.position = Some(position);
    Ok(check.seen)
}

impl Check<'_> {
    /// Decodes the records, which must be numbered without gaps.
    fn decoded(&mut self, raw: &[Raw], before: u64) -> Vec<Record> {
        let mut records = Vec::new();
        for ((number, payload), expected) in raw.iter().zip(before + 1..) {
            if *number != expected {
                self.found.broken.push(format!("record {number} stands where {expected} should"));
            }
            match rasadmin_recorder::decode(payload) {
                Ok(decoded) if decoded.unknown == 0 => {
                    records.push(decoded.record);
                }
                other => self.found.broken.push(format!("record {number} cannot be read: {other:?}")),
            }
        }
        records
    }

    /// A start from the newest checkpoint and the records after it must give the same state.
    fn state_on_disk(&mut self, folder: &Path, state: &State) {
        let fault = match present::read(&journal_in(folder)) {
            Ok(Some(read)) if read.missing != Missing::default() || !read.notices.is_empty() => {
                Some(format!("{:?} {:?}", read.missing, read.notices))
            }
            Ok(Some(read)) => rasadmin_model::first_difference(&Checkpoint::of(&read.state), &Checkpoint::of(state)),
            Ok(None) => Some("there is none".to_owned()),
            Err(e) => Some(e.to_string()),
        };
        if let Some(fault) = fault {
            self.found.broken.push(format!("the state on disk is not what the records make: {fault}"));
        }
    }

    /// Reading all records must give the same state too.
    fn read_from_the_beginning(&mut self, folder: &Path, state: &State) -> Result<(), String> {
        let Some(Reading { records, .. }) = background::read(folder, None)? else { return Ok(()) };
        let mut all = State::new();
        let records = self.decoded(&records, 0);
        records.iter().for_each(|record| all.apply(record));
        if let Some(difference) = rasadmin_model::first_difference(&Checkpoint::of(&all), &Checkpoint::of(state)) {
            self.found.broken.push(format!("all records make another state: {difference}"));
        }
        Ok(())
    }

    /// What commands acknowledged must be there, and nothing else of theirs, because they are not killed.
    fn commands(&mut self, records: &[Record]) {
        let of_commands = |event: &Event| matches!(event, Event::BeginBlock(_) | Event::CloseSession { .. });
        let there: BTreeSet<Id> =
            records.iter().filter(|record| of_commands(&record.event)).map(|record| record.id).collect();
        let acknowledged: BTreeSet<Id> = self.round.commands.iter().copied().collect();
        let missing = acknowledged.difference(&there).count();
        if missing > 0 {
            self.found.lost.push(format!("{missing} events of commands"));
        }
        let more = there.difference(&acknowledged).count();
        if more > 0 {
            self.found.double.push(format!("{more} events of commands that no command acknowledged"));
        }
        self.seen.commands = acknowledged.len();
    }
}
