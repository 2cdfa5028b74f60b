//! `rasadmin sessions`.

use crate::here::Here;
use crate::select::{Select, print_json, user_shown};
use crate::table::{self, number, text};
use crate::times;
use clap::Args;
use rasadmin_ledger::report::SessionRow;

/// Who is connected, and who was
///
/// The latest first. Sessions that were imported from other logs are shown where the ledger itself has none.
///
/// Examples:
///   rasadmin sessions --live
///   rasadmin sessions --user alice --since 7d
///   rasadmin sessions --since 2026-11-01 --until 2026-12-01 --limit 0 --json
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Only those that are connected now
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    select: Select,
    /// At most so many; 0: all
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    here: Here,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn sessions(arguments: Arguments) -> Result<u8, String> {
    let place = arguments.here.open()?;
    let limit = Some(arguments.limit).filter(|limit| *limit > 0);
    // One more tells whether there are more.
    let which = arguments.select.filter(&place, limit.map(|limit| limit.saturating_add(1)))?;
    let mut sessions = place.reader()?.sessions(&which, arguments.live).map_err(|e| e.to_string())?;
    let more = limit.is_some_and(|limit| sessions.len() > limit as usize);
    sessions.truncate(limit.map_or(usize::MAX, |limit| limit as usize));
    if arguments.json {
        return print_json(&sessions);
    }
    if sessions.is_empty() {
        println!("{}", if arguments.live { "nobody is connected" } else { "there is no such session" });
        return Ok(0);
    }
    let zone = &place.config.zone;
    let servers = sessions.iter().any(|s| s.nas_identifier != sessions[0].nas_identifier);
    let columns = [
        number("session", 0),
        text("began", 0),
        text("user", 0),
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
    ];
    let now = times::now();
    let rows = sessions.iter().map(|s| {
        vec![
            s.id.to_string(),
            times::show(s.acct_start_time, zone),
            user_shown(s.domain.as_ref(), s.name.as_ref(), &s.user_name),
            s.tunnel_type.clone().unwrap_or_default(),
            s.framed_ip_address.clone().or_else(|| s.framed_interface_id.clone()).unwrap_or_default(),
            s.calling_station_id.clone(),
            s.remote_computer.to_string(),
            s.nas_port_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            if servers { s.nas_identifier.to_string() } else { String::new() },
            match (s.acct_stop_time, s.acct_session_time) {
                (None, _) => times::between(s.acct_start_time, now),
                (Some(_), Some(seconds)) if s.estimated => format!("~{}", times::duration(seconds)),
                (Some(_), Some(seconds)) => times::duration(seconds),
                (Some(stop), None) => times::between(s.acct_start_time, stop),
            },
            octets(s, s.acct_input_octets),
            octets(s, s.acct_output_octets),
            match (&s.imported, &s.closed_by) {
                (Some(log), _) => format!("imported ({log})"),
                (None, None) => "live".to_owned(),
                (None, Some(by)) => by.clone(),
            },
        ]
    });
    table::print(&columns, rows.collect());
    let shown = sessions.len();
    println!("\n  {}; received and sent: by the server", times::zone_name(zone));
    if more {
        println!("  the latest {shown}; --limit 0 shows all");
    }
    Ok(0)
}

fn octets(session: &SessionRow, octets: Option<u64>) -> String {
    let at_least = if session.octets_are.as_deref() == Some("lower bound") { ">= " } else { "" };
    octets.map(|octets| format!("{at_least}{}", times::octets(octets))).unwrap_or_default()
}
