//! What must be on record after a kill, in the journal and in the ledger: all that was acknowledged, nothing twice, nothing
//! that never ends.

mod acknowledged;
mod effects;
mod ledger;

use crate::background::{self, Raw, Reading, journal_in};
use crate::call_log::CallEntry;
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
    /// Acknowledged, and not on record.
    pub lost: Vec<String>,
    /// An address that two held at once, or what was recorded or counted twice.
    pub double: Vec<String>,
    /// What never ends: a session, a lease, an address that does not come back.
    pub leaked: Vec<String>,
    /// Anything else: a damaged file, an answer that should not be.
    pub broken: Vec<String>,
}

impl Findings {
    /// Is all well?
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.double.is_empty() && self.leaked.is_empty() && self.broken.is_empty()
    }

    /// Every line, with its kind.
    pub fn lines(&self) -> Vec<String> {
        let kinds =
            [("lost", &self.lost), ("double", &self.double), ("leaked", &self.leaked), ("broken", &self.broken)];
        kinds.iter().flat_map(|(kind, all)| all.iter().map(move |line| format!("{kind}: {line}"))).collect()
    }
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
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
    /// Records whose call was killed before it answered.
    pub unanswered: usize,
    /// Calls that were answered from memory, and recorded later.
    pub late: usize,
    /// Acknowledged events of commands.
    pub commands: usize,
    /// Answered sessions that were looked for in the ledger, after each round all of them.
    pub rows: usize,
    /// Ledgers that were compared, row for row, with one made from the whole journal.
    pub ledgers: usize,
}

impl Seen {
    /// Both.
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

/// What earlier rounds left: the records above it are this round's.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// The last record.
    pub position: Option<Position>,
    /// The fold of all of them.
    state: State,
    /// Which lease holds an address, by the effects alone.
    held: HashMap<Address, Id>,
    /// What the ledger must have.
    sessions: ledger::Sessions,
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
    /// It was here.
    Available,
    /// Another process had its lock when the calls began, so that they were answered from memory. What waits in memory
    /// is written at the end, if nothing kills the process before.
    Unavailable,
}

/// What is known of a round besides the journal.
#[derive(Debug)]
pub struct Round<'a> {
    /// What ended the worker, if it did.
    pub kill: Kill,
    /// Was it killed, or its address process?
    pub killed: bool,
    /// Had it two processes?
    pub two_processes: bool,
    /// Could it write?
    pub was: Journal,
    /// What it wrote down.
    pub calls: &'a [CallEntry],
    /// What one who followed the journal meanwhile has read.
    pub followed: &'a [Raw],
    /// What commands acknowledged meanwhile.
    pub commands: &'a [Id],
    /// Is the journal read from its beginning too?
    pub whole: bool,
    /// Is the ledger compared with one that is made anew?
    pub ledger_anew: bool,
}

struct Check<'a> {
    round: &'a Round<'a>,
    found: &'a mut Findings,
    seen: Seen,
    /// Connections that a command closed: what is told of them later comes out of order.
    closed_by_command: HashSet<u64>,
    /// Leases that ended with them: address and port.
    ended_by_command: HashSet<(Family, u64, String)>,
}

/// Looks at the journal after a round, while no process has it. `spoil` may change what was read.
pub fn round(
    folder: &Path,
    round: &Round<'_>,
    before: &mut Before,
    spoil: &dyn Fn(&mut Vec<Record>),
    found: &mut Findings,
) -> Result<Seen, String> {
    let begun = round.calls.iter().any(|entry| matches!(entry, CallEntry::Returned(F::InitializeDllEx, _)));
    let read = match background::read(folder, before.position.as_ref()) {
        Ok(read) => read,
        Err(what) => {
            found.broken.push(what);
            return Ok(Seen::default());
        }
    };
    let Some(Reading { records: raw, position }) = read else {
        if begun {
            found.lost.push("the journal itself".into());
        }
        return Ok(Seen::default());
    };
    if raw != round.followed {
        let both = raw.len().min(round.followed.len());
        let differs = (0..both).find(|&at| raw[at] != round.followed[at]).unwrap_or(both);
        let (there, followed) = (raw.len(), round.followed.len());
        found.broken.push(format!(
            "the follower read {followed} records, and {there} are there; they differ from the {differs}th on"
        ));
    }
    let seen = Seen { records: raw.len(), ..Seen::default() };
    let (closed_by_command, ended_by_command) = Default::default();
    let mut check = Check { round, found, seen, closed_by_command, ended_by_command };
    let mut records = check.decoded(&raw, before.position.map_or(0, |position| position.number));
    spoil(&mut records);
    let begin = check.carry_out(&records, before);
    check.state_on_disk(folder, &before.state);
    if round.whole {
        check.read_from_the_beginning(folder, &before.state)?;
    }
    check.commands(&records);
    // What waits in memory dies with its process, the instance's beginning too.
    let may_lack = round.was == Journal::Unavailable && round.killed;
    match begin {
        0 if begun && !may_lack => {
            check.found.broken.push("the worker joined an instance whose processes are dead".into());
        }
        0 => {}
        _ => {
            let truth = check.acknowledged(&records);
            // Of two processes that could not write, the second may write when the first has ended, and its instance
            // too.
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
    /// The records, which are numbered without a gap.
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

    /// Whoever starts now, from a checkpoint and the records after it, has the same state.
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

    /// Who reads all records has it too.
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

    /// What commands acknowledged is there, and nothing else of theirs: they are not killed.
    fn commands(&mut self, records: &[Record]) {
        let of_commands = |event: &Event| matches!(event, Event::Block(_) | Event::CloseSession { .. });
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
