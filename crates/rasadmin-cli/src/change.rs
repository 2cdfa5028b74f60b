//! A change by an administrator is an event in the server's journal. The DLL applies it at its next call, and the
//! ledger has it when this command ends.

use crate::here::Place;
use crate::{bring_in, moment};
use rasadmin_engine::{Event, State};
use rasadmin_ledger::ingest::IngestSummary;
use rasadmin_policy::Name;
use rasadmin_policy::config::file::Durability;
use rasadmin_recorder::admin::AdminJournal;

/// Opens the place's journal for an event.
pub fn open(place: &Place) -> Result<AdminJournal, String> {
    let journal = place.journal()?;
    let opened = AdminJournal::open(journal, &place.config).map_err(failed)?;
    opened.ok_or_else(|| {
        format!("{}: nothing was ever recorded here: check the path, or start Remote Access", journal.display())
    })
}

/// Does the journal belong to this server? Another server's is changed over there.
pub fn is_here(tool: &AdminJournal, server: &Name) -> Result<(), String> {
    let own = tool.state().server();
    if own.folded() == server.folded() {
        return Ok(());
    }
    Err(format!("that is on {server}, and this journal is {own}'s: run the command on {server}"))
}

/// Records an event, unless `look` finds that there is nothing to record.
pub fn tell<T>(tool: &mut AdminJournal, look: impl FnOnce(&State) -> (T, Option<Event>)) -> Result<T, String> {
    let now = moment::now(tool.folder(), tool.state().last())?;
    let told = tool.record(&now, look).map_err(failed)?;
    told.ok_or_else(|| {
        let folder = tool.folder().display();
        format!("{folder}: Remote Access has never started with this journal: start it with the DLL first")
    })
}

/// Brings the event into the ledger. It stays in the journal even if this fails.
pub fn bring_in(place: &Place) -> Result<Option<IngestSummary>, String> {
    let durable = place.config.durability == Durability::Fsync;
    let brought = bring_in::bring_in(place.journal()?, &place.ledger, &place.server(), durable, true);
    let brought = brought.map_err(|e| format!("the change is in force, but the ledger does not have it yet: {e}"))?;
    brought.iter().flat_map(bring_in::warnings).for_each(|warning| eprintln!("warning: {warning}"));
    Ok(brought)
}

fn failed(error: rasadmin_journal::Error) -> String {
    let remedy = match error {
        rasadmin_journal::Error::Locked => "; try again",
        rasadmin_journal::Error::NewerVersion { .. } => "; use the command that came with the running DLL",
        _ => "",
    };
    format!("nothing was changed, because the journal cannot be written: {error}{remedy}")
}
