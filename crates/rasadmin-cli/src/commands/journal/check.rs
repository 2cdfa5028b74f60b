//! `rasadmin journal check`.

use super::{JournalArguments, JournalContext};
use crate::error::{Exit, Result, WithContext};
use crate::format::grouped;
use crate::output::Output;
use crate::setup::permissions;
use clap::Args;
use rasadmin_journal::inventory::{self, Inventory};
use rasadmin_journal::{Error, Follower, Item, checkpoint, cursor, rights};
use rasadmin_rights::Object;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// What an error of the journal keeps this command from.
const CANNOT_READ: &str = "the journal cannot be read";

/// How long a record may be half written.
const HALF_WRITTEN: Duration = Duration::from_millis(500);

/// Check the journal: checksums, numbers, missing records, and who can write it
///
/// This changes nothing, and you can run it while Remote Access runs. If something is wrong, the exit code is 1, and
/// the command says what to do.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  rasadmin journal check")]
pub struct Arguments {
    #[command(flatten)]
    journal: JournalArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is wrong, and what to do about it.
#[derive(Serialize, JsonSchema)]
struct Fault {
    /// What is wrong.
    what: String,
    /// What to do about it.
    remedy: String,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
pub struct Answer {
    /// The journal's folder.
    journal: String,
    /// How many records it has.
    records: u64,
    /// The number of the first.
    first: u64,
    /// The number of the last.
    last: u64,
    /// How many files it has.
    files: usize,
    /// How long they are together, in bytes.
    bytes: u64,
    /// What is wrong. Empty: nothing.
    faults: Vec<Fault>,
}

type Read = std::result::Result<(), Error>;

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

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.journal.open()?;
    let mut found = Found::default();
    let inventory = inventory::take(&context.folder).context(CANNOT_READ)?;
    files(&mut found, &inventory);
    records(&mut found, &context).context(CANNOT_READ)?;
    checkpoints(&mut found, &context.folder, &inventory).context(CANNOT_READ)?;
    permissions(&mut found, &context.folder)?;
    let exit = Exit::no_if(!found.faults.is_empty());
    let Found { records, first, last, faults } = found;
    let answer = Answer {
        journal: context.folder.display().to_string(),
        records,
        first,
        last,
        files: inventory.segments.len(),
        bytes: inventory.length(),
        faults,
    };
    if arguments.json {
        out.json(&answer)?;
        return Ok(exit);
    }
    let Answer { journal, faults, .. } = answer;
    let records = format!("{}, {} to {}", crate::format::records(records), grouped(first), grouped(last));
    if faults.is_empty() {
        writeln!(out, "{journal}: no fault found: {records}")?;
    } else {
        writeln!(out, "{journal}: faults found ({records}):")?;
    }
    for Fault { what, remedy } in &faults {
        writeln!(out, "  {}\n    {remedy}", rasadmin_text::printable(what))?;
    }
    Ok(exit)
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

fn records(found: &mut Found, context: &JournalContext) -> Read {
    let Some(mut follower) = Follower::open(&context.folder)? else { return Ok(()) };
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

fn read(found: &mut Found, follower: &mut Follower) -> Read {
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

fn checkpoints(found: &mut Found, folder: &Path, inventory: &Inventory) -> Read {
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

fn permissions(found: &mut Found, folder: &Path) -> Result<()> {
    let mut unsafe_permissions = Vec::new();
    permissions::add(&mut unsafe_permissions, folder, Object::Folder)?;
    for one in unsafe_permissions.iter().filter(|one| one.path != folder) {
        found.fault(one.to_string(), rasadmin_rights::remedy(&one.path));
    }
    let faults = rights::check(folder);
    if let Some(what) = rights::describe(&faults) {
        found.fault(what, rights::remedy(folder, &faults));
    }
    Ok(())
}
