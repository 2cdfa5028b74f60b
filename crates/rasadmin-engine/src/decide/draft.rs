//! A record being made: its effects so far, and the state as it will be after them.

use super::requester::may_have_requested;
use super::{Context, LEASE_TIMEOUT};
use crate::calendar::{days_of, labels_at};
use crate::effect::{
    Anomaly, ClosedBy, DayUse, Effect, EndedBy, Enforcement, LeaseBegan, LinkBegan, SessionBegan, SessionEnded, Usage,
};
use crate::now::{Id, Now, Stamp};
use crate::state::{Closed, Lease, Link, Session, State};
use crate::{Identity, Millis, Name, Tunnel};
use rasadmin_policy::addresses::Address;

/// A record being made.
pub(crate) struct Draft<'a> {
    pub(crate) state: &'a State,
    pub(crate) context: Context<'a>,
    pub(crate) now: Now,
    /// The event is recorded late: it touches only what began before it.
    pub(crate) late: bool,
    /// The session that the record is about, if any.
    pub(crate) session: Option<Id>,
    pub(crate) effects: Vec<Effect>,
    ended: Vec<Id>,
    unlinked: Vec<(Id, Name)>,
    gone: Vec<Id>,
    /// Leases that sessions have taken, each with its session.
    taken: Vec<(Id, Id)>,
    /// Leases that another connection takes, so that they do not end with their session.
    kept: Vec<Id>,
    freed: Vec<(Address, Option<Identity>)>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(state: &'a State, context: &Context<'a>, now: &Now, late: bool) -> Self {
        Self {
            state,
            context: *context,
            now: *now,
            late,
            session: None,
            effects: Vec::new(),
            ended: Vec::new(),
            unlinked: Vec::new(),
            gone: Vec::new(),
            taken: Vec::new(),
            kept: Vec::new(),
            freed: Vec::new(),
        }
    }

    pub(crate) const fn at(&self) -> Stamp {
        self.now.at
    }

    /// Does the event touch what began at this time? A late event touches only what began before it.
    pub(crate) fn touches(&self, began: Stamp) -> bool {
        !self.late || began.mono <= self.now.at.mono
    }

    // Queries on the state as it will be.

    /// Will the session still be live?
    pub(crate) fn lives(&self, id: Id) -> bool {
        self.state.session(id).is_some() && !self.ended.contains(&id)
    }

    /// Keeps a live session unless this record has ended it.
    fn living(&self, session: Option<&'a Session>) -> Option<&'a Session> {
        session.filter(|session| !self.ended.contains(&session.id))
    }

    pub(crate) fn by_handle(&self, handle: u64) -> Option<&'a Session> {
        self.living(self.state.by_handle(handle))
    }

    pub(crate) fn by_guid(&self, guid: &str) -> Option<&'a Session> {
        self.living(self.state.by_guid(guid))
    }

    /// The session that has a live link on a port, with that link. Ports without a name do not count as one port.
    pub(crate) fn on_port(&self, port: &Name) -> Option<(&'a Session, &'a Link)> {
        self.link_of(self.state.on_port(port), port)
    }

    /// A session's live link on a port.
    pub(crate) fn link_of(&self, session: Option<&'a Session>, port: &Name) -> Option<(&'a Session, &'a Link)> {
        let session = self.living(session)?;
        let link = session.links.iter().find(|link| link.port == *port)?;
        (!self.unlinked.iter().any(|(id, gone)| *id == session.id && gone == port)).then_some((session, link))
    }

    /// The links that the session still has.
    pub(crate) fn links<'s>(&self, session: &'s Session) -> impl Iterator<Item = &'s Link> {
        session
            .links
            .iter()
            .filter(|link| !self.unlinked.iter().any(|(id, port)| *id == session.id && *port == link.port))
    }

    /// Is the session connected by the port of this lease only: by its only link or, if it may have none (IKEv2), by
    /// the lease? A session that waits for its first link may still get it on another port. A lease that another user
    /// asked for proves nothing: RRAS may have reused its address in a call that is not on record.
    pub(crate) fn is_alone_on_port_of(&self, session: &Session, lease: &Lease) -> bool {
        let mut links = self.links(session);
        match (links.next(), links.next()) {
            (None, _) => {
                session.established.is_none()
                    && !session.waits_for_link()
                    && session.port.as_ref() == Some(&lease.port)
                    && may_have_requested(
                        &self.context.config.domains,
                        lease,
                        &session.user_name,
                        session.user.as_ref(),
                    )
            }
            (Some(link), None) => link.port == lease.port,
            _ => false,
        }
    }

    pub(crate) fn of_user(&self, user: &Identity) -> impl Iterator<Item = &'a Session> {
        self.state.of_user(user).filter(|session| !self.ended.contains(&session.id))
    }

    /// The sessions that this record ends.
    pub(crate) fn ended(&self) -> impl Iterator<Item = &'a Session> {
        self.ended.iter().filter_map(|id| self.state.session(*id))
    }

    pub(crate) fn lease_at(&self, address: Address) -> Option<&'a Lease> {
        self.state.lease_at(address).filter(|lease| !self.gone.contains(&lease.id))
    }

    pub(crate) fn leases_on(&self, port: &Name) -> Vec<&'a Lease> {
        self.state.leases_on(port).filter(|lease| !self.gone.contains(&lease.id)).collect()
    }

    /// A session's leases, including those it takes by this record.
    pub(crate) fn leases_of(&self, session: Id) -> Vec<&'a Lease> {
        let taken = self.taken.iter().filter(|(_, by)| *by == session);
        let taken = taken.filter_map(|(lease, _)| self.state.lease(*lease));
        let before = self.state.leases_of(session).filter(|lease| !self.taken.iter().any(|(id, _)| *id == lease.id));
        before.chain(taken).filter(|lease| !self.gone.contains(&lease.id)).collect()
    }

    /// The addresses that this record frees, with their last users.
    pub(crate) fn freed(&self) -> &[(Address, Option<Identity>)] {
        &self.freed
    }

    // Effects on the state.

    pub(crate) fn add(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(crate) fn anomaly(&mut self, anomaly: Anomaly) {
        self.add(Effect::Anomaly(anomaly));
    }

    pub(crate) fn begin_session(&mut self, began: SessionBegan) {
        self.session = Some(began.session);
        self.add(Effect::SessionBegan(Box::new(began)));
    }

    pub(crate) fn begin_link(&mut self, session: Id, port: &Name, device: &Name, tunnel: Option<Tunnel>) {
        let (port, device, at) = (port.clone(), device.clone(), self.at());
        self.add(Effect::LinkBegan(LinkBegan { session, port, device, tunnel, at }));
    }

    pub(crate) fn begin_lease(&mut self, began: LeaseBegan) {
        self.add(Effect::LeaseBegan(Box::new(began)));
    }

    pub(crate) fn end_link(&mut self, session: Id, port: &Name, usage: Usage) {
        self.unlinked.push((session, port.clone()));
        let at = self.at();
        self.add(Effect::LinkEnded { session, port: port.clone(), at, usage });
    }

    pub(crate) fn take_lease(&mut self, lease: &Lease, session: Id, user: Option<&Identity>, prefix: Option<&str>) {
        let prefix = prefix.filter(|_| lease.address.family == crate::Family::Ipv6).map(str::to_owned);
        let (lease, user, at) = (lease.id, user.cloned(), self.at());
        self.taken.push((lease, session));
        self.add(Effect::LeaseTaken { lease, session, user, at, prefix });
    }

    pub(crate) fn keep(&mut self, leases: &[&Lease]) {
        self.kept.extend(leases.iter().map(|lease| lease.id));
    }

    pub(crate) fn end_lease(&mut self, lease: &Lease, by: EndedBy) {
        self.gone.push(lease.id);
        self.freed.push((lease.address, lease.user.clone()));
        let at = self.at();
        self.add(Effect::LeaseEnded { lease: lease.id, by, at });
    }

    /// Ends a link whose end RRAS did not report: its port is in use by another connection. The session remains if it
    /// has other links, and is closed otherwise.
    pub(crate) fn port_reused(&mut self, session: &'a Session, port: &Name) {
        if session.has_link_on(port) && self.links(session).count() > 1 {
            self.end_link(session.id, port, Usage::default());
        } else {
            self.close(session, self.at(), ClosedBy::PortStartedAgain, Some(port));
        }
    }

    /// Closes a session whose end RRAS did not report. Its connect time is an estimate, which ends when its client
    /// returned in another session. `port` is the port that started again.
    pub(crate) fn close(&mut self, session: &'a Session, stop: Stamp, by: ClosedBy, port: Option<&Name>) {
        let replaced = session.replaced.map(|replaced| replaced.at).filter(|at| at.mono < stop.mono);
        let stop = replaced.unwrap_or(stop);
        self.close_with(session, stop, by, Usage::default(), port);
    }

    /// Ends a session, its links and its use, and settles its leases.
    pub(crate) fn close_with(
        &mut self,
        session: &'a Session,
        stop: Stamp,
        by: ClosedBy,
        reported: Usage,
        port: Option<&Name>,
    ) {
        let links: Vec<&Link> = self.links(session).collect();
        links.iter().for_each(|link| self.end_link(session.id, &link.port, Usage::default()));
        self.count_use(session, stop, by, reported);
        self.ended.push(session.id);
        if matches!(by, ClosedBy::Hangup | ClosedBy::FirstLinkRejected) {
            self.restore_replaced(session);
        }
        for lease in self.leases_of(session.id) {
            self.leave_lease(session, lease, by, port);
        }
    }

    /// Settles a lease whose session has ended: RRAS will release it, or use its port again.
    fn leave_lease(&mut self, session: &Session, lease: &'a Lease, by: ClosedBy, port: Option<&Name>) {
        if lease.released {
            return self.end_lease(lease, EndedBy::Release);
        }
        if by == ClosedBy::Administrator {
            return self.end_lease(lease, EndedBy::Administrator);
        }
        let of_port = port == Some(&lease.port) && self.touches(lease.began) && !self.kept.contains(&lease.id);
        if by == ClosedBy::PortStartedAgain && of_port {
            return self.end_lease(lease, EndedBy::PortStartedAgain);
        }
        // No call has reported the end of the connection: the client may still be connected.
        if by.may_be_live() {
            return self.add(Effect::LeaseHeld { lease: lease.id, until: None });
        }
        if lease.began.mono > session.began.mono {
            // It was assigned to this session as a protocol that came up late. Another connection may be using it.
            return self.add(Effect::LeaseWaits { lease: lease.id, until: None });
        }
        let until = Some(self.at().mono.after(LEASE_TIMEOUT));
        self.add(Effect::LeaseHeld { lease: lease.id, until });
    }

    /// Removes a session whose first link was rejected after the session had been closed for having none. Nothing of
    /// it is counted.
    pub(crate) fn discard(&mut self, closed: &'a Closed) {
        self.count_use(&closed.session, closed.stop, ClosedBy::FirstLinkRejected, Usage::default());
        for lease in self.leases_of(closed.session.id) {
            self.leave_lease(&closed.session, lease, ClosedBy::FirstLinkRejected, None);
        }
    }

    /// Corrects why a session was closed. Its use remains as it is.
    pub(crate) fn close_as(&mut self, closed: &Closed, by: ClosedBy) {
        self.count_use(&closed.session, closed.stop, by, Usage::default());
    }

    /// Ends a session that was closed without a hangup, now that its hangup has come and its end is known.
    pub(crate) fn close_again(&mut self, closed: &'a Closed, reported: Usage) {
        let session = &closed.session;
        let stop = if reported.seconds > 0 {
            let lived = self.at().seconds_since(session.began).min(reported.seconds);
            let millis = lived.saturating_mul(1000);
            let time = session.began.time.saturating_add(Millis::try_from(millis).unwrap_or(Millis::MAX));
            Stamp { time: time.min(self.at().time), mono: session.began.mono.after(millis) }
        } else if self.at().mono < closed.stop.mono {
            // The hangup is recorded late: it happened before the session was closed.
            self.at()
        } else {
            closed.stop
        };
        self.count_use(session, stop, ClosedBy::Hangup, reported);
        self.restore_replaced(session);
        for lease in self.leases_of(session.id) {
            self.leave_lease(session, lease, ClosedBy::Hangup, None);
        }
    }

    /// Counts the session that a failed attempt had replaced again. Whether an IKEv2 connection failed is unknown,
    /// because it may have no link.
    fn restore_replaced(&mut self, session: &Session) {
        if session.established.is_some() || session.tunnel == Some(Tunnel::Ikev2) || session.adopted {
            return;
        }
        let others: Vec<&Session> = session.user.iter().flat_map(|user| self.of_user(user)).collect();
        for other in others.into_iter().filter(|other| other.replaced.is_some_and(|replaced| replaced.by == session.id))
        {
            self.add(Effect::SessionAlive { session: other.id });
        }
    }

    /// Ends a session that this same record begins.
    pub(crate) fn end_at_once(&mut self, session: &Session, stop: Stamp, by: ClosedBy) {
        self.count_use(session, stop, by, Usage::default());
    }

    /// Counts a session's use. It never lasts longer than the session was live, and never ends in the future, whatever
    /// a clock or a counter says.
    fn count_use(&mut self, session: &Session, stop: Stamp, by: ClosedBy, reported: Usage) {
        let lived = stop.seconds_since(session.began);
        let seconds = if reported.seconds == 0 { lived } else { reported.seconds.min(lived) };
        let stop = Stamp { time: stop.time.min(self.at().time), mono: stop.mono };
        let millis = Millis::try_from(seconds).unwrap_or(0).saturating_mul(1000);
        let start = if session.began.time <= stop.time { session.began.time } else { stop.time.saturating_sub(millis) };
        let (usage, octets_exact) = self.counted_in_all(session, Usage { seconds, ..reported });
        let billed = by.is_billed();
        if let Some(user) = &session.user {
            let days = if billed { self.use_by_days(session, stop, &usage) } else { Vec::new() };
            if billed || !session.used.is_empty() {
                self.add(Effect::Used { session: session.id, user: user.clone(), days });
            }
        }
        let session = session.id;
        let order = self.state.to_disconnect(session).filter(|decided| decided.how == Enforcement::Enforced);
        // A hangup that is recorded late may have come before the order.
        let enforced = order.filter(|decided| decided.at.mono <= self.at().mono);
        let cause = enforced.filter(|_| by == ClosedBy::Hangup).map(|decided| decided.why.cause());
        self.add(Effect::SessionEnded(SessionEnded { session, start, at: stop, by, usage, octets_exact, cause }));
    }

    /// The usage with what the counters have counted in all, if looks were recorded. The counters that a hangup reports
    /// have 32 bits.
    fn counted_in_all(&self, session: &Session, reported: Usage) -> (Usage, Option<bool>) {
        let Some(counted) = self.state.counted(session.id) else {
            // It was closed before: what looks have seen remains.
            let seen = DayUse::octets(&session.used);
            let less = reported.input_octets < seen[0] || reported.output_octets < seen[1];
            let (input_octets, output_octets) =
                (reported.input_octets.max(seen[0]), reported.output_octets.max(seen[1]));
            return (Usage { input_octets, output_octets, ..reported }, less.then_some(false));
        };
        let is_reading = Usage { seconds: 0, ..reported } != Usage::default();
        let counted = if is_reading { counted.then(&reported, self.at().mono) } else { counted };
        let ([input, output], [input_packets, output_packets]) = (counted.octets, counted.frames);
        let (seconds, seen) = (reported.seconds, DayUse::octets(&session.used));
        let (input_octets, output_octets) = (input.max(seen[0]), output.max(seen[1]));
        let usage = Usage { seconds, input_octets, output_octets, input_packets, output_packets };
        (usage, Some(counted.exact && is_reading))
    }

    /// Splits the use by days. Time counts on the days on which it passed; octets count on the day when the service
    /// saw them, or else on the last day. A client that came back in another session is counted there from then on,
    /// however long RRAS kept the one that it left behind.
    fn use_by_days(&self, session: &Session, stop: Stamp, usage: &Usage) -> Vec<DayUse> {
        let zone = &self.context.config.zone;
        let left = session.replaced.map(|replaced| replaced.at).filter(|at| at.mono < stop.mono);
        let millis = |seconds: u64| Millis::try_from(seconds).unwrap_or(0).saturating_mul(1000);
        let until = stop.time.saturating_sub(millis(left.map_or(0, |left| stop.seconds_since(left))));
        // A hangup may be recorded long after the end, so what it reports begins with the session.
        let seconds = left.map_or(usage.seconds, |left| usage.seconds.min(left.seconds_since(session.began)));
        let mut days: Vec<DayUse> = session.used.iter().map(|day| DayUse { seconds: 0, ..*day }).collect();
        let seen = DayUse::octets(&days);
        for (labels, seconds) in days_of(until.saturating_sub(millis(seconds)), until, zone) {
            on(&mut days, labels).seconds += seconds;
        }
        let last = on(&mut days, labels_at(stop.time, zone));
        last.input_octets += usage.input_octets.saturating_sub(seen[0]);
        last.output_octets += usage.output_octets.saturating_sub(seen[1]);
        days
    }
}

fn on(days: &mut Vec<DayUse>, labels: crate::effect::Labels) -> &mut DayUse {
    let at = days.iter().position(|day| day.labels == labels).unwrap_or_else(|| {
        days.push(DayUse { labels, seconds: 0, input_octets: 0, output_octets: 0 });
        days.len() - 1
    });
    &mut days[at]
}
