//! Checkpoints, and the end of the records before them: what they changed stands in the tables.

use super::records::Records;
use super::{Statements, away, deadline, error};
use crate::{Away, AwayKind};
use rasadmin_engine::state::Checkpoint;
use rasadmin_engine::{Name, State};
use rusqlite::named_params;
use std::time::Instant;

/// How many records go in one call.
const FEW: i64 = 64;

/// How many go in a transaction of its own, which others wait for.
const SOME: i64 = 1_000;

impl Records {
    /// Writes the state down, so that the next start need not replay what made it.
    ///
    /// # Errors
    ///
    /// If it cannot be written now: then the last one stays.
    pub fn write_checkpoint(&mut self, state: &State, deadline: Instant) -> Result<(), Away> {
        let text =
            serde_json::to_string(&Checkpoint::of(state)).map_err(|e| away(AwayKind::Other, &self.ledger.path, e))?;
        let _guard = deadline::until(deadline);
        self.ledger.sync_level(false).map_err(|e| error(&self.ledger.path, &e))?;
        let mut begun = self.ledger.begin()?;
        begun.0.run(
            "INSERT INTO checkpoints (server, number, state) VALUES (:server, :number, :state) ON CONFLICT DO NOTHING",
            named_params! {
                ":server": self.server.as_str(), ":number": state.number().cast_signed(), ":state": text,
            },
        )?;
        begun.0.run(
            "DELETE FROM checkpoints WHERE server = :server
                 AND number < (SELECT max(number) FROM checkpoints WHERE server = :server)",
            named_params! { ":server": self.server.as_str() },
        )?;
        begun.commit()?;
        self.checkpoint = self.checkpoint.max(state.number());
        self.trimming = true;
        Ok(())
    }

    /// Deletes the records that the last checkpoint contains, in short transactions, until the deadline.
    ///
    /// # Errors
    ///
    /// If they cannot be deleted now: they go on the next occasion.
    pub fn trim(&mut self, deadline: Instant) -> Result<(), Away> {
        let _guard = deadline::until(deadline);
        self.ledger.sync_level(false).map_err(|e| error(&self.ledger.path, &e))?;
        while self.trimming && Instant::now() < deadline {
            let mut begun = self.ledger.begin()?;
            let more = delete(&mut begun.0, &self.server, self.checkpoint, SOME)?;
            begun.commit()?;
            self.trimming = more;
        }
        Ok(())
    }
}

/// Deletes a few records that lie before the checkpoint of that number; false if there are no more.
pub(super) fn some(statements: &mut Statements<'_>, server: &Name, checkpoint: u64) -> Result<bool, Away> {
    delete(statements, server, checkpoint, FEW)
}

fn delete(statements: &mut Statements<'_>, server: &Name, checkpoint: u64, most: i64) -> Result<bool, Away> {
    let deleted = statements.run(
        "DELETE FROM journal WHERE rowid IN (SELECT rowid FROM journal WHERE server = :server AND number <= :number
             ORDER BY number LIMIT :most)",
        named_params! { ":server": server.as_str(), ":number": checkpoint.cast_signed(), ":most": most },
    )?;
    Ok(i64::try_from(deleted).unwrap_or(most) >= most)
}
