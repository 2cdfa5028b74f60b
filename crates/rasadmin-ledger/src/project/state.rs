//! Rows for what is live in a state whose records are missing.

use super::{Projection, RowSource, UNKNOWN_END, key};
use crate::value::values;
use crate::{Error, queries};
use rasadmin_engine::counters::Counted;
use rasadmin_engine::effect::{LeaseBegan, SessionBegan, SessionEnded, Usage};
use rasadmin_engine::state::{Holding, Lease, Session};
use rasadmin_engine::{Millis, State};
use std::collections::HashSet;

impl Projection<'_> {
    /// Writes rows for the sessions, leases and use in a state, as far as the state has them. What the ledger has as
    /// open but the state does not have ended at `time` at the latest.
    pub fn state(&mut self, state: &State, time: Millis) -> Result<(), Error> {
        self.server.clone_from(state.server());
        self.time = time;
        self.live_instance = state.instance();
        let row = match state.instance() {
            Some(instance) => self.known_instance(instance, &self.server.clone(), time)?,
            None => 0,
        };
        let of = RowSource { key: "", index: 0, time, instance: row };
        let mut sessions: Vec<_> = state.live().map(|session| (session, None)).collect();
        sessions.extend(state.closed().map(|closed| (&closed.session, Some((closed.stop, closed.by)))));
        sessions.sort_by_key(|(session, _)| (session.began.mono, session.id));
        for (session, ended) in sessions {
            let new = self.session(&of, session, state.counted(session.id))?;
            if let Some(decided) = state.to_disconnect(session.id) {
                self.disconnect_decided(decided)?;
            }
            if let Some((stop, by)) = ended.filter(|_| new) {
                let seconds = stop.seconds_since(session.began);
                let usage = Usage { seconds, ..Usage::default() };
                let (session, start, octets_exact) = (session.id, session.began.time, None);
                let ended = SessionEnded { session, start, at: stop, by, usage, octets_exact, cause: None };
                self.session_ended(&ended)?;
            }
        }
        let mut leases: Vec<_> = state.leases().collect();
        leases.sort_by_key(|lease| (lease.began.mono, lease.id));
        for lease in leases {
            self.lease(&of, lease)?;
        }
        self.end_unknown_sessions(&state.live().map(|session| key(session.id)).collect(), time)?;
        self.end_unknown_leases(&state.leases().map(|lease| key(lease.id)).collect(), time)
    }

    /// Returns true if the session is new. If the ledger has its end, nothing is changed, because the ledger knows
    /// more.
    fn session(&mut self, of: &RowSource<'_>, s: &Session, counted: Option<Counted>) -> Result<bool, Error> {
        if self.database.one(queries::SESSION_HAS_ENDED, values! { session: s.id }, |_| Ok(()))?.is_some() {
            return Ok(false);
        }
        let new = self.session_began(
            of,
            &SessionBegan {
                session: s.id,
                user: s.user.clone(),
                user_name: s.user_name.clone(),
                handle: s.handle,
                guid: s.guid.clone(),
                computer: s.computer.clone(),
                source: s.source.clone(),
                interface: s.interface,
                quarantine: s.quarantine,
                tunnel: s.tunnel,
                port: s.port.clone(),
                projected: s.projected.clone(),
                at: s.began,
                process: s.process,
                adopted: s.adopted,
            },
        )?;
        if let (Some(at), Some(port)) = (s.established, &s.port) {
            self.session_established(s.id, at.time, port, s.tunnel)?;
        }
        match s.replaced {
            Some(replaced) => self.session_replaced(s.id, replaced.by, replaced.at)?,
            None => self.session_alive(s.id)?,
        }
        for link in &s.links {
            self.link_from_state(s.id, link)?;
        }
        if let Some(user) = s.user.as_ref().filter(|_| !s.used.is_empty()) {
            self.used(s.id, user, &s.used)?;
        }
        if let Some(counted) = counted {
            self.counted_in_all(&counted.of(s.id))?;
        }
        Ok(new)
    }

    fn lease(&mut self, of: &RowSource<'_>, l: &Lease) -> Result<(), Error> {
        if self.database.one(queries::LEASE_HAS_ENDED, values! { lease: l.id }, |_| Ok(()))?.is_some() {
            return Ok(());
        }
        self.lease_began(
            of,
            &LeaseBegan {
                lease: l.id,
                address: l.address,
                user: l.user.clone(),
                user_name: l.user_name.clone(),
                port: l.port.clone(),
                origin: l.origin,
                pool: None,
                at: l.began,
                until: None,
                process: l.process,
            },
        )?;
        match l.holding {
            Holding::Waiting(_) => Ok(()),
            Holding::Session(session) | Holding::Ended(session, _) => {
                self.lease_taken(l.id, session, l.user.as_ref(), l.began.time, None)
            }
        }
    }

    /// When they ended is not known, because the records are missing.
    fn end_unknown_sessions(&mut self, live: &HashSet<String>, time: Millis) -> Result<(), Error> {
        for gone in self.gone(queries::LIVE_SESSION_KEYS, live)? {
            let these = values! { session: &gone, at: time, by: UNKNOWN_END };
            self.database.run(queries::SESSION_END_UNKNOWN, these)?;
            self.database.run(queries::LINKS_ENDED, values! { session: &gone, stop: time })?;
        }
        Ok(())
    }

    fn end_unknown_leases(&mut self, live: &HashSet<String>, time: Millis) -> Result<(), Error> {
        for gone in self.gone(queries::LIVE_LEASE_KEYS, live)? {
            self.database.run(queries::LEASE_ENDED, values! { lease: &gone, at: time, by: UNKNOWN_END })?;
        }
        Ok(())
    }

    /// Keys that are open in the ledger and not live in the state.
    fn gone(&self, open: queries::Query, live: &HashSet<String>) -> Result<Vec<String>, Error> {
        let mut open = self.database.all(open, values! { server: &self.server }, |row| row.get::<String>(0))?;
        open.retain(|key| !live.contains(key));
        Ok(open)
    }
}
