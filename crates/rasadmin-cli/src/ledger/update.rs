//! `rasadmin ledger update`.

use crate::bring_in;
use crate::here::Here;
use crate::journal::tidy;
use crate::output::{count, grouped, records};
use crate::select::print_json;
use clap::Args;
use rasadmin_policy::config::file::Durability;
use serde_json::json;

/// Bring the journal into the ledger, and delete old files of the journal
///
/// Every command that reads the ledger brings it up to date first, so this one is for a daily schedule: it keeps the
/// journal short. It deletes the journal's files a week after every ledger has read them.
///
/// Example:
///   rasadmin ledger update
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn update(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let journal = place.journal()?;
    let durable = place.config.durability == Durability::Fsync;
    let brought = bring_in::bring_in(journal, &place.ledger, &place.server(), durable, true);
    let brought = brought.map_err(|e| format!("the ledger cannot be brought up to date: {e}"))?;
    let Some(brought) = brought else {
        println!("{}: this folder has no journal yet: start Remote Access with the DLL", journal.display());
        return Ok(0);
    };
    bring_in::warnings(&brought).iter().for_each(|warning| eprintln!("warning: {warning}"));
    let checkpoint = tidy::checkpoint_if_due(journal).unwrap_or_else(|why| {
        eprintln!("warning: {why}");
        None
    });
    let deleted = tidy::delete_old(journal)?;
    if arguments.json {
        return print_json(&json!({
            "ledger": place.ledger, "journal": journal, "records": brought.records,
            "last_record": brought.position.map(|place| place.number), "gaps": brought.gaps, "read_again": brought.reread,
            "unknown": brought.unknown, "unreadable": brought.unreadable, "forgotten": brought.forgotten,
            "checkpoint": checkpoint.map(|(path, _)| path),
            "deleted": deleted.iter().map(|segment| &segment.path).collect::<Vec<_>>(),
        }));
    }
    let last = brought.position.map_or(0, |place| place.number);
    println!("{}: {} brought in, up to record {}", place.ledger.display(), records(brought.records), grouped(last));
    if let Some((path, _)) = checkpoint {
        println!("a checkpoint was written: {}", path.display());
    }
    if let (Some(first), Some(last)) = (deleted.first(), deleted.last()) {
        let files = count(deleted.len(), "file");
        println!("deleted from the journal: {files}, records {} to {}", grouped(first.first), grouped(last.last));
    }
    Ok(0)
}
