//! The rows of sessions, and of what they used.

use super::super::statements::signed;
use super::instance::mono;
use super::{Of, Projection, key};
use crate::Error;
use rasadmin_engine::calendar::date_of_label;
use rasadmin_engine::effect::{ClosedBy, DayUse, SessionBegan, SessionEnded, Usage};
use rasadmin_engine::{Id, Identity, Millis, Name, Quarantine, Stamp, Tunnel};
use rusqlite::{named_params, params};
use std::collections::BTreeMap;

impl Projection<'_, '_> {
    /// Was it new? On a second reading it lives again until its end is read again: what is forgotten in between was so
    /// before it ended.
    pub(super) fn session_began(&mut self, of: &Of<'_>, s: &SessionBegan) -> Result<bool, Error> {
        let inserted = self.statements.run(
            "INSERT INTO sessions (acct_session_id, instance, nas_identifier, domain, name, user_name, handle, guid,
                 remote_computer, calling_station_id, interface_type, quarantine, tunnel_type, nas_port_id,
                 acct_start_time, began, began_mono)
             VALUES (:key, :instance, :server, :domain, :name, :user_name, :handle, :guid, :computer, :source, :interface,
                 :quarantine, :tunnel, :port, :start, :start, :mono)
             ON CONFLICT (acct_session_id) DO NOTHING",
            named_params! {
                ":key": key(s.session), ":instance": of.instance, ":server": self.server.as_str(),
                ":domain": s.user.as_ref().map(|u| u.domain.as_str()),
                ":name": s.user.as_ref().map(|u| u.name.as_str()), ":user_name": s.user_name.as_str(),
                ":handle": signed(s.handle), ":guid": s.guid, ":computer": s.computer.as_str(), ":source": s.source,
                ":interface": s.interface.name(), ":quarantine": s.quarantine.map_or("", Quarantine::name),
                ":tunnel": s.tunnel.map(Tunnel::name), ":port": s.port.as_ref().map(Name::as_str),
                ":start": s.at.time, ":mono": mono(s.at.mono),
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
        self.statements.run(
            "UPDATE sessions SET established = :at, nas_port_id = :port, tunnel_type = coalesce(:tunnel, tunnel_type)
             WHERE acct_session_id = :key",
            named_params! {
                ":key": key(session), ":at": at, ":port": port.as_str(), ":tunnel": tunnel.map(Tunnel::name),
            },
        )?;
        Ok(())
    }

    pub(super) fn session_replaced(&mut self, session: Id, by: Id, at: Stamp) -> Result<(), Error> {
        self.statements.run(
            "UPDATE sessions SET replaced_by = :by, replaced = :at, replaced_mono = :mono WHERE acct_session_id = :key",
            named_params! { ":key": key(session), ":by": key(by), ":at": at.time, ":mono": mono(at.mono) },
        )?;
        Ok(())
    }

    pub(super) fn session_alive(&mut self, session: Id) -> Result<(), Error> {
        let sql = "UPDATE sessions SET replaced_by = NULL, replaced = NULL, replaced_mono = NULL WHERE acct_session_id = :key";
        self.statements.run(sql, named_params! { ":key": key(session) })?;
        Ok(())
    }

    pub(super) fn source_changed(&mut self, session: Id, source: &str) -> Result<(), Error> {
        let sql = "UPDATE sessions SET calling_station_id = :source WHERE acct_session_id = :key AND anonymous = 0";
        self.statements.run(sql, named_params! { ":key": key(session), ":source": source })?;
        Ok(())
    }

    pub(super) fn quarantine_changed(&mut self, session: Id, quarantine: Option<Quarantine>) -> Result<(), Error> {
        let sql = "UPDATE sessions SET quarantine = :quarantine WHERE acct_session_id = :key";
        let quarantine = quarantine.map_or("", Quarantine::name);
        self.statements.run(sql, named_params! { ":key": key(session), ":quarantine": quarantine })?;
        Ok(())
    }

    /// It has ended, or its end has become better known.
    pub(super) fn session_ended(&mut self, ended: &SessionEnded) -> Result<(), Error> {
        let hung_up = ended.by == ClosedBy::Hangup;
        // Without a hangup only the looks at it told something, and they told what was until then.
        let usage = Some(ended.usage).filter(|u| hung_up || u.input_octets > 0 || u.output_octets > 0);
        let octets_are = usage.map(|u| if hung_up && u.is_exact() { "exact" } else { "lower bound" });
        let (key, stop) = (key(ended.session), ended.at.time.max(ended.start));
        let octets = |of: fn(&Usage) -> u64| usage.as_ref().map(|usage| signed(of(usage)));
        self.statements.run(
            "UPDATE sessions SET acct_start_time = :start, acct_stop_time = :stop,
                 acct_session_time = :seconds, acct_input_octets = :input, acct_output_octets = :output,
                 acct_input_packets = :frames_in, acct_output_packets = :frames_out, octets_are = :octets_are,
                 acct_terminate_cause = :cause, closed_by = :by, estimated = :estimated, billed = :billed
             WHERE acct_session_id = :key",
            named_params! {
                ":key": key, ":start": ended.start, ":stop": stop,
                ":seconds": signed(ended.usage.seconds),
                ":input": octets(|u| u.input_octets), ":output": octets(|u| u.output_octets),
                ":frames_in": octets(|u| u.input_packets), ":frames_out": octets(|u| u.output_packets),
                ":octets_are": octets_are, ":cause": ended.by.cause(), ":by": ended.by.name(),
                ":estimated": ended.by.is_estimated(), ":billed": ended.by.is_billed(),
            },
        )?;
        self.statements.run(
            "UPDATE links SET stop = CASE WHEN start > :stop THEN start ELSE :stop END
             WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :key) AND stop IS NULL",
            named_params! { ":key": key, ":stop": stop },
        )?;
        Ok(())
    }

    pub(super) fn session_revived(&mut self, session: Id) -> Result<(), Error> {
        self.statements.run(
            "UPDATE sessions SET acct_start_time = coalesce(began, acct_start_time), acct_stop_time = NULL,
                 acct_session_time = NULL, acct_input_octets = NULL, acct_output_octets = NULL,
                 acct_input_packets = NULL, acct_output_packets = NULL, octets_are = NULL, acct_terminate_cause = NULL,
                 closed_by = NULL, estimated = NULL, billed = NULL
             WHERE acct_session_id = :key",
            named_params! { ":key": key(session) },
        )?;
        Ok(())
    }

    /// What a live session has used. On a second reading it may have ended: then its end has told more, or, if a new
    /// instance ended it, nobody tells it again.
    pub(super) fn used_so_far(&mut self, session: Id, user: &Identity, days: &[DayUse]) -> Result<(), Error> {
        let ended = "SELECT 1 FROM sessions WHERE acct_session_id = ?1 AND acct_stop_time IS NOT NULL";
        match self.statements.one(ended, params![key(session)], |_| Ok(()))? {
            Some(()) => Ok(()),
            None => self.used(session, user, days),
        }
    }

    /// This instead of what was told of it before. A row that is there keeps its user, who may have been made nobody since;
    /// a new one of a session that is nobody's is nobody's too.
    pub(super) fn used(&mut self, session: Id, user: &Identity, days: &[DayUse]) -> Result<(), Error> {
        let session = key(session);
        let mut sums: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
        for day in days {
            let sum = sums.entry(date_of_label(day.labels.day)).or_default();
            *sum = (sum.0 + day.seconds, sum.1 + day.input_octets, sum.2 + day.output_octets);
        }
        let before: Vec<String> =
            self.statements.all("SELECT day FROM use WHERE session = ?1", params![session], |row| row.get(0))?;
        for day in before.iter().filter(|day| !sums.contains_key(*day)) {
            let sql = "DELETE FROM use WHERE session = :session AND day = :day";
            self.statements.run(sql, named_params! { ":session": session, ":day": day })?;
        }
        for (day, (seconds, input, output)) in &sums {
            self.statements.run(
                "INSERT INTO use (session, day, domain, name, seconds, input_octets, output_octets)
                 VALUES (:session, :day,
                     coalesce((SELECT domain FROM sessions WHERE acct_session_id = :session AND anonymous = 1), :domain),
                     coalesce((SELECT name FROM sessions WHERE acct_session_id = :session AND anonymous = 1), :name),
                     :seconds, :input, :output)
                 ON CONFLICT (session, day) DO UPDATE SET seconds = excluded.seconds,
                     input_octets = excluded.input_octets, output_octets = excluded.output_octets",
                named_params! {
                    ":session": session, ":day": day, ":domain": user.domain.as_str(), ":name": user.name.as_str(),
                    ":seconds": signed(*seconds), ":input": signed(*input), ":output": signed(*output),
                },
            )?;
        }
        Ok(())
    }
}
