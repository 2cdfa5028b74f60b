//! Checks the ledger: it must have every answered session once, and nothing open that has ended.

use super::{Before, Check, Journal};
use crate::call_log::{CallEntry, CallResult};
use crate::ledger;
use crate::paths::ledger_in;
use mprapi::FunctionId as F;
use rasadmin_engine::effect::ClosedBy;
use rasadmin_engine::{Effect, Id, Millis, Record};
use rasadmin_ledger::Error;
use rasadmin_ledger::report::{Filter, Reader, SessionRow};
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// A session according to the answers of the calls.
#[derive(Clone, Debug)]
pub(super) struct AnsweredSession {
    user: String,
    /// IPv4 and IPv6, as the ledger writes them. None if two processes answered from memory and did not know the
    /// other's address.
    addresses: Option<[String; 2]>,
    began: Millis,
    /// When it was hung up, and its reported use: seconds, octets from the user, octets to the user.
    hung_up: Option<(Millis, [u32; 3])>,
}

/// What is known about the sessions of all rounds.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownSessions {
    /// The ledger's keys of sessions that a record began, whether the call answered or not.
    begun: HashSet<String>,
    answered: HashMap<String, AnsweredSession>,
}

/// Which records of this round belong to which call.
#[derive(Default)]
struct SessionRecords {
    /// KnownSessions by handle, in the order in which they began, because handles are reused.
    began: HashMap<u64, VecDeque<(Id, Millis)>>,
    hung_up: HashMap<Id, Millis>,
}

impl SessionRecords {
    fn new(records: &[Record]) -> Self {
        let mut found = Self::default();
        for record in records {
            for effect in &record.effects {
                match effect {
                    Effect::SessionBegan(began) => {
                        found.began.entry(began.handle).or_default().push_back((began.session, record.at.time));
                    }
                    Effect::SessionEnded(ended) if ended.by == ClosedBy::Hangup => {
                        found.hung_up.insert(ended.session, record.at.time);
                    }
                    _ => {}
                }
            }
        }
        found
    }
}

impl KnownSessions {
    /// Adds this round's answers in order. Answers without a record are found elsewhere.
    fn add(&mut self, calls: &[CallEntry], records: &[Record], alone: bool) {
        let SessionRecords { mut began, hung_up } = SessionRecords::new(records);
        self.begun.extend(began.values().flatten().map(|(id, _)| id.to_string()));
        let (mut asked, mut live) = (HashMap::<(&str, F), u64>::new(), HashMap::<u64, Id>::new());
        for entry in calls {
            let CallEntry::Returned(function, done) = entry else { continue };
            let CallResult { user, handle, number, result, used, .. } = done;
            match function {
                F::GetIpAddressForUser | F::GetIpv6AddressForUser if *result == 0 => {
                    asked.insert((user, *function), *number);
                }
                F::AcceptNewConnectionEx if *result != 0 => {
                    let addresses = asked
                        .remove(&(user, F::GetIpAddressForUser))
                        .zip(asked.remove(&(user, F::GetIpv6AddressForUser)))
                        .filter(|_| !alone)
                        .map(|(ipv4, ipv6)| {
                            let ipv4 = Ipv4Addr::from_bits(u32::try_from(ipv4).unwrap_or(0));
                            [ipv4.to_string(), Ipv6Addr::from_bits(u128::from(ipv6)).to_string()]
                        });
                    if let Some((id, time)) = began.get_mut(handle).and_then(VecDeque::pop_front) {
                        let answered = AnsweredSession { user: user.clone(), addresses, began: time, hung_up: None };
                        self.answered.insert(id.to_string(), answered);
                        live.insert(*handle, id);
                    }
                }
                F::ConnectionHangupNotificationEx => {
                    let Some(id) = live.remove(handle) else { continue };
                    if let Some(answered) = self.answered.get_mut(&id.to_string()) {
                        answered.hung_up = hung_up.get(&id).map(|time| (*time, *used));
                    }
                }
                _ => {}
            }
        }
    }
}

impl AnsweredSession {
    /// How the row differs from the answers.
    fn differs(&self, row: &SessionRow) -> Vec<String> {
        let mut differs = Vec::new();
        let mut same = |what: &str, there: &dyn std::fmt::Debug, answered: &dyn std::fmt::Debug| {
            let (there, answered) = (format!("{there:?}"), format!("{answered:?}"));
            if there != answered {
                differs.push(format!("its {what} is {there}, and {answered} was answered"));
            }
        };
        same("user", &row.user_name.as_str(), &self.user);
        // Without a hangup, a session can end before it begins: the event that ended it may have an earlier time and a
        // later record. This happens to a command, which reads the clock before it gets the journal's lock, and to a
        // process that could not write. The session then begins when it ends.
        let ended_before = row.acct_stop_time.is_some_and(|stop| stop == row.acct_start_time && stop < self.began);
        let hung_up = row.closed_by.as_deref() == Some(ClosedBy::Hangup.name());
        let may_be = if ended_before && !hung_up { row.acct_start_time } else { self.began };
        same("beginning", &row.acct_start_time, &may_be);
        if let Some([ipv4, ipv6]) = &self.addresses {
            same("IPv4 address", &row.framed_ip_address.as_ref(), &Some(ipv4));
            same("IPv6 identifier", &row.framed_interface_id.as_ref(), &Some(ipv6));
        }
        if let Some((time, [seconds, received, sent])) = self.hung_up {
            same("end", &row.acct_stop_time, &Some(time));
            same("reason to end", &row.closed_by.as_deref(), &Some(ClosedBy::Hangup.name()));
            let octets = [received, sent].map(|octets| Some(u64::from(octets)));
            same("octets", &[row.acct_input_octets, row.acct_output_octets], &octets);
            // A reported duration is limited to the time from start to end.
            let at_most = row.acct_session_time.map(|there| there.min(u64::from(seconds)));
            same("time in seconds", &row.acct_session_time, &at_most.or(Some(0)));
        } else if !hung_up {
            // Otherwise the hangup is recorded, and its call was killed before it answered.
            same("octets", &[row.acct_input_octets, row.acct_output_octets], &[None::<u64>; 2]);
        }
        differs
    }
}

impl Check<'_> {
    /// Checks the ledger after the records' effects have been applied.
    pub(super) fn ledger(&mut self, folder: &Path, records: &[Record], before: &mut Before) {
        let alone = self.round.was == Journal::Unavailable && self.round.two_processes;
        before.sessions.add(self.round.calls, records, alone);
        if let Err(what) = ledger::ingest(folder, &ledger_in(folder)) {
            self.found.broken.push(what);
            return;
        }
        if let Err(e) = self.rows(folder, before) {
            self.found.broken.push(e.to_string());
        }
        if self.round.ledger_anew {
            self.seen.ledgers += 1;
            match ledger::rows(&ledger_in(folder)).and_then(|rows| Ok((rows, ledger::newly_made(folder)?))) {
                Ok((rows, new_rows)) => {
                    if let Some(difference) = ledger::first_difference(&rows, &new_rows) {
                        self.found.broken.push(format!("a newly made ledger has other rows: {difference}"));
                    }
                }
                Err(what) => self.found.broken.push(what),
            }
        }
    }

    fn rows(&mut self, folder: &Path, before: &Before) -> Result<(), Error> {
        let reader = Reader::open(&ledger_in(folder))?;
        let rows = reader.sessions(&Filter::default(), false)?;
        let mut by_key: HashMap<&str, &SessionRow> = HashMap::new();
        for row in &rows {
            by_key.insert(&row.acct_session_id, row);
            if !before.sessions.begun.contains(&row.acct_session_id) {
                self.found.double.push(format!("the ledger has a session that no call began: {row:?}"));
            }
        }
        for (key, answered) in &before.sessions.answered {
            let Some(row) = by_key.get(key.as_str()) else {
                self.found.lost.push(format!("the ledger lacks the session {key}: {answered:?}"));
                continue;
            };
            for what in answered.differs(row) {
                self.found.lost.push(format!("the ledger's session {key}: {what}"));
            }
        }
        self.seen.rows += before.sessions.answered.len();
        for difference in reader.differences(&before.state)? {
            self.found.leaked.push(format!("the ledger and the state differ in {difference}"));
        }
        if self.round.ledger_anew {
            self.found.broken.extend(reader.faults()?.into_iter().map(|fault| format!("the ledger: {fault}")));
        }
        Ok(())
    }
}
