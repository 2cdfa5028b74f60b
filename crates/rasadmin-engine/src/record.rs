//! What the events mean for the ledger: which lease and which link belong to which session, ghosts, and odd sequences.
//!
//! An event *arrives* first: what it contradicts is ended (a port, handle or GUID that starts again had a session that
//! nobody hung up). Then it is decided, and *concluded*: recorded with its decision. A record that waited in the spool
//! takes the same two steps, with the decision that was given then.

use crate::addresses::{Address, Family};
use crate::config::Config;
use crate::event::{AddressEvent, ConnectionEvent, Given, LinkEvent, Record, What};
use crate::ledger::{
    Away, ClosedBy, Closing, Decision, EndedBy, Id, Lease, LiveSession, Millis, NewLease, NewLink, NewSession, Origin,
    Transaction, Usage,
};
use crate::pools::Tags;
use crate::rules::period::days_between;
use crate::{Identity, Name, Tunnel};
use rasadmin_messages::Message;
use rasadmin_policy::timestamp;

/// A lease that no connection took, and a lease whose session has ended, ends after this: milliseconds.
pub const LEASE_WAITS: Millis = 5 * 60 * 1000;

/// A session without a link ends after this: milliseconds.
pub const SESSION_WAITS: Millis = 60 * 1000;

/// A transaction of one event, and what it happens in.
pub struct Book<'a> {
    /// The transaction.
    pub ledger: &'a mut dyn Transaction,
    /// The configuration.
    pub config: &'a Config,
    /// This server.
    pub server: &'a Name,
    /// This service instance.
    pub instance: Id,
    /// The pools' rows.
    pub tags: &'a mut Tags,
    /// The event's time.
    pub time: Millis,
}

/// What is known of a connection when it arrives.
#[derive(Debug)]
pub struct Arrival {
    /// Who.
    pub user: Option<Identity>,
    /// The leases it takes: those of its projection, or of its user's only port that waits.
    pub leases: Vec<Lease>,
    /// Their port.
    pub port: Option<Name>,
}

impl Book<'_> {
    /// Replays a record.
    pub fn replay(&mut self, record: &Record) -> Result<(), Away> {
        match &record.what {
            What::Address { event, given, decision } => {
                let (user, session) = self.address_arrives(event)?;
                self.address_concluded(event, user.as_ref(), session, given.as_ref(), decision).map(drop)
            }
            What::Connection { event, key, decision } => {
                let arrival = self.connection_arrives(event)?;
                self.connection_concluded(event, &arrival, key, decision)
            }
            What::Link { event, decision } => {
                let session = self.link_arrives(event)?;
                self.link_concluded(event, session.as_ref(), decision)
            }
            What::Again { event, decision } => {
                let session = self.find(event)?;
                self.again_concluded(event, session.as_ref(), decision)
            }
            What::LinkHangup { event } => self.link_hangup(event),
            What::Hangup { event } => self.hangup(event),
            What::Release { event } => self.release(event),
        }
    }

    /// Ends what nobody will end: leases never accepted, sessions that never got a link or whose last link went.
    pub fn sweep(&mut self) -> Result<(), Away> {
        for (session, since) in self.ledger.stale_sessions(self.server, self.time - SESSION_WAITS)? {
            let by = if session.established.is_none() { ClosedBy::NeverEstablished } else { ClosedBy::LinksGone };
            self.close(&session, since, by)?;
        }
        for lease in self.ledger.stale_leases(self.server, self.time - LEASE_WAITS)? {
            let by = if lease.session.is_none() { EndedBy::NeverAccepted } else { EndedBy::SessionClosed };
            self.end_lease(&lease, by)?;
        }
        self.ledger.touch_instance(self.instance, self.time)
    }

    /// At the start of an instance: what is still open belongs to one that no process holds. Nothing is deleted.
    pub fn clean_up(&mut self) -> Result<(usize, usize), Away> {
        let last = self.ledger.last_activity(self.server)?.unwrap_or(self.time);
        let (sessions, leases) = self.ledger.all_live(self.server)?;
        for session in &sessions {
            self.close(session, last, ClosedBy::ServiceEnded)?;
        }
        for lease in &leases {
            self.end_lease(lease, EndedBy::ServiceEnded)?;
        }
        Ok((sessions.len(), leases.len()))
    }

    // Addresses.

    /// Who asks, and his live session on this port if he has one (a protocol that comes late, or is renegotiated).
    pub fn address_arrives(&mut self, event: &AddressEvent) -> Result<(Option<Identity>, Option<Id>), Away> {
        let user = self.config.domains.identity(&event.user, &Name::default());
        let mut session = None;
        if let Some(ghost) = self.ledger.live_by_port(self.server, &event.port)? {
            if ghost.user == user {
                session = Some(ghost.id);
            } else {
                self.close(&ghost, self.time, ClosedBy::PortStartedAgain)?;
            }
        }
        for lease in self.ledger.live_leases_on(self.server, &event.port)? {
            if lease.address.family == event.family || lease.user != user {
                self.end_lease(&lease, EndedBy::PortStartedAgain)?;
            }
        }
        Ok((user, session))
    }

    /// Records what was given. False if it cannot be: a live lease holds the address.
    pub fn address_concluded(
        &mut self,
        event: &AddressEvent,
        user: Option<&Identity>,
        session: Option<Id>,
        given: Option<&Given>,
        decision: &Decision,
    ) -> Result<bool, Away> {
        let decision = self.ledger.decide(self.server, self.instance, session, &event.user, decision)?;
        let Some(given) = given else { return Ok(true) };
        let address = Address { family: event.family, number: given.number };
        if let Some(earlier) = self.ledger.live_lease_at(self.server, address)? {
            if !self.may_take_over(&earlier, given.origin)? {
                let what = "an address was given that a live lease holds";
                return self.odd(what, &format!("{} on {}", event.user, event.port)).map(|()| false);
            }
            self.end_lease(&earlier, EndedBy::Moved)?;
        }
        let tag = self.tags.of(self.ledger, self.config, self.server, address)?;
        let lease = self.ledger.begin_lease(&NewLease {
            instance: self.instance,
            server: self.server,
            address,
            prefix: None,
            user,
            user_name: &event.user,
            port: &event.port,
            origin: given.origin,
            pool: given.pool.as_deref(),
            tag,
            began: self.time,
            decision: Some(decision),
        })?;
        if let Some(session) = session {
            self.ledger.accept_lease(lease, session, self.time, None)?;
            self.ledger.set_address(session, address, None)?;
        }
        Ok(true)
    }

    /// RRAS offers an address of its own that a lease still holds: it knows better, unless a live session has it.
    pub fn may_take_over(&mut self, lease: &Lease, origin: Origin) -> Result<bool, Away> {
        if origin != Origin::Offer || lease.origin != Origin::Offer {
            return Ok(false);
        }
        Ok(match lease.session {
            Some(session) => self.ledger.live_by_id(session)?.is_none(),
            None => false,
        })
    }

    /// RRAS gives an address back: the oldest lease of this port and address that still waits for it. A late release
    /// never frees a newer lease.
    pub fn release(&mut self, event: &AddressEvent) -> Result<(), Away> {
        let Some(address) = event.address() else {
            return self.odd("release of no address", &format!("{} on {}", event.user, event.port));
        };
        match self.ledger.lease_to_release(self.server, &event.port, address)? {
            Some(lease) if lease.live => self.end_lease(&lease, EndedBy::Release),
            Some(lease) => self.ledger.released_late(lease.id),
            None => self.odd("release without a lease", &format!("{} on {}", event.user, event.port)),
        }
    }

    // Connections.

    /// Who connects, with which leases. Earlier sessions of the same handle, GUID or port are closed.
    pub fn connection_arrives(&mut self, event: &ConnectionEvent) -> Result<Arrival, Away> {
        let user = self.config.domains.identity(&event.user, &event.domain);
        if let Some(ghost) = self.ledger.live_by_handle(self.server, event.handle)? {
            self.close(&ghost, self.time, ClosedBy::HandleStartedAgain)?;
        }
        if let Some(guid) = &event.guid
            && let Some(ghost) = self.ledger.live_by_guid(self.server, guid)?
        {
            self.close(&ghost, self.time, ClosedBy::GuidStartedAgain)?;
        }
        let mut leases = Vec::new();
        for &address in &event.addresses {
            // One of the same user that an earlier session holds is the ghost's of this port.
            let free = |lease: &Lease| lease.session.is_none() || lease.user == user;
            leases.extend(self.ledger.live_lease_at(self.server, address)?.filter(free));
        }
        if leases.is_empty()
            && let Some(user) = &user
        {
            leases = self.ledger.live_leases_of(self.server, user)?;
            leases.retain(|lease| lease.session.is_none());
            // With two ports that wait, the first link will tell.
            if leases.iter().any(|lease| lease.port != leases[0].port) {
                leases.clear();
            }
        }
        let port = leases.first().map(|lease| lease.port.clone());
        if let Some(port) = &port {
            // What else waits on that port (the other family) is this connection's too.
            leases = self.ledger.live_leases_on(self.server, port)?;
            leases.retain(|lease| lease.session.is_none() || lease.user == user);
            if let Some(ghost) = self.ledger.live_by_port(self.server, port)? {
                self.close(&ghost, self.time, ClosedBy::PortStartedAgain)?;
            }
        }
        Ok(Arrival { user, leases, port })
    }

    /// Records the decision, and the session that it begins.
    pub fn connection_concluded(
        &mut self,
        event: &ConnectionEvent,
        arrival: &Arrival,
        key: &str,
        decision: &Decision,
    ) -> Result<(), Away> {
        let mut session = None;
        if decision.allow {
            let id = self.ledger.begin_session(&NewSession {
                key,
                instance: self.instance,
                server: self.server,
                user: arrival.user.as_ref(),
                user_name: &event.user,
                handle: event.handle,
                guid: event.guid.as_deref(),
                computer: &event.computer,
                source: &event.source,
                interface: event.interface.name(),
                quarantine: event.quarantine.map_or("", crate::Quarantine::name),
                tunnel: (event.ikev2 == Some(true)).then_some(Tunnel::Ikev2),
                port: arrival.port.as_ref(),
                start: self.time,
            })?;
            for lease in &arrival.leases {
                self.take_lease(lease, id, event.prefix.as_deref())?;
            }
            session = Some(id);
        }
        self.ledger.decide(self.server, self.instance, session, &event.user, decision).map(drop)
    }

    fn take_lease(&mut self, lease: &Lease, session: Id, prefix: Option<&str>) -> Result<(), Away> {
        let prefix = prefix.filter(|_| lease.address.family == Family::Ipv6);
        self.ledger.accept_lease(lease.id, session, self.time, prefix)?;
        self.ledger.set_address(session, lease.address, prefix)
    }

    /// The live session of an event: by its GUID, else by its handle.
    pub fn find(&mut self, event: &ConnectionEvent) -> Result<Option<LiveSession>, Away> {
        if let Some(guid) = &event.guid
            && let Some(session) = self.ledger.live_by_guid(self.server, guid)?
        {
            return Ok(Some(session));
        }
        let session = self.ledger.live_by_handle(self.server, event.handle)?;
        // A session with another GUID is another connection, whose end was not told.
        Ok(session.filter(|s| event.guid.is_none() || s.guid.is_none()))
    }

    /// Records a reauthentication or an endpoint change.
    pub fn again_concluded(
        &mut self,
        event: &ConnectionEvent,
        session: Option<&LiveSession>,
        decision: &Decision,
    ) -> Result<(), Away> {
        match session {
            Some(session) if decision.stage == crate::Stage::EndpointChange => {
                if session.source != event.source {
                    self.ledger.set_source(session.id, &event.source)?;
                }
            }
            Some(session) => {
                self.ledger.set_quarantine(session.id, event.quarantine.map_or("", crate::Quarantine::name))?;
            }
            None => self.odd(&format!("{} of an unknown connection", decision.stage.name()), &about(event))?,
        }
        self.ledger.decide(self.server, self.instance, session.map(|s| s.id), &event.user, decision).map(drop)
    }

    /// The end of a connection; one that is unknown or was rejected changes nothing.
    pub fn hangup(&mut self, event: &ConnectionEvent) -> Result<(), Away> {
        let Some(session) = self.find(event)? else {
            return self.odd("hangup of an unknown connection", &about(event));
        };
        let mut usage = event.usage;
        if usage.seconds == 0 {
            usage.seconds = elapsed(session.start, self.time);
        }
        self.close_with(&session, Closing { stop: self.time, by: ClosedBy::Hangup, usage })
    }

    // Links.

    /// The link's session. An earlier session on the same port is closed.
    pub fn link_arrives(&mut self, event: &LinkEvent) -> Result<Option<LiveSession>, Away> {
        let session = self.ledger.live_by_handle(self.server, event.handle)?;
        if let Some(ghost) = self.ledger.live_by_port(self.server, &event.port)?
            && Some(ghost.id) != session.as_ref().map(|s| s.id)
        {
            self.close(&ghost, self.time, ClosedBy::PortStartedAgain)?;
        }
        Ok(session)
    }

    /// Records the decision, and the link that it begins. A session whose first link is rejected ends, unbilled.
    pub fn link_concluded(
        &mut self,
        event: &LinkEvent,
        session: Option<&LiveSession>,
        decision: &Decision,
    ) -> Result<(), Away> {
        let nobody = Name::default();
        let user_name = session.map_or(&nobody, |s| &s.user_name);
        self.ledger.decide(self.server, self.instance, session.map(|s| s.id), user_name, decision)?;
        let Some(session) = session else {
            return self.odd("link of an unknown connection", &format!("{} {}", event.port, event.device));
        };
        if !decision.allow {
            let first = session.established.is_none();
            return if first { self.close(session, self.time, ClosedBy::FirstLinkRejected) } else { Ok(()) };
        }
        // The same port once more without an end between: the end was not told.
        if self.ledger.end_link(self.server, &event.port, self.time, &Usage::default())?.is_some() {
            self.ledger.add_links(session.id, self.time, -1)?;
        }
        self.ledger.begin_link(&NewLink {
            session: Some(session.id),
            server: self.server,
            port: &event.port,
            device: &event.device,
            tunnel: event.tunnel,
            start: self.time,
        })?;
        self.ledger.add_links(session.id, self.time, 1)?;
        if session.established.is_none() {
            self.ledger.establish(session.id, self.time, &event.port, event.tunnel)?;
            for lease in self.ledger.live_leases_on(self.server, &event.port)? {
                if lease.session != Some(session.id) {
                    self.take_lease(&lease, session.id, None)?;
                }
            }
        }
        Ok(())
    }

    /// The end of a link.
    pub fn link_hangup(&mut self, event: &LinkEvent) -> Result<(), Away> {
        match self.ledger.end_link(self.server, &event.port, self.time, &event.usage)? {
            Some(Some(session)) => self.ledger.add_links(session, self.time, -1),
            Some(None) => Ok(()),
            None => self.odd("hangup of an unknown link", &format!("{} {}", event.port, event.device)),
        }
    }

    // What several need.

    /// Closes a session whose end was not told: its time is an estimate.
    pub(crate) fn close(&mut self, session: &LiveSession, stop: Millis, by: ClosedBy) -> Result<(), Away> {
        let stop = stop.max(session.start);
        let usage = Usage { seconds: elapsed(session.start, stop), ..Usage::default() };
        self.close_with(session, Closing { stop, by, usage })
    }

    fn close_with(&mut self, session: &LiveSession, closing: Closing) -> Result<(), Away> {
        self.ledger.close_session(session.id, &closing)?;
        self.ledger.end_links(session.id, closing.stop)?;
        if let Some(user) = &session.user
            && closing.by.is_billed()
        {
            self.bill(user, &closing)?;
        }
        Ok(())
    }

    /// Adds to the user's past use: time to the days it fell on, octets to the day of the hangup.
    fn bill(&mut self, user: &Identity, closing: &Closing) -> Result<(), Away> {
        let stop = timestamp(closing.stop);
        let start = timestamp(closing.stop - i64::try_from(closing.usage.seconds).unwrap_or(0).saturating_mul(1000));
        let mut days = days_between(start, stop, &self.config.zone).collect::<Vec<_>>();
        let Some((last, seconds)) = days.pop() else {
            let (day, _) =
                crate::rules::period::period_dates(crate::config::file::Period::Day, stop, &self.config.zone);
            return self.ledger.add_usage(user, &day, 0, Some(&closing.usage));
        };
        for (day, seconds) in days {
            self.ledger.add_usage(user, &day, seconds, None)?;
        }
        self.ledger.add_usage(user, &last, seconds, Some(&closing.usage))
    }

    pub(crate) fn end_lease(&mut self, lease: &Lease, by: EndedBy) -> Result<(), Away> {
        let tag = self.tags.of(self.ledger, self.config, self.server, lease.address)?;
        self.ledger.end_lease(lease, self.server, self.time, by, tag)
    }

    fn odd(&mut self, what: &str, details: &str) -> Result<(), Away> {
        Message::OddEvent { what: &what, details: &details }.tell();
        self.ledger.odd(self.server, self.instance, self.time, what, details)
    }
}

fn about(event: &ConnectionEvent) -> String {
    format!("{} handle {:#x}", event.user, event.handle)
}

/// Whole seconds from one time to another; none if the clock went back.
pub fn elapsed(start: Millis, stop: Millis) -> u64 {
    u64::try_from((stop - start) / 1000).unwrap_or(0)
}
