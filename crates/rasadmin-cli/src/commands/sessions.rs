//! `rasadmin sessions`.

use super::top;
use crate::context::{ContextArguments, ZoneArguments};
use crate::error::{Exit, Result};
use crate::filter::{FilterArguments, LimitArguments, user_shown};
use crate::live::SeenSession;
use crate::output::Output;
use crate::table::{name, number, text};
use crate::{live, times};
use clap::Args;
use jiff::tz::TimeZone;
use rasadmin_ledger::report::SessionRow;

/// Show who is connected, and who was
///
/// Shows the latest first. Sessions imported from logs are shown for times that the ledger itself does not cover. A
/// connection whose first link was rejected or never came is not a session: see `rasadmin decisions`.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin sessions --live
  rasadmin sessions --watch
  rasadmin sessions --user alice --since 7d
  rasadmin sessions --since 2026-11-01 --until 2026-12-01 --limit 0 --json")]
pub struct Arguments {
    /// Only users who are connected now
    #[arg(long)]
    live: bool,
    /// Watch who is connected on a live screen, as `rasadmin top` does
    #[arg(long, conflicts_with_all = ["user", "server", "since", "until", "limit"])]
    watch: bool,
    /// With --watch: look again after so many seconds
    #[arg(long, value_name = "SECONDS", requires = "watch", default_value_t = top::EVERY, value_parser = top::seconds())]
    every: u16,
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
    if arguments.watch {
        let Arguments { every, zone, context, json, .. } = arguments;
        return top::run(top::Arguments { every, zone, context, json }, out);
    }
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    let limit = arguments.limit.of(arguments.json);
    let filter = arguments.filter.filter(&context, limit.to_ask_for())?;
    let mut sessions = context.reader()?.sessions(&filter, arguments.live)?;
    let more = limit.truncate(&mut sessions);
    let sessions = live::seen(sessions, context.journal().ok());
    if arguments.json {
        limit.warn_if(more);
        out.json(&sessions)?;
        return Ok(Exit::Success);
    }
    if sessions.is_empty() {
        writeln!(out, "{}", if arguments.live { "nobody is connected" } else { "no sessions found" })?;
        return Ok(Exit::Success);
    }
    let zone = &context.zone;
    print(out, &sessions, zone, true)?;
    let shown = sessions.len();
    writeln!(out, "\n  {}; received and sent: by the server", times::zone_name(zone))?;
    if sessions.iter().any(|session| session.listed.is_some()) {
        writeln!(
            out,
            "  heard: when octets last came from the client; a client that is gone stays in RRAS's list for a while"
        )?;
    }
    if more {
        writeln!(out, "  the latest {shown}; --limit 0 shows all")?;
    }
    Ok(Exit::Success)
}

/// Sessions as a table. `users`: with a column for the user.
pub fn print(out: &mut Output, sessions: &[SeenSession], zone: &TimeZone, users: bool) -> Result<()> {
    let servers = sessions.iter().any(|s| s.row.nas_identifier != sessions[0].row.nas_identifier);
    let heard = sessions.iter().any(|s| s.listed.is_some());
    let columns = [
        number("session", 0),
        text("began", 0),
        name("user", if users { 0 } else { 1 }),
        text("tunnel", 3),
        text("address", 1),
        text("from", 4),
        text("computer", 7),
        text("port", 6),
        text("server", 5),
        number("connected", 0),
        number("received", 2),
        number("sent", 2),
        text("end", 1),
        text("heard", 1),
    ];
    let now = times::now();
    let rows = sessions.iter().map(|seen| {
        let s = &seen.row;
        vec![
            s.id.to_string(),
            times::show(s.acct_start_time, zone),
            if users { user_shown(s.domain.as_ref(), s.name.as_ref(), &s.user_name) } else { String::new() },
            s.tunnel_type.clone().unwrap_or_default(),
            s.framed_ip_address.clone().or_else(|| s.framed_interface_id.clone()).unwrap_or_default(),
            s.calling_station_id.clone(),
            s.remote_computer.to_string(),
            s.port().unwrap_or_default(),
            if servers { s.nas_identifier.to_string() } else { String::new() },
            match (s.acct_stop_time, s.acct_session_time) {
                (None, _) if !s.is_live() => {
                    s.seconds_seen().map(|seconds| format!(">= {}", times::duration(seconds))).unwrap_or_default()
                }
                (None, _) => times::between(s.acct_start_time, now),
                (Some(_), Some(seconds)) if s.estimated => format!("~{}", times::duration(seconds)),
                (Some(_), Some(seconds)) => times::duration(seconds),
                (Some(stop), None) => times::between(s.acct_start_time, stop),
            },
            octets(s, s.acct_input_octets),
            octets(s, s.acct_output_octets),
            match (&s.imported, &s.closed_by) {
                (Some(log), _) if s.last_seen.is_some() => format!("end unknown ({log})"),
                (Some(log), _) => format!("imported ({log})"),
                (None, None) => "live".to_owned(),
                (None, Some(by)) => by.clone(),
            },
            if heard { seen.heard(now) } else { String::new() },
        ]
    });
    out.table(&columns, rows.collect())
}

fn octets(session: &SessionRow, octets: Option<u64>) -> String {
    let at_least = if session.octets_are.as_deref() == Some("lower bound") { ">= " } else { "" };
    octets.map(|octets| format!("{at_least}{}", times::octets(octets))).unwrap_or_default()
}
