//! The rows of sessions and of their use.

use super::{Projection, RowSource};
use crate::value::values;
use crate::{Error, queries};
use rasadmin_engine::calendar::date_of_label;
use rasadmin_engine::effect::{
    ClosedBy, CountedSession, DayUse, DisconnectDecided, Labels, SessionBegan, SessionEnded,
};
use rasadmin_engine::{Id, Identity, Millis, Name, Quarantine, Stamp, Tunnel};
use std::collections::BTreeMap;

impl Projection<'_> {
    /// Begins a session. Returns true if it is new. On a second reading it is live until its end is read again; purge
    /// and anonymise treat it by the end that it already has.
    pub(super) fn session_began(&mut self, of: &RowSource<'_>, s: &SessionBegan) -> Result<bool, Error> {
        let user = s.user.as_ref();
        let inserted = self.database.run(
            queries::SESSION_BEGAN,
            values! {
                session: s.session, instance: of.instance, server: &self.server, domain: user.map(|u| &u.domain),
                name: user.map(|u| &u.name), user_name: &s.user_name, handle: s.handle, guid: s.guid.as_ref(),
                computer: &s.computer, source: &s.source, interface: s.interface.name(),
                quarantine: s.quarantine.map_or("", Quarantine::name), tunnel: s.tunnel.map(Tunnel::name),
                port: s.port.as_ref(), start: s.at.time, mono: s.at.mono, adopted: s.adopted,
            },
        )?;
        if inserted == 0 {
            self.session_revived(s.session)?;
            self.session_alive(s.session)?;
        }
        Ok(inserted > 0)
    }

    pub(super) fn session_established(
        &mut self,
        session: Id,
        at: Millis,
        port: &Name,
        tunnel: Option<Tunnel>,
    ) -> Result<(), Error> {
        self.database.run(
            queries::SESSION_ESTABLISHED,
            values! { session: session, at: at, port: port, tunnel: tunnel.map(Tunnel::name) },
        )?;
        Ok(())
    }

    pub(super) fn session_replaced(&mut self, session: Id, by: Id, at: Stamp) -> Result<(), Error> {
        let these = values! { session: session, by: by, at: at.time, mono: at.mono };
        self.database.run(queries::SESSION_REPLACED, these)?;
        Ok(())
    }

    pub(super) fn session_alive(&mut self, session: Id) -> Result<(), Error> {
        self.database.run(queries::SESSION_ALIVE, values! { session: session })?;
        Ok(())
    }

    pub(super) fn disconnect_decided(&mut self, decided: &DisconnectDecided) -> Result<(), Error> {
        let DisconnectDecided { session, at, why, how, by } = decided;
        self.database.run(
            queries::DISCONNECT_DECIDED,
            values! {
                session: *session, how: how.name(), at: at.time, why: why.name(), rule: why.rule(), reason: why.reason(),
                by: by.as_deref(),
            },
        )?;
        Ok(())
    }

    /// Writes what a live session has sent and received so far. Octets that were not counted before go to the day with
    /// these labels.
    pub(super) fn counted(&mut self, one: &CountedSession, labels: Labels) -> Result<(), Error> {
        if self.counted_in_all(one)? {
            let (session, [input, output]) = (one.session, one.octets);
            let day = date_of_label(labels.day);
            let these = values! { session: session, day: day, input: input, output: output };
            self.database.run(queries::USE_COUNTED, these)?;
        }
        Ok(())
    }

    /// Writes what a session has sent and received in all. False if it is not live.
    pub(super) fn counted_in_all(&mut self, one: &CountedSession) -> Result<bool, Error> {
        let ([input, output], [frames_in, frames_out]) = (one.octets, one.frames);
        let these = values! {
            session: one.session, input: input, output: output, frames_in: frames_in, frames_out: frames_out,
        };
        Ok(self.database.run(queries::COUNTED, these)? > 0)
    }

    pub(super) fn source_changed(&mut self, session: Id, source: &str) -> Result<(), Error> {
        self.database.run(queries::SOURCE_CHANGED, values! { session: session, source: source })?;
        Ok(())
    }

    pub(super) fn quarantine_changed(&mut self, session: Id, quarantine: Option<Quarantine>) -> Result<(), Error> {
        let quarantine = quarantine.map_or("", Quarantine::name);
        self.database.run(queries::QUARANTINE_CHANGED, values! { session: session, quarantine: quarantine })?;
        Ok(())
    }

    /// Ends a session, or corrects its end.
    pub(super) fn session_ended(&mut self, ended: &SessionEnded) -> Result<(), Error> {
        let hung_up = ended.by == ClosedBy::Hangup;
        // Without a hangup only lookups reported octets, as of their time.
        let usage = Some(ended.usage).filter(|u| hung_up || u.input_octets > 0 || u.output_octets > 0);
        let octets_are = usage.map(|_| if ended.is_exact() { "exact" } else { "lower bound" });
        let (session, stop) = (ended.session, ended.at.time.max(ended.start));
        self.database.run(
            queries::SESSION_ENDED,
            values! {
                session: session, start: ended.start, stop: stop, seconds: ended.usage.seconds,
                input: usage.map(|u| u.input_octets), output: usage.map(|u| u.output_octets),
                frames_in: usage.map(|u| u.input_packets), frames_out: usage.map(|u| u.output_packets),
                octets_are: octets_are, cause: ended.terminate_cause(), by: ended.by.name(),
                estimated: ended.by.is_estimated(), billed: ended.by.is_billed(),
            },
        )?;
        self.database.run(queries::LINKS_ENDED, values! { session: session, stop: stop })?;
        Ok(())
    }

    pub(super) fn session_revived(&mut self, session: Id) -> Result<(), Error> {
        self.database.run(queries::SESSION_REVIVED, values! { session: session })?;
        Ok(())
    }

    /// Writes what a live session has used so far. On a second reading the session may have ended already, and then its
    /// end has reported more.
    pub(super) fn used_so_far(&mut self, session: Id, user: &Identity, days: &[DayUse]) -> Result<(), Error> {
        match self.database.one(queries::SESSION_HAS_ENDED, values! { session: session }, |_| Ok(()))? {
            Some(()) => Ok(()),
            None => self.used(session, user, days),
        }
    }

    /// Replaces what was noted of a session's use. An existing row keeps its user, who may be anonymous by now. A new
    /// row of an anonymous session is anonymous too.
    pub(super) fn used(&mut self, session: Id, user: &Identity, days: &[DayUse]) -> Result<(), Error> {
        let mut sums: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
        for day in days {
            let sum = sums.entry(date_of_label(day.labels.day)).or_default();
            *sum = (sum.0 + day.seconds, sum.1 + day.input_octets, sum.2 + day.output_octets);
        }
        let of = values! { session: session };
        let before = self.database.all(queries::USE_OF_SESSION, of, |row| row.get::<String>(0))?;
        for day in before.iter().filter(|day| !sums.contains_key(*day)) {
            self.database.run(queries::USE_OF_DAY_DELETED, values! { session: session, day: day })?;
        }
        for (day, (seconds, input, output)) in &sums {
            self.database.run(
                queries::USED,
                values! {
                    session: session, day: day, domain: &user.domain, name: &user.name, seconds: *seconds, input: *input,
                    output: *output,
                },
            )?;
        }
        Ok(())
    }
}
