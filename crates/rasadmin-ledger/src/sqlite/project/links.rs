//! The rows of links.

use super::super::statements::signed;
use super::{Of, Projection, key};
use crate::Error;
use rasadmin_engine::effect::{LinkBegan, Usage};
use rasadmin_engine::state::Link;
use rasadmin_engine::{Id, Millis, Name, Stamp, Tunnel};
use rusqlite::named_params;

/// The key of a link that no record is known of: within its session.
fn unrecorded(port: &Name, began: Stamp) -> String {
    format!("{} {}", began.mono.0, port.as_str())
}

impl Projection<'_, '_> {
    /// On a second reading the link begins again, and what comes after ends it again: so what an earlier end does to it in
    /// between, because it cannot tell it from the link before on the same port, is put right here.
    pub(super) fn link_began(&mut self, of: &Of<'_>, link: &LinkBegan) -> Result<(), Error> {
        let session = key(link.session);
        let own = of.effect();
        let inserted = self.statements.run(
            "INSERT INTO links (link, session, nas_identifier, nas_port_id, device, tunnel_type, start)
             SELECT :link, id, :server, :port, :device, :tunnel, :start FROM sessions
             WHERE acct_session_id = :session
                 AND NOT EXISTS (SELECT 1 FROM links WHERE links.session = sessions.id AND link = :unrecorded)
             ON CONFLICT (session, link) DO NOTHING",
            named_params! {
                ":link": own, ":session": session, ":server": self.server.as_str(), ":port": link.port.as_str(),
                ":device": link.device.as_str(), ":tunnel": link.tunnel.map(Tunnel::name), ":start": link.at.time,
                ":unrecorded": unrecorded(&link.port, link.at),
            },
        )?;
        if inserted > 0 {
            let sql = "UPDATE sessions SET acct_link_count = acct_link_count + 1 WHERE acct_session_id = :session";
            self.statements.run(sql, named_params! { ":session": session })?;
        } else {
            let sql = "UPDATE links SET stop = NULL, seconds = NULL, input_octets = NULL, output_octets = NULL
                       WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :session)
                           AND link IN (:link, :unrecorded)";
            let unrecorded = unrecorded(&link.port, link.at);
            self.statements.run(sql, named_params! { ":session": session, ":link": own, ":unrecorded": unrecorded })?;
        }
        // The same port once more without an end between: the end was not told.
        self.statements.run(
            "UPDATE links SET stop = CASE WHEN start > :start THEN start ELSE :start END
             WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :session) AND nas_port_id = :port
                 AND stop IS NULL AND link NOT IN (:link, :unrecorded)",
            named_params! {
                ":session": session, ":port": link.port.as_str(), ":start": link.at.time, ":link": own,
                ":unrecorded": unrecorded(&link.port, link.at),
            },
        )?;
        Ok(())
    }

    pub(super) fn link_ended(&mut self, session: Id, port: &Name, at: Millis, usage: &Usage) -> Result<(), Error> {
        self.statements.run(
            "UPDATE links SET stop = CASE WHEN start > :at THEN start ELSE :at END, seconds = :seconds,
                 input_octets = :input, output_octets = :output
             WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :session) AND nas_port_id = :port
                 AND stop IS NULL",
            named_params! {
                ":session": key(session), ":port": port.as_str(), ":at": at, ":seconds": signed(usage.seconds),
                ":input": signed(usage.input_octets), ":output": signed(usage.output_octets),
            },
        )?;
        Ok(())
    }

    /// A live link of a state whose records are not there.
    pub(super) fn link_is_there(&mut self, session: Id, link: &Link) -> Result<(), Error> {
        let inserted = self.statements.run(
            "INSERT INTO links (link, session, nas_identifier, nas_port_id, device, start)
             SELECT :link, id, :server, :port, '', :start FROM sessions
             WHERE acct_session_id = :session AND NOT EXISTS (SELECT 1 FROM links
                 WHERE links.session = sessions.id AND nas_port_id = :port AND start = :start)
             ON CONFLICT (session, link) DO NOTHING",
            named_params! {
                ":link": unrecorded(&link.port, link.began), ":session": key(session), ":server": self.server.as_str(),
                ":port": link.port.as_str(), ":start": link.began.time,
            },
        )?;
        if inserted > 0 {
            let sql = "UPDATE sessions SET acct_link_count = acct_link_count + 1 WHERE acct_session_id = :session";
            self.statements.run(sql, named_params! { ":session": key(session) })?;
        }
        Ok(())
    }
}
