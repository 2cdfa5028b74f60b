//! The rows of sessions, of their links, and of what they used.

use super::super::statements::signed;
use super::{Projection, key};
use crate::Away;
use rasadmin_engine::calendar::date_of_label;
use rasadmin_engine::effect::{ClosedBy, DayUse, LinkBegan, SessionBegan, SessionEnded, Usage};
use rasadmin_engine::{Id, Identity, Millis, Name, Quarantine, Tunnel};
use rusqlite::named_params;

impl Projection<'_, '_> {
    pub(super) fn session_began(&mut self, s: &SessionBegan) -> Result<(), Away> {
        self.statements.run(
            "INSERT INTO sessions (acct_session_id, instance, nas_identifier, domain, name, user_name, handle, guid,
                 remote_computer, calling_station_id, interface_type, quarantine, tunnel_type, nas_port_id,
                 acct_start_time)
             VALUES (:key, coalesce((SELECT id FROM instances WHERE token = :instance), 0), :server, :domain, :name,
                 :user_name, :handle, :guid, :computer, :source, :interface, :quarantine, :tunnel, :port, :start)
             ON CONFLICT DO NOTHING",
            named_params! {
                ":key": key(s.session), ":instance": key(self.record.instance), ":server": self.server.as_str(),
                ":domain": s.user.as_ref().map(|u| u.domain.as_str()),
                ":name": s.user.as_ref().map(|u| u.name.as_str()), ":user_name": s.user_name.as_str(),
                ":handle": signed(s.handle), ":guid": s.guid, ":computer": s.computer.as_str(), ":source": s.source,
                ":interface": s.interface.name(), ":quarantine": s.quarantine.map_or("", Quarantine::name),
                ":tunnel": s.tunnel.map(Tunnel::name), ":port": s.port.as_ref().map(Name::as_str),
                ":start": s.at.time,
            },
        )?;
        Ok(())
    }

    pub(super) fn session_established(
        &mut self,
        session: Id,
        at: Millis,
        port: &Name,
        tunnel: Option<Tunnel>,
    ) -> Result<(), Away> {
        self.statements.run(
            "UPDATE sessions SET established = coalesce(established, :at), nas_port_id = :port,
                 tunnel_type = coalesce(:tunnel, tunnel_type)
             WHERE acct_session_id = :key",
            named_params! {
                ":key": key(session), ":at": at, ":port": port.as_str(), ":tunnel": tunnel.map(Tunnel::name),
            },
        )?;
        Ok(())
    }

    pub(super) fn source_changed(&mut self, session: Id, source: &str) -> Result<(), Away> {
        let sql = "UPDATE sessions SET calling_station_id = :source WHERE acct_session_id = :key";
        self.statements.run(sql, named_params! { ":key": key(session), ":source": source })?;
        Ok(())
    }

    pub(super) fn quarantine_changed(&mut self, session: Id, quarantine: Option<Quarantine>) -> Result<(), Away> {
        let sql = "UPDATE sessions SET quarantine = :quarantine WHERE acct_session_id = :key";
        let quarantine = quarantine.map_or("", Quarantine::name);
        self.statements.run(sql, named_params! { ":key": key(session), ":quarantine": quarantine })?;
        Ok(())
    }

    /// It has ended, or its end has become better known.
    pub(super) fn session_ended(&mut self, ended: &SessionEnded) -> Result<(), Away> {
        let told = ended.by == ClosedBy::Hangup;
        // Without a hangup only the looks at it told something, and they told what was until then.
        let usage = Some(ended.usage).filter(|u| told || u.input_octets > 0 || u.output_octets > 0);
        let octets_are = usage.map(|u| if told && u.is_exact() { "exact" } else { "lower bound" });
        let (key, stop) = (key(ended.session), ended.at.time);
        let octets = |of: fn(&Usage) -> u64| usage.as_ref().map(|usage| signed(of(usage)));
        self.statements.run(
            "UPDATE sessions SET acct_start_time = :start, acct_stop_time = max(:stop, :start),
                 acct_session_time = :seconds, acct_input_octets = :input, acct_output_octets = :output,
                 acct_input_packets = :frames_in, acct_output_packets = :frames_out, octets_are = :octets_are,
                 acct_terminate_cause = :cause, closed_by = :by, estimated = :estimated, billed = :billed
             WHERE acct_session_id = :key",
            named_params! {
                ":key": key, ":start": ended.start, ":stop": stop, ":seconds": signed(ended.usage.seconds),
                ":input": octets(|u| u.input_octets), ":output": octets(|u| u.output_octets),
                ":frames_in": octets(|u| u.input_packets), ":frames_out": octets(|u| u.output_packets),
                ":octets_are": octets_are, ":cause": ended.by.cause(), ":by": ended.by.name(),
                ":estimated": ended.by.is_estimated(), ":billed": ended.by.is_billed(),
            },
        )?;
        // Most have lost their links by then.
        if self.state.session(ended.session).is_none_or(|session| !session.links.is_empty()) {
            self.statements.run(
                "UPDATE links SET stop = max(start, :stop)
                 WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :key) AND stop IS NULL",
                named_params! { ":key": key, ":stop": stop },
            )?;
        }
        Ok(())
    }

    pub(super) fn session_revived(&mut self, session: Id) -> Result<(), Away> {
        self.statements.run(
            "UPDATE sessions SET acct_stop_time = NULL, acct_session_time = NULL, acct_input_octets = NULL,
                 acct_output_octets = NULL, acct_input_packets = NULL, acct_output_packets = NULL, octets_are = NULL,
                 acct_terminate_cause = NULL, closed_by = NULL, estimated = NULL, billed = NULL
             WHERE acct_session_id = :key",
            named_params! { ":key": key(session) },
        )?;
        Ok(())
    }

    pub(super) fn link_began(&mut self, link: &LinkBegan) -> Result<(), Away> {
        let session = key(link.session);
        let of = self.state.session(link.session);
        if of.is_some_and(|session| session.links.iter().any(|live| live.port == link.port)) {
            // The same port once more without an end between: the end was not told.
            self.statements.run(
                "UPDATE links SET stop = max(start, :start)
                 WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :session) AND nas_port_id = :port
                     AND stop IS NULL",
                named_params! { ":session": session, ":port": link.port.as_str(), ":start": link.at.time },
            )?;
        }
        self.statements.run(
            "INSERT INTO links (session, nas_identifier, nas_port_id, device, tunnel_type, start)
             SELECT id, :server, :port, :device, :tunnel, :start FROM sessions WHERE acct_session_id = :session",
            named_params! {
                ":session": session, ":server": self.server.as_str(), ":port": link.port.as_str(),
                ":device": link.device.as_str(), ":tunnel": link.tunnel.map(Tunnel::name), ":start": link.at.time,
            },
        )?;
        let sql = "UPDATE sessions SET acct_link_count = acct_link_count + 1 WHERE acct_session_id = :session";
        self.statements.run(sql, named_params! { ":session": session })?;
        Ok(())
    }

    pub(super) fn link_ended(&mut self, session: Id, port: &Name, at: Millis, usage: &Usage) -> Result<(), Away> {
        let session = key(session);
        self.statements.run(
            "UPDATE links SET stop = max(start, :at), seconds = :seconds, input_octets = :input, output_octets = :output
             WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :session) AND nas_port_id = :port
                 AND stop IS NULL",
            named_params! {
                ":session": session, ":port": port.as_str(), ":at": at, ":seconds": signed(usage.seconds),
                ":input": signed(usage.input_octets), ":output": signed(usage.output_octets),
            },
        )?;
        Ok(())
    }

    /// This instead of what was told of it before.
    pub(super) fn used(&mut self, session: Id, user: &Identity, days: &[DayUse]) -> Result<(), Away> {
        let told_before = self.state.session(session).is_none_or(|session| !session.used.is_empty());
        let session = key(session);
        if told_before {
            self.statements.run(
                "DELETE FROM use WHERE domain = :domain AND name = :name AND session = :session",
                named_params! {
                    ":domain": user.domain.as_str(), ":name": user.name.as_str(), ":session": session,
                },
            )?;
        }
        for day in days {
            self.statements.run(
                "INSERT INTO use (session, day, domain, name, seconds, input_octets, output_octets)
                 VALUES (:session, :day, :domain, :name, :seconds, :input, :output)
                 ON CONFLICT DO UPDATE SET seconds = seconds + excluded.seconds,
                     input_octets = input_octets + excluded.input_octets,
                     output_octets = output_octets + excluded.output_octets",
                named_params! {
                    ":session": session, ":day": date_of_label(day.labels.day), ":domain": user.domain.as_str(),
                    ":name": user.name.as_str(), ":seconds": signed(day.seconds),
                    ":input": signed(day.input_octets), ":output": signed(day.output_octets),
                },
            )?;
        }
        Ok(())
    }
}
