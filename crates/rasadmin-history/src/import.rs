//! Converts sessions of a log for the ledger.

use crate::causes::cause_name;
use crate::logs::LogSession;
use rasadmin_engine::effect::Usage;
use rasadmin_ledger::imported::{ImportedSession, NO_END};
use rasadmin_policy::{Domains, Name, Tunnel};

/// Converts a session for the ledger. `domains` maps its user's name to an identity.
pub fn imported(session: &LogSession, domains: &Domains) -> ImportedSession {
    let past = &session.past;
    let (stop, estimated, closed_by) = match &past.ended {
        None => (past.last_seen, true, NO_END),
        Some(ended) if ended.estimated => (ended.stop, true, "instance ended"),
        Some(ended) => (ended.stop, false, "hangup"),
    };
    let tunnel = past.tunnel.known().copied().map(|tunnel| Tunnel::name(tunnel).to_owned());
    ImportedSession {
        key: past.key.clone(),
        source: session.format.name(),
        server: past.server.clone(),
        user: domains.identity(&past.user, &past.domain),
        user_name: past.user.clone(),
        computer: past.computer.known().cloned().unwrap_or_default(),
        calling: past.source.known().map(ToString::to_string).unwrap_or_default(),
        tunnel: tunnel.or(session.tunnel_number.map(|number| number.to_string())),
        port: past.port.known().filter(|port| !Name::is_empty(port)).cloned(),
        address: past.address.known().copied(),
        interface_id: session.interface_id.clone(),
        prefix: session.prefix.clone(),
        start: past.start,
        stop: stop.max(past.start),
        seconds: session.seconds,
        usage: session.usage,
        exact: past.ended.is_some() && session.usage.is_some_and(|usage| session.gigawords || is_exact(&usage)),
        links: past.links,
        cause: past.ended.and_then(|ended| ended.cause).map(cause_name),
        closed_by,
        estimated,
    }
}

/// Are the octets exact? Without a number of frames, a counter may have wrapped.
fn is_exact(usage: &Usage) -> bool {
    let (octets, packets) = (usage.input_octets | usage.output_octets, usage.input_packets | usage.output_packets);
    octets == 0 || (packets > 0 && usage.is_exact())
}
