//! `rasadmin anonymise`: remove personal data from what ended before a date.

use crate::error::Result;
use crate::output::Output;
use crate::retention::{RetentionArguments, forget};
use clap::Args;
use rasadmin_engine::effect::Forgetting;

/// Remove personal data from what ended before a date
///
/// Users become pseudonyms that cannot be traced back; computers and public addresses are removed. Times, amounts,
/// tunnels, rules and VPN addresses stay, so reports over that time still add up. Live sessions are never touched.
/// Configurations that were in force are kept as they are: they name users in rules and groups.
///
/// The journal contains names too. It deletes each of its files a week after the ledger has read it, or at once with
/// --now.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin anonymise --before 2026-05-01
  rasadmin anonymise --before today --user 'CORP\\alice'")]
pub struct Arguments {
    #[command(flatten)]
    retention: RetentionArguments,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    forget(arguments.retention, Forgetting::Anonymise, "Make anonymous", "made anonymous", out)
}
