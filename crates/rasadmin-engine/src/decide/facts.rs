//! Makes the facts that the rules see from an event.

use super::Context;
use crate::event::{AddressEvent, ConnectionEvent, LinkEvent};
use crate::rules::GroupSet;
use crate::state::Session;
use crate::{Fact, Facts, Identity, Millis, Name, Tunnel, timestamp};

/// The facts of an address call: it carries a user and a port, but no domain.
pub fn of_address(context: &Context<'_>, event: &AddressEvent, time: Millis) -> Facts {
    without_lacking(
        context,
        Facts {
            user: context.config.domains.identity_fact(&event.user, None),
            port: named(&event.port),
            ..nothing(context, time)
        },
    )
}

/// The facts of a connection's event. `known` is its session, which keeps what its first link reported.
pub fn of_connection(context: &Context<'_>, event: &ConnectionEvent, known: Option<&Session>, time: Millis) -> Facts {
    let ikev2 = if event.ikev2 == Some(true) { Fact::Known(Tunnel::Ikev2) } else { Fact::NotYetKnown };
    without_lacking(
        context,
        Facts {
            user: context.config.domains.identity_fact(&event.user, Some(&event.domain)),
            port: known.map_or(Fact::NotYetKnown, port_of),
            tunnel: known.and_then(|session| session.tunnel).map_or(ikev2, Fact::Known),
            source: Fact::arrived(event.source.parse().ok()),
            computer: named(&event.computer),
            quarantine: Fact::arrived(event.quarantine),
            interface: Fact::Known(event.interface),
            ..nothing(context, time)
        },
    )
}

/// The facts of a link: its port and tunnel, and the rest from its connection. `connection` is `None` if the
/// connection is unknown.
pub fn of_link(context: &Context<'_>, event: &LinkEvent, connection: Option<Facts>, time: Millis) -> Facts {
    let mut facts = connection.unwrap_or_else(|| Facts {
        user: Fact::Absent,
        source: Fact::Absent,
        computer: Fact::Absent,
        quarantine: Fact::Absent,
        interface: Fact::Absent,
        ..nothing(context, time)
    });
    facts.time = timestamp(time);
    facts.port = named(&event.port);
    facts.tunnel = event.tunnel.map_or_else(|| Fact::arrived(facts.tunnel.known().copied()), Fact::Known);
    without_lacking(context, facts)
}

/// The facts that a session keeps of its connection.
pub fn of_session(context: &Context<'_>, session: &Session, time: Millis) -> Facts {
    without_lacking(
        context,
        Facts {
            user: Fact::arrived(session.user.clone()),
            port: port_of(session),
            tunnel: session.tunnel.map_or(Fact::NotYetKnown, Fact::Known),
            source: Fact::arrived(session.source.parse().ok()),
            computer: named(&session.computer),
            quarantine: Fact::arrived(session.quarantine),
            interface: Fact::Known(session.interface),
            ..nothing(context, time)
        },
    )
}

/// Marks the facts that the source lacks as not yet known.
fn without_lacking(context: &Context<'_>, mut facts: Facts) -> Facts {
    let lacking = context.lacking;
    if lacking.port {
        facts.port = Fact::NotYetKnown;
    }
    if lacking.tunnel {
        facts.tunnel = Fact::NotYetKnown;
    }
    if lacking.source {
        facts.source = Fact::NotYetKnown;
    }
    if lacking.computer {
        facts.computer = Fact::NotYetKnown;
    }
    if lacking.quarantine {
        facts.quarantine = Fact::NotYetKnown;
    }
    if lacking.interface {
        facts.interface = Fact::NotYetKnown;
    }
    facts
}

/// Facts of which only the time and the server are known.
pub(crate) fn nothing(context: &Context<'_>, time: Millis) -> Facts {
    Facts {
        time: timestamp(time),
        server: context.server.clone(),
        user: Fact::NotYetKnown,
        port: Fact::NotYetKnown,
        tunnel: Fact::NotYetKnown,
        source: Fact::NotYetKnown,
        computer: Fact::NotYetKnown,
        quarantine: Fact::NotYetKnown,
        interface: Fact::NotYetKnown,
    }
}

fn port_of(session: &Session) -> Fact<Name> {
    session.port.clone().filter(|port| !port.is_empty()).map_or(Fact::NotYetKnown, Fact::Known)
}

fn named(name: &Name) -> Fact<Name> {
    Fact::arrived(Some(name.clone()).filter(|name| !name.is_empty()))
}

/// The user's groups.
pub(crate) fn groups_of(context: &Context<'_>, user: Option<&Identity>) -> GroupSet {
    user.map(|user| context.config.groups.of(user)).unwrap_or_default()
}
