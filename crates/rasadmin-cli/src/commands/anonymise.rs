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
/// The journal contains names too. `rasadmin ledger update` deletes each of its files once every ledger has read it and
/// it is a week old. With --now, they are deleted at once.
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
