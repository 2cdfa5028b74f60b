//! `rasadmin ledger check`.

use crate::here::Here;
use crate::present;
use crate::select::print_json;
use clap::Args;
use serde_json::json;

/// Check the ledger: its file, its contents, and whether it agrees with the journal
///
/// Exit code 1: something is wrong, and it says what to do.
///
/// Example:
///   rasadmin ledger check
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn check(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let reader = place.reader()?;
    let mut faults = reader.faults().map_err(|e| e.to_string())?;
    if let Some(present) = present::read(&place)? {
        faults.extend(reader.differences(&present.state).map_err(|e| e.to_string())?);
    }
    let counts = reader.counts().map_err(|e| e.to_string())?;
    let code = u8::from(!faults.is_empty());
    if arguments.json {
        print_json(&json!({ "ledger": place.ledger, "faults": faults, "counts": counts }))?;
        return Ok(code);
    }
    if faults.is_empty() {
        println!(
            "{}: no fault found: {} sessions ({} live, {} imported), {} decisions",
            place.ledger.display(),
            counts.sessions + counts.imported_sessions,
            counts.live_sessions,
            counts.imported_sessions,
            counts.decisions
        );
    } else {
        println!("{}: faults found:", place.ledger.display());
        faults.iter().for_each(|fault| println!("  {fault}"));
        println!(
            "\nKeep a copy of the ledger as it is. Then restore a backup (`rasadmin ledger backup --help` says how). If you \
             have none, move the ledger away: the next command makes a new one from what the journal still has."
        );
    }
    if counts.lost_events > 0 {
        println!("{} events were lost while the journal could not be written", counts.lost_events);
    }
    Ok(code)
}
