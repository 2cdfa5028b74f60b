//! Converts sessions and refused attempts of a log for the ledger.

use crate::causes::cause_name;
use crate::logs::{LogRefusal, LogRestart, LogSession, known};
use crate::reasons::reason;
use rasadmin_ledger::imported::{ImportedRefusal, ImportedRestart, ImportedSession, ImportedUsage, NO_END};
use rasadmin_policy::{Domains, Fact, Facts, Name, Tunnel, timestamp};

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
        calling: past.source.known().map_or_else(|| session.calling.clone(), ToString::to_string),
        tunnel: tunnel.or(session.tunnel_number.map(|number| number.to_string())),
        nas_port: session.nas_port,
        port: past.port.known().filter(|port| !Name::is_empty(port)).cloned(),
        address: past.address.known().copied(),
        interface_id: session.interface_id.clone(),
        prefix: session.prefix.clone(),
        start: past.start,
        stop: stop.max(past.start),
        seconds: session.seconds,
        usage: session.usage,
        exact: past.ended.is_some() && !session.lower_bound && (session.gigawords || is_exact(&session.usage)),
        links: past.links,
        cause: past.ended.and_then(|ended| ended.cause).map(cause_name),
        closed_by,
        estimated,
        continued: session.continued,
    }
}

/// Converts an attempt that NPS refused. `domains` maps its user's name to an identity.
pub fn refused(refusal: &LogRefusal, domains: &Domains) -> ImportedRefusal {
    let past = &refusal.session.past;
    ImportedRefusal {
        key: past.key.clone(),
        source: refusal.session.format.name(),
        time: past.start,
        user_name: past.user.clone(),
        facts: Facts {
            time: timestamp(past.start),
            server: past.server.clone(),
            user: Fact::arrived(domains.identity(&past.user, &past.domain)),
            port: past.port.clone(),
            tunnel: past.tunnel.clone(),
            source: past.source.clone(),
            computer: past.computer.clone(),
            quarantine: past.quarantine.clone(),
            interface: past.interface.clone(),
        },
        reason_code: refusal.reason_code,
        reason: reason(refusal.reason_code),
    }
}

/// Converts a restart for the ledger.
pub fn restarted(restart: &LogRestart) -> ImportedRestart {
    ImportedRestart { server: restart.server.clone(), time: restart.time }
}

/// Are the octets exact? Without a number of frames, a counter may have wrapped.
fn is_exact(usage: &ImportedUsage) -> bool {
    let usage = known(usage, 0);
    let (octets, packets) = (usage.input_octets | usage.output_octets, usage.input_packets | usage.output_packets);
    octets == 0 || (packets > 0 && usage.is_exact())
}
