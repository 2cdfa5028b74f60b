//! Writes the rows that a record makes. The state applies the same effects in memory.
//!
//! Every row has a key made from its record's random bytes, and a later effect overwrites what an earlier one wrote. So
//! the journal can be read again from any record, and at its end the rows are the same: what begins again is live until
//! its end is read again. What began before the oldest record does not begin again. Therefore a few effects (the start
//! of an instance, a session's use so far, purge and anonymise) check the existing rows; their functions say how they
//! detect a second reading.

mod instance;
mod leases;
mod links;
mod sessions;
mod state;

use crate::forget::{ForgetCounts, ForgetScope, Pseudonyms};
use crate::sqlite::Database;
use crate::value::values;
use crate::{Error, ErrorKind, queries};
use rasadmin_engine::calendar::date_of_label;
use rasadmin_engine::effect::Forgetting;
use rasadmin_engine::event::{ConfigRead, Repeated};
use rasadmin_engine::{Effect, Id, Millis, Name, Record, Refusal};

/// How a session or a lease ended if the journal no longer has its end.
const UNKNOWN_END: &str = "end not in the journal";

/// Turns the records of one journal into rows.
pub(crate) struct Projection<'d> {
    database: &'d Database,
    /// The server that the records are about.
    pub server: Name,
    /// The live instance. Records of other instances change nothing. None if it is not known: then no record is
    /// skipped.
    pub live_instance: Option<Id>,
    /// An instance's token and row number, to avoid a lookup for every row.
    instance: Option<(Id, i64)>,
    /// The time of the last record; 0 if there was none.
    time: Millis,
    /// The last activity, which is noted at the end of a batch.
    last_activity: Option<(Id, Millis)>,
    /// The rows that purge and anonymise have changed.
    pub forgotten: ForgetCounts,
}

/// The record that a row is made from.
struct RowSource<'r> {
    /// The record's key.
    key: &'r str,
    /// The index of the effect in the record.
    index: usize,
    time: Millis,
    /// The row of its instance; 0 if there is none.
    instance: i64,
}

impl RowSource<'_> {
    /// The effect's key.
    fn effect(&self) -> String {
        format!("{}/{}", self.key, self.index)
    }
}

/// A record's key: a UUIDv7 of its time and its random bytes, so that new ones come last in an index.
pub(crate) fn key_of(id: Id, time: Millis) -> String {
    let mut tail = [0; 10];
    tail.copy_from_slice(&id.0.to_be_bytes()[..10]);
    let millis = u64::try_from(time).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid().to_string()
}

/// An identifier as in the tables.
fn key(id: Id) -> String {
    id.to_string()
}

impl<'d> Projection<'d> {
    pub fn new(database: &'d Database, server: Name, live_instance: Option<Id>) -> Self {
        Self {
            database,
            server,
            live_instance,
            instance: None,
            time: 0,
            last_activity: None,
            forgotten: ForgetCounts::default(),
        }
    }

    /// Writes the rows of a record.
    pub fn record(&mut self, record: &Record) -> Result<(), Error> {
        let key = key_of(record.id, record.at.time);
        self.time = record.at.time;
        let mut of = RowSource { key: &key, index: 0, time: record.at.time, instance: self.instance(record.instance)? };
        let heeded = self.live_instance.is_none_or(|live_instance| live_instance == record.instance)
            || record.effects.iter().any(|effect| matches!(effect, Effect::InstanceBegan(_)));
        // A lease refers to its decision, and a decision to its session, so the order depends on what the record
        // begins.
        let begins = record.effects.iter().any(|effect| matches!(effect, Effect::SessionBegan(_)));
        if !begins {
            self.decision(&of, record)?;
        }
        for (index, effect) in record.effects.iter().enumerate() {
            of.index = index;
            match effect {
                Effect::Anomaly(anomaly) => self.out_of_order(&of, anomaly.what(), &anomaly.details(), [0, 0])?,
                Effect::Lost { events } => {
                    self.out_of_order(
                        &of,
                        "events were lost, because they could not be recorded",
                        &events.to_string(),
                        [*events, 0],
                    )?;
                }
                Effect::ConfigRead(read) => self.config(&of, read)?,
                effect if heeded => self.effect(&of, record, effect)?,
                _ => {}
            }
        }
        if begins {
            self.decision(&of, record)?;
        }
        if record.event.is_of_rras() {
            self.note_activity(record.instance, record.at.time)?;
        }
        Ok(())
    }

    fn effect(&mut self, of: &RowSource<'_>, record: &Record, effect: &Effect) -> Result<(), Error> {
        match effect {
            Effect::InstanceBegan(began) => self.instance_began(began),
            Effect::RefusalRepeated(repeated) => self.refusal_repeated(repeated),
            Effect::SessionBegan(began) => self.session_began(of, began).map(drop),
            Effect::SessionEstablished { session, at, port, tunnel } => {
                self.session_established(*session, at.time, port, *tunnel)
            }
            Effect::SessionReplaced { session, by, at } => self.session_replaced(*session, *by, *at),
            Effect::DisconnectDecided(decided) => self.disconnect_decided(decided),
            Effect::SessionAlive { session } => self.session_alive(*session),
            Effect::SourceChanged { session, source } => self.source_changed(*session, source),
            Effect::QuarantineChanged { session, quarantine } => self.quarantine_changed(*session, *quarantine),
            Effect::SessionEnded(ended) => self.session_ended(ended),
            Effect::SessionRevived { session, .. } => self.session_revived(*session),
            Effect::LinkBegan(link) => self.link_began(of, link),
            Effect::LinkEnded { session, port, at, usage } => self.link_ended(*session, port, at.time, usage),
            Effect::Used { session, user, days } => self.used(*session, user, days),
            Effect::Counted(counted) => counted.sessions.iter().try_for_each(|one| self.counted(one, counted.labels)),
            Effect::InterimUse { session, user, days, .. } => self.used_so_far(*session, user, days),
            Effect::LeaseBegan(began) => self.lease_began(of, began),
            Effect::LeaseTaken { lease, session, user, at, prefix } => {
                self.lease_taken(*lease, *session, user.as_ref(), at.time, prefix.as_deref())
            }
            Effect::LeaseWaits { lease, .. } => self.lease_waits(*lease),
            Effect::LeaseEnded { lease, by, at } => self.lease_ended(*lease, *by, at.time),
            Effect::Forgotten { before, first_day, user, how } => {
                let scope = ForgetScope {
                    before: *before,
                    first_day: date_of_label(first_day.day),
                    user: user.clone(),
                    now: of.time,
                };
                self.forget(record.id, &scope, *how)
            }
            // These effects matter for later decisions, but have no rows.
            Effect::SessionConfirmed { .. }
            | Effect::LeaseHeld { .. }
            | Effect::LeaseReleaseSeen { .. }
            | Effect::LateRelease { .. }
            | Effect::UseCarried(_)
            | Effect::Blocked(_)
            | Effect::BlockBegan(_)
            | Effect::BlockEnded { .. }
            | Effect::RemoteSession(_)
            | Effect::CursorMoved { .. }
            | Effect::Anomaly(_)
            | Effect::Lost { .. }
            | Effect::ConfigRead(_) => Ok(()),
        }
    }

    /// Purges or anonymises. A second reading first restores what was deleted, until it reaches this record again. Rows
    /// that were made anonymous stay, and get no names.
    fn forget(&mut self, record: Id, scope: &ForgetScope, how: Forgetting) -> Result<(), Error> {
        let changed = match how {
            Forgetting::Purge => crate::forget::purge(self.database, scope)?,
            Forgetting::Anonymise => crate::forget::anonymise(self.database, scope, &Pseudonyms::of(record))?,
        };
        self.forgotten += changed;
        Ok(())
    }

    fn decision(&mut self, of: &RowSource<'_>, record: &Record) -> Result<(), Error> {
        let Some(decision) = &record.decision else { return Ok(()) };
        let user = decision.facts.user.known();
        let json = |e: serde_json::Error| Error { kind: ErrorKind::Other, message: e.to_string() };
        let facts = serde_json::to_string(&decision.facts).map_err(json)?;
        let groups = serde_json::to_string(&decision.groups).map_err(json)?;
        let counted = serde_json::to_string(&decision.counted).map_err(json)?;
        self.database.run(
            queries::DECIDED,
            values! {
                record: of.key, time: decision.time, server: &self.server, instance: of.instance, session: record.session,
                stage: decision.stage.name(), domain: user.map(|u| &u.domain), name: user.map(|u| &u.name),
                user_name: record.event.user_name(), outcome: decision.outcome(), rule: decision.rule.as_ref(),
                reason: decision.why(), refusal: decision.refusal.as_ref().map(Refusal::name), config: &decision.config,
                facts: facts, groups: groups, counted: counted,
            },
        )?;
        Ok(())
    }

    /// Counts a repeated refusal with the decision of the first one.
    fn refusal_repeated(&mut self, repeated: &Repeated) -> Result<(), Error> {
        self.database.run(
            queries::REFUSAL_REPEATED,
            values! {
                record: key_of(repeated.of, repeated.first.time),
                times: i64::try_from(repeated.times).unwrap_or(i64::MAX), last: repeated.last.time,
            },
        )?;
        Ok(())
    }

    /// Notes missing records, at the time of the last record before them. `key` identifies the entry.
    pub fn missing(&mut self, key: &str, what: &str, details: &str, records: u64) -> Result<(), Error> {
        let instance = self.live_instance.map_or(Ok(0), |live_instance| self.instance(live_instance))?;
        let time = if self.time == 0 { self.last_activity()? } else { self.time };
        self.out_of_order(&RowSource { key, index: 0, time, instance }, what, details, [0, records])
    }

    /// `gone`: the numbers of lost events and of missing records.
    fn out_of_order(&mut self, of: &RowSource<'_>, what: &str, details: &str, gone: [u64; 2]) -> Result<(), Error> {
        let [lost, missing] = gone.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        self.database.run(
            queries::OUT_OF_ORDER,
            values! {
                effect: of.effect(), time: of.time, server: &self.server, instance: of.instance, what: what,
                details: details, lost: lost, missing: missing,
            },
        )?;
        Ok(())
    }

    fn config(&mut self, of: &RowSource<'_>, read: &ConfigRead) -> Result<(), Error> {
        if let Some(texts) = &read.texts {
            self.database.run(queries::CONFIG_KEPT, values! { hash: &read.hash, now: of.time, texts: texts })?;
        }
        self.database.run(
            queries::CONFIG_LOADED,
            values! {
                effect: of.effect(), time: of.time, server: &self.server, instance: of.instance,
                version: &read.version, config: &read.hash, fault: read.fault.as_ref(),
            },
        )?;
        Ok(())
    }
}
