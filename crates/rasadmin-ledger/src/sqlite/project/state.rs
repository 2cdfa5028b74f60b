//! The rows of what is live in a state whose records are not there any more.

use super::{Of, Projection, UNKNOWN_END, key};
use crate::Error;
use rasadmin_engine::effect::{LeaseBegan, SessionBegan, SessionEnded, Usage};
use rasadmin_engine::state::{Holding, Lease, Session};
use rasadmin_engine::{Millis, State};
use rusqlite::{named_params, params};
use std::collections::HashSet;

impl Projection<'_, '_> {
    /// Makes rows, as far as the state tells, of its sessions, leases and their use. What is open here and not there has
    /// ended, at `time` at the latest.
    pub fn state(&mut self, state: &State, time: Millis) -> Result<(), Error> {
        self.server.clone_from(state.server());
        self.time = time;
        self.living = state.instance();
        let row = match state.instance() {
            Some(instance) => self.known_instance(instance, &self.server.clone(), time)?,
            None => 0,
        };
        let of = Of { key: "", index: 0, time, instance: row };
        let mut sessions: Vec<_> = state.live().map(|session| (session, None)).collect();
        sessions.extend(state.closed().map(|closed| (&closed.session, Some((closed.stop, closed.by)))));
        sessions.sort_by_key(|(session, _)| (session.began.mono, session.id));
        for (session, ended) in sessions {
            let new = self.session(&of, session)?;
            if let Some((stop, by)) = ended.filter(|_| new) {
                let seconds = stop.seconds_since(session.began);
                let usage = Usage { seconds, ..Usage::default() };
                let ended = SessionEnded { session: session.id, start: session.began.time, at: stop, by, usage };
                self.session_ended(&ended)?;
            }
        }
        let mut leases: Vec<_> = state.leases().collect();
        leases.sort_by_key(|lease| (lease.began.mono, lease.id));
        for lease in leases {
            self.lease(&of, lease)?;
        }
        let live: HashSet<String> = state.live().map(|session| key(session.id)).collect();
        self.end_unknown("sessions", &live, time)?;
        let live: HashSet<String> = state.leases().map(|lease| key(lease.id)).collect();
        self.end_unknown("leases", &live, time)
    }

    /// Was it new? One that has ended here is left alone: more is known of it here.
    fn session(&mut self, of: &Of<'_>, s: &Session) -> Result<bool, Error> {
        let ended = "SELECT 1 FROM sessions WHERE acct_session_id = ?1 AND acct_stop_time IS NOT NULL";
        if self.statements.one(ended, params![key(s.id)], |_| Ok(()))?.is_some() {
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
                told: s.told.clone(),
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
            self.link_is_there(s.id, link)?;
        }
        if let Some(user) = s.user.as_ref().filter(|_| !s.used.is_empty()) {
            self.used(s.id, user, &s.used)?;
        }
        Ok(new)
    }

    fn lease(&mut self, of: &Of<'_>, l: &Lease) -> Result<(), Error> {
        let ended = "SELECT 1 FROM leases WHERE lease = ?1 AND ended IS NOT NULL";
        if self.statements.one(ended, params![key(l.id)], |_| Ok(()))?.is_some() {
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

    /// Nobody knows when it ended: the records are missing.
    fn end_unknown(&mut self, table: &str, live: &HashSet<String>, time: Millis) -> Result<(), Error> {
        let (open, end) = if table == "leases" {
            (
                "SELECT lease FROM leases WHERE server = ?1 AND ended IS NULL",
                "UPDATE leases SET ended = CASE WHEN began > :at THEN began ELSE :at END, ended_by = :by WHERE lease = :key",
            )
        } else {
            (
                "SELECT acct_session_id FROM sessions WHERE nas_identifier = ?1 AND acct_stop_time IS NULL",
                "UPDATE sessions SET acct_stop_time = CASE WHEN acct_start_time > :at THEN acct_start_time ELSE :at END,
                     acct_session_time = CASE WHEN acct_start_time > :at THEN 0 ELSE (:at - acct_start_time) / 1000 END,
                     closed_by = :by, estimated = 1, billed = 1
                 WHERE acct_session_id = :key",
            )
        };
        let open = self.statements.all(open, params![self.server.as_str()], |row| row.get::<_, String>(0))?;
        for gone in open.iter().filter(|key| !live.contains(*key)) {
            self.statements.run(end, named_params! { ":at": time, ":by": UNKNOWN_END, ":key": gone })?;
            if table == "sessions" {
                self.statements.run(
                    "UPDATE links SET stop = CASE WHEN start > :at THEN start ELSE :at END
                     WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :key) AND stop IS NULL",
                    named_params! { ":at": time, ":key": gone },
                )?;
            }
        }
        Ok(())
    }
}
