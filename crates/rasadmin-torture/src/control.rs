//! Does the check find what is wrong? A ledger that a kill left is spoilt on purpose, in one way after another.

use crate::check::{self, Before, Findings, Ledger};
use crate::notes::{Done, Note};
use crate::plan::{Kill, Where};
use crate::rounds::{self, Torture};
use mprapi::FunctionId as F;
use std::path::Path;

/// A list of findings.
type Kind = fn(&Findings) -> &Vec<String>;

/// What is done to the ledger, and where it must show.
const SPOILT: [(&str, &str, Kind); 8] = [
    (
        "an accept is missing",
        "DELETE FROM sessions WHERE id = (SELECT max(id) FROM sessions WHERE closed_by IS NULL AND established > 0)",
        |found| &found.lost,
    ),
    (
        "a hangup is missing",
        "UPDATE sessions SET closed_by = 'service ended' WHERE id = (SELECT max(id) FROM sessions WHERE closed_by = 'hangup')",
        |found| &found.lost,
    ),
    (
        "a release is missing",
        "UPDATE leases SET ended_by = 'never accepted' WHERE id = (SELECT max(id) FROM leases WHERE ended_by = 'release')",
        |found| &found.lost,
    ),
    ("the links are missing", "DELETE FROM links", |found| &found.lost),
    ("a hangup was billed twice", "UPDATE use SET seconds = 2 * seconds + 1", |found| &found.double),
    (
        "an address has two leases",
        "DROP INDEX leases_live;
         INSERT INTO leases SELECT (SELECT max(id) + 1 FROM leases), lease || ' again', instance, server, family, number,
             address, prefix, domain, name, user_name, port, session, origin, pool, began, accepted, ended, ended_by,
             decision
         FROM leases WHERE ended IS NULL LIMIT 1",
        |found| &found.double,
    ),
    (
        "a lease of a dead service lives on",
        "DROP INDEX leases_live; UPDATE leases SET ended = NULL WHERE id = (SELECT min(id) FROM leases)",
        |found| &found.leaked,
    ),
    ("an address was refused", "", |found| &found.leaked),
];

/// Spoils a ledger in every way, and says what was found.
pub fn run(torture: &Torture) -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    rounds::configure(folder.path())?;
    // The second service has closed what the first left.
    let kill = Kill::At { at: Where::After, function: F::ReleaseIpAddress, call: 12, commit: 1 };
    let mut before = Before::default();
    let mut found = Findings::default();
    let look = |folder: &Path, notes: &[Note], before: &mut Before, found: &mut Findings| {
        check::round(&folder.join("rasadmin.db"), kill, notes, Ledger::Here, before, true, found)
            .map_err(|e| e.to_string())
    };
    let first = rounds::worker(torture, folder.path(), kill, 1, 400, "one")?;
    let notes = rounds::notes(folder.path());
    look(folder.path(), &notes, &mut before, &mut found)?;
    let second = rounds::worker(torture, folder.path(), kill, 2, 400, "one")?;
    if !first || !second {
        return Err("the control's workers were not killed".into());
    }
    let notes = rounds::notes(folder.path());
    let mut report = String::new();
    for (what, sql, kind) in SPOILT {
        let copy = tempfile::tempdir().map_err(|e| e.to_string())?;
        for file in ["rasadmin.db", "rasadmin.db-wal"] {
            std::fs::copy(folder.path().join(file), copy.path().join(file)).map_err(|e| format!("{file}: {e}"))?;
        }
        let mut notes = notes.clone();
        if sql.is_empty() {
            notes.push(Note::Done(F::GetIpAddressForUser, Done { result: 1, ..Done::default() }));
        } else {
            let ledger = rusqlite::Connection::open(copy.path().join("rasadmin.db")).map_err(|e| e.to_string())?;
            ledger.execute_batch(sql).map_err(|e| format!("{sql}: {e}"))?;
        }
        let mut found = Findings::default();
        look(copy.path(), &notes, &mut before.clone(), &mut found)?;
        let Some(line) = kind(&found).first() else {
            return Err(format!("{what}, and the check does not see it: {:?}", found.lines()));
        };
        report += &format!("{what}: found ({line})\n");
    }
    look(folder.path(), &notes, &mut before, &mut found)?;
    if !found.is_empty() {
        return Err(format!("nothing is spoilt, and yet: {:?}", found.lines()));
    }
    Ok(report + &format!("control: {} ways to spoil a ledger, all found\n", SPOILT.len()))
}
