//! `rasadmin users`: the users that the ledger knows.

use crate::context::{ContextArguments, ZoneArguments};
use crate::error::{Exit, Result};
use crate::filter::{FilterArguments, LimitArguments, user_shown};
use crate::output::Output;
use crate::table::{name, number, text};
use crate::times;
use clap::Args;

/// List the users that the ledger knows
///
/// Lists everyone who was accepted or denied, with their groups.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin users
  rasadmin users --since 30d --json")]
pub struct Arguments {
    #[command(flatten)]
    filter: FilterArguments,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    limit: LimitArguments,
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    let filter = arguments.filter.filter(&context, None)?;
    let mut users = context.reader()?.users(&filter)?;
    let cut = arguments.limit.of(arguments.json).cut(&mut users);
    if arguments.json {
        out.json(&users)?;
        return Ok(Exit::Success);
    }
    if users.is_empty() {
        writeln!(out, "no users found")?;
        return Ok(Exit::Success);
    }
    let zone = &context.zone;
    let groups: Vec<_> = context.config.groups.names().collect();
    let columns = [
        name("user", 0),
        text("groups", 3),
        number("live", 0),
        number("sessions", 0),
        text("first", 4),
        text("last", 1),
        text("last denied", 2),
    ];
    let rows = users.iter().map(|user| {
        let identity = rasadmin_policy::Identity { domain: user.domain.clone(), name: user.name.clone() };
        let of = context.config.groups.of(&identity);
        let names: Vec<_> = of.iter().filter_map(|group| groups.get(group.0 as usize).copied()).collect();
        vec![
            user_shown(Some(&user.domain), Some(&user.name), &user.name),
            names.join(", "),
            user.live_sessions.to_string(),
            user.sessions.to_string(),
            user.first.map(|time| times::show(time, zone)).unwrap_or_default(),
            user.last.map(|time| times::show(time, zone)).unwrap_or_default(),
            user.last_denied.map(|time| times::show(time, zone)).unwrap_or_default(),
        ]
    });
    out.table(&columns, rows.collect())?;
    writeln!(out, "\n  {}", times::zone_name(zone))?;
    cut.map_or(Ok(()), |cut| writeln!(out, "{cut}"))?;
    Ok(Exit::Success)
}
