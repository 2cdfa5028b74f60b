//! `rasadmin journal seal`.

use super::{Where, tidy};
use crate::output::grouped;
use crate::select::print_json;
use clap::Args;
use rasadmin_recorder::admin::AdminJournal;
use serde_json::json;

/// End the journal's current file, and write a checkpoint
///
/// The next record begins a new file. The earlier files no longer change, so you can copy them, and the checkpoint lets
/// the DLL start without reading them. You can run this while Remote Access runs.
///
/// Example:
///   rasadmin journal seal
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn seal(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.place.open()?;
    let tool =
        AdminJournal::open(&place.folder, &place.config).map_err(|e| format!("the journal cannot be written: {e}"))?;
    let Some(mut tool) = tool else {
        return Err(format!("{}: nothing was ever recorded here: check the path", place.folder.display()));
    };
    tidy::seal(&mut tool)?;
    let (checkpoint, number) = tidy::write_checkpoint(&place.folder)?;
    if arguments.json {
        return print_json(&json!({ "journal": place.folder, "last_record": number, "checkpoint": checkpoint }));
    }
    println!(
        "{}: the file ends with record {}; the checkpoint is {}",
        place.folder.display(),
        grouped(number),
        checkpoint.display()
    );
    Ok(0)
}
