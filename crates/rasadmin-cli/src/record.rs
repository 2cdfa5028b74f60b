//! Recording what an administrator changes: an event in the server's journal. The DLL applies it at its next call, and
//! the ledger has it when the command ends.

use crate::context::Context;
use crate::error::{CommandError, Kind, Result, WithContext};
use crate::{bring_in, clock, warning};
use rasadmin_engine::{Event, State};
use rasadmin_journal::Error;
use rasadmin_ledger::ingest::IngestSummary;
use rasadmin_policy::config::file::Durability;
use rasadmin_policy::{Millis, Name};
use rasadmin_recorder::admin::AdminJournal;

/// Opens the journal for an event.
pub fn open(context: &Context) -> Result<AdminJournal> {
    let journal = context.journal()?;
    let opened = AdminJournal::open(journal, &context.config).map_err(not_written)?;
    opened.ok_or_else(|| {
        let what = format!("{}: nothing was ever recorded here", journal.display());
        CommandError::new(Kind::Journal, format!("{what}: check the path, or start Remote Access"))
    })
}

/// Fails if the journal is another server's: its sessions and leases are changed over there.
pub fn belongs_to(tool: &AdminJournal, server: &Name) -> Result<()> {
    let own = tool.state().server();
    if own.folded() == server.folded() {
        return Ok(());
    }
    Err(CommandError::usage(format!("that is on {server}, and this journal is {own}'s: run the command on {server}")))
}

/// Records an event, unless `look` finds that there is nothing to record. It gets the time of the event, because it must
/// not wait for anything: it runs while RRAS's calls wait for the journal.
pub fn record<T>(tool: &mut AdminJournal, look: impl FnOnce(&State, Millis) -> (T, Option<Event>)) -> Result<T> {
    let now = clock::now(tool.folder(), tool.state().last())?;
    let recorded = tool.record(&now, |state| look(state, now.at.time)).map_err(not_written)?;
    recorded.ok_or_else(|| {
        let what = format!("{}: Remote Access has never started with this journal", tool.folder().display());
        CommandError::new(Kind::Journal, format!("{what}: start it with the DLL first"))
    })
}

/// Brings the event into the ledger. It stays in the journal even if this fails.
pub fn bring_in(context: &Context) -> Result<Option<IngestSummary>> {
    let durable = context.config.durability == Durability::Fsync;
    let brought = bring_in::bring_in(context.journal()?, &context.ledger, &context.server(), durable, true);
    let brought = brought.context("the change is in force, but the ledger does not have it yet")?;
    for warning in brought.iter().flat_map(IngestSummary::warnings) {
        warning!("{warning}");
    }
    Ok(brought)
}

/// As [`bring_in`], for a change that the journal alone can take: it only warns if it fails.
pub fn bring_in_or_warn(context: &Context) {
    if let Err(error) = bring_in(context) {
        warning!("{error}");
    }
}

fn not_written(error: Error) -> CommandError {
    let hint = match error {
        Error::Locked => Some("try again"),
        Error::NewerVersion { .. } => Some("use the command that came with the running DLL"),
        _ => None,
    };
    let error = CommandError::from(error).context("nothing was changed, because the journal cannot be written");
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
