//! `rasadmin disconnect list`.

use crate::context::{ContextArguments, ZoneArguments};
use crate::error::{Exit, Result};
use crate::filter::{FilterArguments, LimitArguments, user_shown};
use crate::output::Output;
use crate::table::{name, number, text};
use crate::times;
use clap::Args;
use jiff::tz::TimeZone;
use rasadmin_ledger::report::SessionRow;

/// List sessions that were or would be disconnected, and why
///
/// Shows the latest first. Each session appears once, with the last decision about it and the time of that decision.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin disconnect list --since today
  rasadmin disconnect list --user alice --json")]
pub struct Arguments {
    #[command(flatten)]
    filter: FilterArguments,
    #[command(flatten)]
    limit: LimitArguments,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    context: ContextArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    let limit = arguments.limit.of(arguments.json);
    let filter = arguments.filter.filter(&context, limit.to_ask_for())?;
    let mut sessions = context.reader()?.disconnects(&filter)?;
    let more = limit.truncate(&mut sessions);
    if arguments.json {
        limit.warn_if(more);
        out.json(&sessions)?;
        return Ok(Exit::Success);
    }
    if sessions.is_empty() {
        writeln!(out, "no session was or would be disconnected")?;
        return Ok(Exit::Success);
    }
    let zone = &context.zone;
    let columns = [
        text("time", 0),
        name("user", 0),
        number("session", 0),
        text("why", 0),
        text("outcome", 0),
        text("ended", 1),
        name("reason", 3),
        text("by", 2),
        text("server", 4),
    ];
    let servers = sessions.iter().any(|s| s.nas_identifier != sessions[0].nas_identifier);
    let rows = sessions.iter().map(|s| row(s, servers, zone));
    out.table(&columns, rows.collect())?;
    writeln!(out, "\n  {}", times::zone_name(zone))?;
    if sessions.iter().any(|s| s.disconnect.as_deref() == Some("reported")) {
        writeln!(
            out,
            "  only reported: it stayed connected, because service.disconnect.mode was \"report\" for rules"
        )?;
    }
    if sessions.iter().any(|s| s.disconnect.as_deref() == Some("marked")) {
        writeln!(out, "  marked: the rasadmin service has not dealt with it yet")?;
    }
    if more {
        writeln!(out, "  the latest {}; --limit 0 shows all", sessions.len())?;
    }
    Ok(Exit::Success)
}

fn row(s: &SessionRow, servers: bool, zone: &TimeZone) -> Vec<String> {
    let show = |time| times::show(time, zone);
    let live = s.is_live();
    vec![
        s.disconnect_time.map(show).unwrap_or_default(),
        user_shown(s.domain.as_ref(), s.name.as_ref(), &s.user_name),
        s.id.to_string(),
        match (s.disconnect_why.as_deref(), &s.disconnect_rule) {
            (Some("rule"), Some(rule)) => format!("rule {rule}"),
            (why, _) => why.unwrap_or_default().to_owned(),
        },
        match s.disconnect.as_deref() {
            Some("enforced") if live => "RRAS is asked".to_owned(),
            Some("enforced") => "disconnected".to_owned(),
            Some("reported") => "only reported".to_owned(),
            other => other.unwrap_or_default().to_owned(),
        },
        if live { "live".to_owned() } else { s.acct_stop_time.map(show).unwrap_or_default() },
        s.disconnect_reason.clone().unwrap_or_default(),
        s.disconnect_by.clone().unwrap_or_default(),
        if servers { s.nas_identifier.to_string() } else { String::new() },
    ]
}
