//! `rasadmin purge`: delete what ended before a date.

use crate::error::Result;
use crate::output::Output;
use crate::retention::{RetentionArguments, forget};
use clap::Args;
use rasadmin_engine::effect::Forgetting;

/// Delete what ended before a date
///
/// Deletes sessions, links, leases, decisions and days of use, as a retention rule demands. Live sessions are never
/// touched. The ledger's file is overwritten where the data was; your backups and exports are not changed.
///
/// The journal contains names too. `rasadmin ledger update` deletes each of its files once every ledger has read it and
/// it is a week old. With --now, they are deleted at once.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin purge --before 2026-05-01
  rasadmin purge --before 2026-05-01 --now")]
pub struct Arguments {
    #[command(flatten)]
    retention: RetentionArguments,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    forget(arguments.retention, Forgetting::Purge, "Delete", "deleted", out)
}
