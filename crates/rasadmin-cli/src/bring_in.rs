//! The ledger is made from the journal: before a command reads the ledger, it brings in the new records.

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::format::records;
use crate::output::note;
use crate::{times, warning};
use rasadmin_journal::{Follower, Item, Position};
use rasadmin_ledger::ingest::IngestSummary;
use rasadmin_ledger::report::Reader;
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_ledger::{Error, ErrorKind};
use rasadmin_policy::Name;
use rasadmin_policy::config::file::Durability;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for the ledger while other commands bring records in.
const PATIENCE: Duration = Duration::from_secs(10);

/// With this many records or more it takes noticeably long, so the command says that it is doing it.
const MANY: u64 = 1_000;

/// Brings in the new records of the place's journal, and warns of what an administrator should know about them. If this
/// command may not write the ledger, and the ledger lacks records, it says how old the ledger is, which can still be
/// read.
pub fn before_reading(context: &Context) -> Result<()> {
    let Some(journal) = context.journal.as_ref().filter(|_| context.belong_together) else { return Ok(()) };
    let durable = context.config.durability == Durability::Fsync;
    match bring_in(journal, &context.ledger, &context.server(), durable, true) {
        Ok(brought) => {
            for warning in brought.iter().flat_map(IngestSummary::warnings) {
                warning!("{warning}");
            }
            Ok(())
        }
        Err(error) if makes_no_difference(&error, journal, &context.ledger) => Ok(()),
        Err(error) => match age(&context.ledger, &context.zone) {
            Ok(age) => {
                let hint = error.kind.remedy().map(|hint| format!("; {hint}")).unwrap_or_default();
                warning!("{age}, because it cannot be brought up to date: {error}{hint}");
                Ok(())
            }
            // The reason why it cannot be read matters more.
            Err(unreadable) if context.ledger.exists() => Err(unreadable.into()),
            Err(_) => {
                let hint = error.kind.remedy();
                let error = CommandError::from(error);
                Err(hint.map_or(error.clone(), |hint| error.hint(hint)))
            }
        },
    }
}

/// Brings a journal into a ledger, which is made if it is missing. None: nothing was ever recorded in that folder.
/// `say`: report it on standard error if it takes long.
pub fn bring_in(
    journal: &Path,
    ledger: &Path,
    server: &Name,
    durable: bool,
    say: bool,
) -> std::result::Result<Option<IngestSummary>, Error> {
    let Some(follower) = Follower::open(journal)? else { return Ok(None) };
    let waiting = if say { waiting(follower, ledger)? } else { 0 };
    if waiting >= MANY {
        note(format_args!("bringing {} into the ledger", records(waiting)));
    }
    let mut ledger = Sqlite::open(ledger, Create::Yes, durable, Instant::now() + PATIENCE)?;
    ledger.ingest(journal, server, &mut |_| {}).map(Some)
}

/// The ledger may not be written, but has every record of the journal.
pub fn makes_no_difference(error: &Error, journal: &Path, ledger: &Path) -> bool {
    if error.kind != ErrorKind::ReadOnly {
        return false;
    }
    let Ok(Some(follower)) = Follower::open(journal) else { return false };
    place_of(&follower, ledger).is_some() && waiting(follower, ledger).is_ok_and(|lacking| lacking == 0)
}

/// How many records the ledger lacks.
fn waiting(mut follower: Follower, ledger: &Path) -> std::result::Result<u64, Error> {
    if let Some(context) = place_of(&follower, ledger) {
        follower.start_at(&context)?;
    }
    let mut count = 0;
    follower.read(|item| count += u64::from(matches!(item, Item::Record(_))))?;
    Ok(count)
}

/// How far a ledger that can be read has come in this journal.
fn place_of(follower: &Follower, ledger: &Path) -> Option<Position> {
    let journal = follower.beginning().journal.to_string();
    let all = Reader::open(ledger).and_then(|reader| reader.journal_cursors()).ok()?;
    all.into_iter().find(|brought| brought.journal == journal).and_then(|brought| brought.position)
}

/// How old a ledger is.
fn age(ledger: &Path, zone: &jiff::tz::TimeZone) -> std::result::Result<String, Error> {
    let all = Reader::open(ledger)?.journal_cursors()?;
    let last = all.iter().map(|brought| brought.brought_at).max();
    Ok(last.map_or_else(
        || "the ledger has nothing of this server yet".to_owned(),
        |at| format!("the ledger is as of {}, {} ago", times::show(at, zone), times::between(at, times::now())),
    ))
}
