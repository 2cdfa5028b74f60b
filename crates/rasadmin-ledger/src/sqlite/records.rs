//! One server's records in a ledger: the engine's journal, projected in the same transaction.

use super::{Begun, REMEDY, Sqlite, Statements, away, deadline, error};
use crate::{Away, AwayKind};
use rasadmin_engine::config::Config;
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::{Id, Journal, Millis, Name, Record, State};
use rusqlite::{named_params, params};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// A start that replays more records than this writes a checkpoint.
const MANY: u64 = 1_000;

/// With so many records since the last checkpoint one is written, whatever it costs the call.
const TOO_MANY: u64 = 50_000;

/// The records of one server, in a ledger that is open.
#[derive(Debug)]
pub struct Records {
    pub(super) ledger: Sqlite,
    pub(super) server: Name,
    config: Arc<Config>,
    /// The number of the last checkpoint that is known here.
    pub(super) checkpoint: u64,
    /// There may be records that lie before it.
    pub(super) trimming: bool,
    /// When the instance's last sign of life was noted.
    touched: Option<(Id, Millis)>,
    /// The ledger's version and the state's number when the state was last up to date.
    current: Option<(i64, u64)>,
}

impl Records {
    /// Brings up the state of a server. The indexes of the state serve `config` from then on.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read now.
    pub fn of(ledger: Sqlite, server: &Name, config: &Arc<Config>, deadline: Instant) -> Result<(Self, State), Away> {
        let mut records = Self {
            ledger,
            server: server.clone(),
            config: config.clone(),
            checkpoint: 0,
            trimming: true,
            touched: None,
            current: None,
        };
        let _guard = deadline::until(deadline);
        let mut state = load(&mut records.ledger.statements(), server)?;
        state.derive(config);
        records.checkpoint = newest(&mut records.ledger.statements(), server)?;
        if state.number().saturating_sub(records.checkpoint) > MANY {
            records.write_checkpoint(&state, deadline)?;
        }
        Ok((records, state))
    }

    /// The configuration that the state's indexes serve from now on.
    pub fn set_config(&mut self, config: &Arc<Config>, state: &mut State) {
        self.config = config.clone();
        state.derive(config);
    }

    /// The ledger's file.
    pub fn path(&self) -> PathBuf {
        self.ledger.path.clone()
    }

    /// The ledger.
    pub fn ledger(&mut self) -> &mut Sqlite {
        &mut self.ledger
    }

    /// Nothing more of this server.
    pub fn into_ledger(self) -> Sqlite {
        self.ledger
    }

    /// Several records in one transaction, on disk when this returns; or none of them. `next` makes each on the state as
    /// those before it have left it, and says None when there are no more. How many were appended.
    ///
    /// # Errors
    ///
    /// If nothing was appended: then `state` holds what others have appended, at most.
    pub fn batch(
        &mut self,
        state: &mut State,
        deadline: Instant,
        next: &mut dyn FnMut(&mut Batch<'_, '_>) -> Result<Option<Record>, Away>,
    ) -> Result<usize, Away> {
        self.ledger.is_there()?;
        let _guard = deadline::until(deadline);
        let durable = self.ledger.durable;
        self.ledger.sync_level(durable).map_err(|e| error(&self.ledger.path, &e))?;
        let mut begun = self.ledger.begin()?;
        catch_up(&mut begun.0, &self.server, state, &self.config)?;
        let mut after = state.clone();
        let mut appended = 0;
        while let Some(record) = next(&mut Batch { statements: &mut begun.0, state: &after })? {
            append(&mut begun.0, &self.server, &after, &record, &mut self.touched)?;
            after.apply(&record);
            appended += 1;
        }
        begun.commit()?;
        *state = after;
        Ok(appended)
    }
}

/// What makes records in a batch may look at this.
pub struct Batch<'a, 'c> {
    statements: &'a mut Statements<'c>,
    state: &'a State,
}

impl Batch<'_, '_> {
    /// The state after the records so far.
    pub fn state(&self) -> &State {
        self.state
    }

    /// Is an instance on record?
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn knows(&mut self, instance: Id) -> Result<bool, Away> {
        let sql = "SELECT 1 FROM instances WHERE token = ?1";
        Ok(self.statements.one(sql, params![instance.to_string()], |_| Ok(()))?.is_some())
    }

    /// Has this frame of a spool been recorded? If not, notes that it is now.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written.
    pub fn is_new(&mut self, spool: &str, sequence: u64) -> Result<bool, Away> {
        let changed = self.statements.run(
            "INSERT INTO spools VALUES (:spool, :sequence)
             ON CONFLICT DO UPDATE SET sequence = excluded.sequence WHERE excluded.sequence > sequence",
            named_params! { ":spool": spool, ":sequence": sequence.cast_signed() },
        )?;
        Ok(changed > 0)
    }
}

impl Journal for Records {
    fn call(
        &mut self,
        state: &mut State,
        deadline: Instant,
        decide: &mut dyn FnMut(&State) -> Option<Record>,
    ) -> Result<Option<Record>, Away> {
        self.ledger.is_there()?;
        let _guard = deadline::until(deadline);
        // The level of syncing depends on what is decided, and cannot be set inside a transaction: so it is decided before,
        // and once more if others turn out to have appended.
        let mut decided = decide(state);
        let record = loop {
            let durable = |record: &Record| self.ledger.durable && record.is_durable();
            let full = decided.as_ref().is_some_and(durable);
            self.ledger.sync_level(full).map_err(|e| error(&self.ledger.path, &e))?;
            let mut begun = self.ledger.begin()?;
            let known = state.number();
            let version = begun.0.one("PRAGMA data_version", &[], |row| row.get(0))?.unwrap_or_default();
            if self.current != Some((version, known)) {
                // Another process has written; or it is not known whether one has.
                catch_up(&mut begun.0, &self.server, state, &self.config)?;
                self.current = Some((version, state.number()));
            }
            if state.number() != known {
                decided = decide(state);
            }
            let Some(record) = decided.take() else { return Ok(None) };
            if record.is_durable() && self.ledger.durable && !full {
                decided = Some(record);
                continue;
            }
            append(&mut begun.0, &self.server, state, &record, &mut self.touched)?;
            if self.trimming {
                self.trimming = super::trim::some(&mut begun.0, &self.server, self.checkpoint)?;
            }
            begun.commit()?;
            self.current = Some((version, state.number() + 1));
            break record;
        };
        state.apply(&record);
        if state.number().saturating_sub(self.checkpoint) > TOO_MANY {
            // What was appended is: without a checkpoint the next start takes longer.
            let _ = self.write_checkpoint(state, deadline);
        }
        Ok(Some(record))
    }
}

/// Appends a record and writes its rows.
fn append(
    statements: &mut Statements<'_>,
    server: &Name,
    state: &State,
    record: &Record,
    touched: &mut Option<(Id, Millis)>,
) -> Result<(), Away> {
    let text = serde_json::to_string(record).map_err(|e| away(AwayKind::Other, statements.path, e))?;
    statements.run(
        "INSERT INTO journal (server, number, record) VALUES (:server, :number, :record)",
        named_params! {
            ":server": server.as_str(), ":number": (state.number() + 1).cast_signed(), ":record": text,
        },
    )?;
    super::project::project(statements, server, state, record)?;
    // The last sign of life, to the second. What a command changes is none.
    if record.event.is_of_rras()
        && touched.is_none_or(|(of, last)| of != record.instance || (record.at.time - last).abs() >= 1000)
    {
        *touched = Some((record.instance, record.at.time));
        statements.run(
            "UPDATE instances SET last_activity = max(last_activity, :now) WHERE token = :token",
            named_params! { ":token": record.instance.to_string(), ":now": record.at.time },
        )?;
    }
    Ok(())
}

/// The state of a server, as its records have it: of one moment. Nothing is locked or written.
///
/// # Errors
///
/// If the ledger cannot be read, or is damaged.
pub(crate) fn load(statements: &mut Statements<'_>, server: &Name) -> Result<State, Away> {
    statements.run("BEGIN", &[])?;
    let mut begun = Begun(*statements);
    let mut state = newest_checkpoint(&mut begun.0, server)?.unwrap_or_default();
    if replay(&mut begun.0, server, &mut state)? { Ok(state) } else { Err(missing(statements, server)) }
}

fn newest_checkpoint(statements: &mut Statements<'_>, server: &Name) -> Result<Option<State>, Away> {
    let sql = "SELECT state FROM checkpoints WHERE server = ?1 ORDER BY number DESC LIMIT 1";
    let found: Option<String> = statements.one(sql, params![server.as_str()], |row| row.get(0))?;
    let Some(text) = found else { return Ok(None) };
    let damaged = |what: &dyn std::fmt::Display| {
        away(AwayKind::Corrupt, statements.path, format!("the checkpoint of {server} is damaged ({what}): {REMEDY}"))
    };
    let checkpoint: Checkpoint = serde_json::from_str(&text).map_err(|e| damaged(&e))?;
    if !checkpoint.is_known() {
        let what = format!("the checkpoint of {server} is of a newer version: use the newer rasadmin");
        return Err(away(AwayKind::Foreign, statements.path, what));
    }
    Ok(Some(checkpoint.into_state()))
}

/// Applies what others have appended.
fn catch_up(
    statements: &mut Statements<'_>,
    server: &Name,
    state: &mut State,
    config: &Arc<Config>,
) -> Result<(), Away> {
    if replay(statements, server, state)? {
        return Ok(());
    }
    // What this process lacks was trimmed: it starts from the checkpoint.
    let mut newer = newest_checkpoint(statements, server)?.unwrap_or_default();
    if !replay(statements, server, &mut newer)? {
        return Err(missing(statements, server));
    }
    newer.derive(config);
    *state = newer;
    Ok(())
}

fn missing(statements: &Statements<'_>, server: &Name) -> Away {
    away(AwayKind::Corrupt, statements.path, format!("records of {server} are missing: {REMEDY}"))
}

/// Applies the records after the state's; false if there are some, and the next one is missing.
fn replay(statements: &mut Statements<'_>, server: &Name, state: &mut State) -> Result<bool, Away> {
    let (mut whole, mut damaged) = (true, None);
    let sql = "SELECT number, record FROM journal WHERE server = ?1 AND number > ?2 ORDER BY number";
    let after = state.number().cast_signed();
    statements.each(sql, params![server.as_str(), after], &mut |row| {
        let number = row.get::<_, i64>(0)?.cast_unsigned();
        whole = number == state.number() + 1;
        if whole {
            match serde_json::from_str::<Record>(row.get_ref(1)?.as_str()?) {
                Ok(record) => state.apply(&record),
                Err(e) => damaged = Some(format!("record {number} of {server} is damaged ({e}): {REMEDY}")),
            }
        }
        Ok(whole && damaged.is_none())
    })?;
    match damaged {
        Some(what) => Err(away(AwayKind::Corrupt, statements.path, what)),
        // All of them may be gone.
        None => Ok(whole && newest(statements, server)? <= state.number()),
    }
}

/// The number of a server's newest checkpoint; 0 if it has none.
fn newest(statements: &mut Statements<'_>, server: &Name) -> Result<u64, Away> {
    let sql = "SELECT max(number) FROM checkpoints WHERE server = ?1";
    let newest = statements.one(sql, params![server.as_str()], |row| row.get::<_, Option<i64>>(0))?;
    Ok(newest.flatten().map_or(0, i64::cast_unsigned))
}
