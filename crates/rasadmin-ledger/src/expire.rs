//! Deletes what is older than it is kept, a few rows at a time, while others use the ledger. Live data stays, and so
//! does what refers to it.

use crate::project::key_of;
use crate::queries;
use crate::sqlite::{Database, Sqlite};
use crate::value::{Values, values};
use crate::{Error, ForgetCounts, RowId};
use rasadmin_engine::{Id, Millis};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// The number of rows that are looked for at once.
const PAGE: i64 = 200;

/// How long to wait for other processes that write.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a transaction deletes before it lets others write.
const TURN: Duration = Duration::from_millis(20);

/// What stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Decisions from this time on; None: all.
    pub decisions: Option<Millis>,
    /// Sessions that ended at this time or later, with their leases, links and use; None: all.
    pub sessions: Option<Millis>,
    /// The first day whose use stays in any case, because quotas may need it: `2026-11-01`.
    pub first_day: String,
}

/// The parts of a deletion, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Decisions,
    Refusals,
    Sessions,
    Leases,
    Use,
    Anomalies,
    Configs,
    Done,
}

/// A deletion in progress. It can be dropped at any time; a later one continues with what is left.
#[derive(Debug)]
pub struct Expiry {
    keep: Keep,
    part: Part,
    /// Decisions that stay because of a lease; None: not read yet.
    needed: Option<HashSet<RowId>>,
    /// The last row that each part came to.
    after: LastRows,
    counts: ForgetCounts,
}

#[derive(Debug)]
struct LastRows {
    record: String,
    session: (Millis, RowId),
    lease: RowId,
}

impl Expiry {
    /// Nothing is deleted yet.
    pub fn new(keep: Keep) -> Self {
        let after = LastRows { record: String::new(), session: (Millis::MIN, RowId::MIN), lease: RowId::MIN };
        Self { keep, part: Part::Decisions, needed: None, after, counts: ForgetCounts::default() }
    }

    /// What was deleted so far.
    pub const fn counts(&self) -> ForgetCounts {
        self.counts
    }

    /// What the present part deletes: everything before this time; None: nothing.
    fn before(&self) -> Option<Millis> {
        let Keep { decisions, sessions, .. } = self.keep;
        match self.part {
            Part::Decisions | Part::Refusals => decisions,
            Part::Sessions | Part::Leases | Part::Use => sessions,
            // What explains both.
            Part::Anomalies | Part::Configs => decisions.zip(sessions).map(|(one, other)| one.min(other)),
            Part::Done => None,
        }
    }

    fn next(&mut self) {
        self.part = match self.part {
            Part::Decisions => Part::Refusals,
            Part::Refusals => Part::Sessions,
            Part::Sessions => Part::Leases,
            Part::Leases => Part::Use,
            Part::Use => Part::Anomalies,
            Part::Anomalies => Part::Configs,
            Part::Configs | Part::Done => Part::Done,
        };
    }
}

/// The key of a record at a time, before every other one.
fn first_key(time: Millis) -> String {
    key_of(Id(0), time)
}

/// Deletes some more. Returns false when nothing is left.
pub(crate) fn some(ledger: &mut Sqlite, expiry: &mut Expiry) -> Result<bool, Error> {
    while expiry.part != Part::Done {
        let more = match expiry.before() {
            None => false,
            Some(before) => match expiry.part {
                Part::Decisions => decisions(ledger, expiry, before)?,
                Part::Refusals => refusals(ledger, expiry, before)?,
                Part::Sessions => sessions(ledger, expiry, before)?,
                Part::Leases => leases(ledger, expiry, before)?,
                Part::Use => days_of_use(ledger, expiry, before)?,
                Part::Anomalies => anomalies(ledger, expiry, before)?,
                Part::Configs => configs(ledger, before)?,
                Part::Done => false,
            },
        };
        if more {
            return Ok(true);
        }
        expiry.next();
    }
    Ok(false)
}

/// Deletes rows of a page until the turn is over. Returns how many it came to, and what was deleted.
fn in_turn<T>(
    ledger: &mut Sqlite,
    page: &[T],
    mut delete: impl FnMut(&Database, &T) -> Result<ForgetCounts, Error>,
) -> Result<(usize, ForgetCounts), Error> {
    if page.is_empty() {
        return Ok((0, ForgetCounts::default()));
    }
    ledger.transact(Instant::now() + PATIENCE, false, |database| {
        let (end, mut counts) = (Instant::now() + TURN, ForgetCounts::default());
        for (at, row) in page.iter().enumerate() {
            counts += delete(database, row)?;
            if Instant::now() >= end {
                return Ok((at + 1, counts));
            }
        }
        Ok((page.len(), counts))
    })
}

fn one_decision(database: &Database, id: RowId) -> Result<ForgetCounts, Error> {
    let decisions = database.run(queries::DECISION_EXPIRED, values! { id: id })? as u64;
    Ok(ForgetCounts { decisions, ..ForgetCounts::default() })
}

fn decisions(ledger: &mut Sqlite, expiry: &mut Expiry, before: Millis) -> Result<bool, Error> {
    let Expiry { needed, after, counts, .. } = expiry;
    let needed = match needed {
        Some(needed) => needed,
        None => {
            let values = values! { before: before };
            let all = ledger.database().all(queries::DECISIONS_OF_KEPT_LEASES, values, |row| row.get(0))?;
            needed.insert(all.into_iter().collect())
        }
    };
    let page = ledger.database().all(
        queries::EXPIRED_DECISIONS,
        values! { after: &after.record, key: first_key(before), before: before, limit: PAGE },
        |row| Ok((row.get(0)?, row.get::<String>(1)?)),
    )?;
    let (done, deleted) = in_turn(ledger, &page, |database, (id, _)| match needed.contains(id) {
        true => Ok(ForgetCounts::default()),
        false => one_decision(database, *id),
    })?;
    *counts += deleted;
    if let Some((_, record)) = page.into_iter().take(done).next_back() {
        after.record = record;
    }
    Ok(done > 0)
}

fn refusals(ledger: &mut Sqlite, expiry: &mut Expiry, before: Millis) -> Result<bool, Error> {
    let values = values! { before: before, limit: PAGE };
    let page = ledger.database().all(queries::EXPIRED_REFUSALS, values, |row| row.get(0))?;
    let (done, deleted) = in_turn(ledger, &page, |database, id| one_decision(database, *id))?;
    expiry.counts += deleted;
    Ok(done > 0)
}

fn sessions(ledger: &mut Sqlite, expiry: &mut Expiry, before: Millis) -> Result<bool, Error> {
    let Expiry { keep, after, counts, .. } = expiry;
    let page = ledger.database().all(
        queries::EXPIRED_SESSIONS,
        values! { start: after.session.0, id: after.session.1, before: before, limit: PAGE },
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let (done, deleted) = in_turn(ledger, &page, |database, (id, key, _): &(RowId, String, Millis)| {
        let run = |query, values: &Values<'_>| database.run(query, values).map(|rows| rows as u64);
        let sessions = run(queries::SESSION_EXPIRED, values! { id: *id, before: before })?;
        if sessions == 0 {
            return Ok(ForgetCounts::default());
        }
        run(queries::OCTETS_EXPIRED, values! { id: *id })?;
        Ok(ForgetCounts {
            sessions,
            links: run(queries::LINKS_EXPIRED, values! { id: *id })?,
            leases: run(queries::LEASES_OF_SESSION_EXPIRED, values! { id: *id, before: before })?,
            usage_days: run(queries::USE_EXPIRED, values! { session: key, first_day: &keep.first_day })?,
            ..ForgetCounts::default()
        })
    })?;
    *counts += deleted;
    if let Some((id, _, start)) = page.into_iter().take(done).next_back() {
        after.session = (start, id);
    }
    Ok(done > 0)
}

/// Those that no session took, and those that were held longer than their session. New leases come last, so the first
/// page without an old one ends it.
fn leases(ledger: &mut Sqlite, expiry: &mut Expiry, before: Millis) -> Result<bool, Error> {
    let values = values! { after: expiry.after.lease, limit: PAGE };
    let page = ledger.database().all(queries::LEASES_FROM, values, |row| {
        Ok((row.get::<RowId>(0)?, row.get::<Millis>(1)?, row.get::<Option<Millis>>(2)?))
    })?;
    if page.iter().all(|(_, began, _)| *began >= before) {
        return Ok(false);
    }
    let (done, deleted) = in_turn(ledger, &page, |database, (id, _, ended)| {
        let values = values! { id: *id, before: before };
        let leases = if ended.is_some_and(|ended| ended < before) {
            database.run(queries::LEASE_EXPIRED, values)? as u64
        } else {
            0
        };
        Ok(ForgetCounts { leases, ..ForgetCounts::default() })
    })?;
    expiry.counts += deleted;
    if let Some((id, ..)) = page.into_iter().take(done).next_back() {
        expiry.after.lease = id;
    }
    Ok(true)
}

fn days_of_use(ledger: &mut Sqlite, expiry: &mut Expiry, before: Millis) -> Result<bool, Error> {
    let values = values! { key: first_key(before), first_day: &expiry.keep.first_day, limit: PAGE };
    let page = ledger.database().all(queries::EXPIRED_USE, values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (done, deleted) = in_turn(ledger, &page, |database, (session, day): &(String, String)| {
        let rows = database.run(queries::USE_OF_DAY_DELETED, values! { session: session, day: day })?;
        Ok(ForgetCounts { usage_days: rows as u64, ..ForgetCounts::default() })
    })?;
    expiry.counts += deleted;
    Ok(done > 0)
}

fn anomalies(ledger: &mut Sqlite, expiry: &mut Expiry, before: Millis) -> Result<bool, Error> {
    let (_, deleted) = in_turn(ledger, &[()], |database, ()| {
        let values = values! { key: first_key(before), before: before, limit: PAGE };
        let anomalies = database.run(queries::ANOMALIES_EXPIRED, values)? as u64;
        Ok(ForgetCounts { anomalies, ..ForgetCounts::default() })
    })?;
    expiry.counts += deleted;
    Ok(deleted.anomalies > 0)
}

/// Configurations that no decision needs any more. There are few.
fn configs(ledger: &mut Sqlite, before: Millis) -> Result<bool, Error> {
    let values = values! { before: before };
    ledger.transact(Instant::now() + PATIENCE, false, |database| database.run(queries::LOADS_PURGED, values))?;
    let page = ledger.database().all(queries::EXPIRED_CONFIGS, values, |row| row.get::<String>(0))?;
    in_turn(ledger, &page, |database, hash| {
        database.run(queries::CONFIG_EXPIRED, values! { hash: hash })?;
        Ok(ForgetCounts::default())
    })?;
    Ok(false)
}
