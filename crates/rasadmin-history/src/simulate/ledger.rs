//! Reads attempts from the ledger: its sessions, including imported ones, and the attempts that were refused.

use super::{Attempt, Refused};
use crate::{Ended, PastSession, cause_number};
use rasadmin_engine::effect::Usage;
use rasadmin_engine::simulate::LONGEST_PERIOD;
use rasadmin_ledger::Error;
use rasadmin_ledger::report::{DecisionRow, Reader, SessionRow};
use rasadmin_policy::Millis;
use rasadmin_policy::{Fact, InterfaceType, Name, Quarantine, Stage, Tunnel};

/// How long before an attempt others may have begun that its limits and quotas count, apart from sessions that live: the
/// longest period, the day that has begun, and one more for its hours and those of the clock changes.
pub const LOOK_BACK: Millis = (LONGEST_PERIOD as Millis + 2) * 86_400_000;

/// The part of the ledger to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first moment. Sessions that are connected then belong to it.
    pub from: Millis,
    /// The first moment after it.
    pub to: Millis,
    /// The present. Live sessions count as connected until now.
    pub now: Millis,
}

/// How many attempts [`from_ledger`] would read.
pub fn count_in_ledger(reader: &Reader, period: Period) -> Result<u64, Error> {
    reader.attempts_in(period.from, period.to)
}

/// Reads every attempt that began in a period, and the sessions that were connected when it began.
pub fn from_ledger(reader: &Reader, period: Period) -> Result<Vec<Attempt>, Error> {
    let mut attempts = Vec::new();
    // A connection whose first link was rejected is not among the sessions, but among the decisions.
    reader.each_session_in(period.from, period.to, &mut |row| attempts.push(session(&row, period.now)))?;
    reader.each_denial_in(period.from, period.to, &mut |denied| attempts.extend(refused(&denied)))?;
    Ok(attempts)
}

fn session(row: &SessionRow, now: Millis) -> Attempt {
    let imported = row.imported.is_some();
    // What a log lacks is not known; what RRAS passed as empty is absent.
    let fact = |text: &str| match (text.is_empty(), imported) {
        (false, _) => Fact::Known(text.to_owned()),
        (true, true) => Fact::NotYetKnown,
        (true, false) => Fact::Absent,
    };
    let tunnel = row.tunnel_type.as_deref().and_then(|name| name.parse::<Tunnel>().ok());
    let usage = Usage {
        seconds: row.acct_session_time.unwrap_or(0),
        input_octets: row.acct_input_octets.unwrap_or(0),
        output_octets: row.acct_output_octets.unwrap_or(0),
        input_packets: row.acct_input_packets.unwrap_or(0),
        output_packets: row.acct_output_packets.unwrap_or(0),
    };
    let ended = row.acct_stop_time.map(|stop| Ended {
        stop,
        usage,
        cause: row.acct_terminate_cause.as_deref().and_then(cause_number),
        estimated: row.estimated,
    });
    let absent_or_lacking = if imported { Fact::NotYetKnown } else { Fact::Absent };
    let session = PastSession {
        key: row.acct_session_id.clone(),
        server: row.nas_identifier.clone(),
        user: row.user_name.clone(),
        domain: row.domain.clone().unwrap_or_default(),
        start: row.acct_start_time,
        ended,
        last_seen: row.connected_until(now),
        tunnel: tunnel.map_or_else(|| absent_or_lacking.clone(), Fact::Known),
        port: row.nas_port_id.clone().map_or(Fact::NotYetKnown, Fact::Known),
        // A log may have a phone number in its place.
        source: match row.calling_station_id.parse() {
            Ok(address) => Fact::Known(address),
            Err(_) if imported => Fact::NotYetKnown,
            Err(_) => Fact::Absent,
        },
        computer: fact(row.remote_computer.as_str()).map(Name::from_stored),
        quarantine: if imported { Fact::NotYetKnown } else { Fact::arrived(Quarantine::from_name(&row.quarantine)) },
        interface: if imported {
            Fact::NotYetKnown
        } else {
            Fact::arrived(InterfaceType::from_name(&row.interface_type))
        },
        address: flat(fact(row.framed_ip_address.as_deref().unwrap_or_default()), |text| text.parse().ok()),
        links: row.acct_link_count.max(1),
    };
    Attempt { session, ipv6: row.framed_interface_id.is_some(), refused: None }
}

/// A known text that cannot be parsed counts as absent.
fn flat<T>(fact: Fact<String>, read: impl FnOnce(&str) -> Option<T>) -> Fact<T> {
    match fact {
        Fact::Known(text) => Fact::arrived(read(&text)),
        Fact::NotYetKnown => Fact::NotYetKnown,
        Fact::Absent => Fact::Absent,
    }
}

/// An attempt that was refused. Only what was known at the time is known of it. A reauthentication or an endpoint
/// change is not an attempt. What a block refused, no configuration would have accepted.
fn refused(denied: &DecisionRow) -> Option<Attempt> {
    if matches!(denied.stage, Stage::Reauthentication | Stage::EndpointChange) || denied.is_blocked() {
        return None;
    }
    let facts = &denied.facts;
    let because = denied.rule.clone().or_else(|| denied.reason.clone()).unwrap_or_else(|| "(default)".to_owned());
    let refused = if denied.imported.is_some() { Refused::ByNps(because) } else { Refused::ByDll(because) };
    let session = PastSession {
        key: format!("decision {}", denied.id),
        server: denied.server.clone(),
        user: if denied.user_name.is_empty() {
            denied.name.clone().unwrap_or_default()
        } else {
            denied.user_name.clone()
        },
        domain: denied.domain.clone().unwrap_or_default(),
        start: denied.time,
        ended: None,
        last_seen: denied.time,
        tunnel: facts.tunnel.clone(),
        port: facts.port.clone(),
        source: facts.source.clone(),
        computer: facts.computer.clone(),
        quarantine: facts.quarantine.clone(),
        interface: facts.interface.clone(),
        address: Fact::NotYetKnown,
        links: 1,
    };
    Some(Attempt { session, ipv6: denied.stage == Stage::Ipv6Address, refused: Some(refused) })
}
