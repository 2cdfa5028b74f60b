//! `rasadmin journal check`.

use super::{Place, Where};
use crate::output::grouped;
use crate::select::print_json;
use crate::setup::{Stop, folders};
use clap::Args;
use rasadmin_journal::inventory::{self, Inventory};
use rasadmin_journal::{Error, Follower, Item, checkpoint, cursor, rights};
use rasadmin_setup::acl::{self, Object};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// How long a record may be half written.
const HALF_WRITTEN: Duration = Duration::from_millis(500);

/// Check the journal: checksums, numbers, missing records, and who can write it
///
/// It changes nothing, and you can run it while Remote Access runs. Exit code 1: something is wrong, and it says what
/// to do.
///
/// Example:
///   rasadmin journal check
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is wrong, and what to do about it.
struct Fault {
    what: String,
    remedy: String,
}

#[derive(Default)]
struct Found {
    records: u64,
    first: u64,
    last: u64,
    faults: Vec<Fault>,
}

impl Found {
    fn fault(&mut self, what: String, remedy: impl Into<String>) {
        self.faults.push(Fault { what, remedy: remedy.into() });
    }
}

pub fn check(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.place.open()?;
    let failed = |e: Error| format!("the journal cannot be read: {e}");
    let mut found = Found::default();
    let inventory = inventory::take(&place.folder).map_err(failed)?;
    files(&mut found, &inventory);
    records(&mut found, &place).map_err(failed)?;
    checkpoints(&mut found, &place.folder, &inventory).map_err(failed)?;
    whose(&mut found, &place.folder)?;
    let code = u8::from(!found.faults.is_empty());
    if arguments.json {
        let faults = found.faults.iter().map(|fault| json!({ "what": fault.what, "remedy": fault.remedy }));
        print_json(&json!({
            "journal": place.folder, "records": found.records, "first": found.first, "last": found.last,
            "files": inventory.segments.len(), "bytes": inventory.length(), "faults": faults.collect::<Vec<_>>(),
        }))?;
        return Ok(code);
    }
    let folder = place.folder.display();
    let count = crate::output::records(found.records);
    let records = format!("{count}, {} to {}", grouped(found.first), grouped(found.last));
    if found.faults.is_empty() {
        println!("{folder}: no fault found: {records}");
    } else {
        println!("{folder}: faults found ({records}):");
    }
    for Fault { what, remedy } in &found.faults {
        println!("  {}\n    {remedy}", crate::table::printable(what));
    }
    Ok(code)
}

fn files(found: &mut Found, inventory: &Inventory) {
    for (path, why) in &inventory.unusable {
        let what = format!("{} cannot be used: {why}", path.display());
        found.fault(what, "its records are missing; restore it from a backup, or move it away");
    }
    if let Some((path, version)) = &inventory.newer {
        let what = format!("{} was written by a newer rasadmin.dll, in format {version}", path.display());
        found.fault(what, "use the command that came with that DLL");
    }
}

fn records(found: &mut Found, place: &Place) -> Result<(), Error> {
    let Some(mut follower) = Follower::open(&place.folder)? else { return Ok(()) };
    found.first = follower.beginning().number + 1;
    read(found, &mut follower)?;
    if follower.is_before_damage() {
        // A process may be writing it at this moment.
        std::thread::sleep(HALF_WRITTEN);
        read(found, &mut follower)?;
    }
    found.last = follower.position().number;
    if follower.is_before_damage() {
        let what = format!("what follows record {} cannot be read", found.last);
        found.fault(
            what,
            "the DLL mends this when it writes its next record; `rasadmin journal seal` does it now: an incomplete record \
             is cleared, damaged records are left out and saved beside the file",
        );
    }
    Ok(())
}

fn read(found: &mut Found, follower: &mut Follower) -> Result<(), Error> {
    follower.read(|item| match item {
        Item::Gap { first, last } => {
            let what = format!("records {first} to {last} are missing: they could not be read");
            found.fault(what, "only a backup of the journal can bring them back; the ledger notes the gap");
        }
        Item::Record(record) => {
            found.records += 1;
            match rasadmin_recorder::decode(record.payload) {
                Ok(decoded) if decoded.unknown == 0 => {}
                Ok(_) => {
                    let what = format!("record {} has parts from a newer version", record.number);
                    found.fault(what, "use the command that came with the DLL that wrote it");
                }
                Err(e) => {
                    let what =
                        format!("record {} is complete, but this command does not understand it: {e}", record.number);
                    found.fault(
                        what,
                        "a newer version or another program wrote it: use the command that came with the DLL",
                    );
                }
            }
        }
    })
}

fn checkpoints(found: &mut Found, folder: &Path, inventory: &Inventory) -> Result<(), Error> {
    let mut good = false;
    for path in checkpoint::list(folder)? {
        match checkpoint::read(&path) {
            Ok(_) => good = true,
            Err(why) => {
                let what = format!("the checkpoint {} cannot be used: {why}", path.display());
                found.fault(what, "you can delete it: an older checkpoint or the records replace it");
            }
        }
    }
    if let Some(first) = inventory.segments.first().filter(|segment| segment.first > 1 && !good) {
        let what =
            format!("the journal begins with record {}, and no checkpoint contains what was before", first.first);
        found.fault(what, "sessions that began earlier are not counted; restore the journal's folder from a backup");
    }
    for cursor in cursor::list(folder)?.into_iter().filter(|cursor| cursor.position.is_none()) {
        let what = format!("the cursor of the ledger {} cannot be read", cursor.ledger);
        found.fault(what, "run `rasadmin ledger update` for that ledger: it writes the cursor again");
    }
    Ok(())
}

fn whose(found: &mut Found, folder: &Path) -> Result<(), String> {
    let mut dangers = Vec::new();
    match folders::add(&mut dangers, folder, Object::Folder) {
        Ok(()) => {}
        Err(Stop::Failed(why) | Stop::Refused(why)) => return Err(why),
    }
    for danger in dangers.iter().filter(|danger| danger.path != folder) {
        found.fault(danger.to_string(), acl::remedy(&danger.path));
    }
    let faults = rights::check(folder);
    if let Some(what) = rights::describe(&faults) {
        found.fault(what, rights::remedy(folder, &faults));
    }
    Ok(())
}
