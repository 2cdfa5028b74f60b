//! `rasadmin ledger check`.

use crate::here::Here;
use crate::present;
use crate::select::print_json;
use clap::Args;
use serde_json::json;

/// Look whether the ledger is sound: the file, what must always hold in it, and whether it says what the journal says
///
/// Exit code 1: something is wrong with it.
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
            "{}: it is sound: {} sessions ({} live, {} imported), {} decisions",
            place.ledger.display(),
            counts.sessions + counts.imported_sessions,
            counts.live_sessions,
            counts.imported_sessions,
            counts.decisions
        );
    } else {
        println!("{}: something is wrong with it:", place.ledger.display());
        faults.iter().for_each(|fault| println!("  {fault}"));
        println!(
            "\nKeep a copy of it as it is. A backup can take its place: `rasadmin ledger backup --help` says how; without \
             one, move it away: the next command makes a new one of what the journal still has."
        );
    }
    if counts.lost_events > 0 {
        println!("{} events were lost while the journal could not be written", counts.lost_events);
    }
    Ok(code)
}
