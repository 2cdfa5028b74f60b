//! Statements for links.

use super::Query;

queries! {
    LINKS_OF_SESSION = "SELECT nas_port_id, device, tunnel_type, start, stop, seconds, input_octets, output_octets
         FROM links WHERE session = :session ORDER BY start, id";

    /// Only if neither the link's row exists, nor the row that a checkpoint made for it (`:unrecorded`).
    LINK_BEGAN = "INSERT INTO links (link, session, nas_identifier, nas_port_id, device, tunnel_type, start)
         SELECT :link, id, :server, :port, :device, :tunnel, :start FROM sessions
         WHERE acct_session_id = :session
             AND NOT EXISTS (SELECT 1 FROM links WHERE links.session = sessions.id AND link = :unrecorded)
         ON CONFLICT (session, link) DO NOTHING";

    /// On a second reading.
    LINK_REVIVED = "UPDATE links SET stop = NULL, seconds = NULL, input_octets = NULL, output_octets = NULL
         WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :session) AND link IN (:link, :unrecorded)";

    /// The same port again without an end between: RRAS did not report the end.
    LINK_OVERTAKEN = "UPDATE links SET stop = CASE WHEN start > :start THEN start ELSE :start END
         WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :session) AND nas_port_id = :port
             AND stop IS NULL AND link NOT IN (:link, :unrecorded)";

    LINK_ENDED = "UPDATE links SET stop = CASE WHEN start > :at THEN start ELSE :at END, seconds = :seconds,
             input_octets = :input, output_octets = :output
         WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :session) AND nas_port_id = :port
             AND stop IS NULL";

    /// A live link of a state whose records are missing.
    LINK_FROM_STATE = "INSERT INTO links (link, session, nas_identifier, nas_port_id, device, start)
         SELECT :link, id, :server, :port, '', :start FROM sessions
         WHERE acct_session_id = :session AND NOT EXISTS (SELECT 1 FROM links
             WHERE links.session = sessions.id AND nas_port_id = :port AND start = :start)
         ON CONFLICT (session, link) DO NOTHING";

    /// Counts one more link of the session.
    LINK_COUNTED = "UPDATE sessions SET acct_link_count = acct_link_count + 1 WHERE acct_session_id = :session";

    /// Its session has ended.
    LINKS_ENDED = "UPDATE links SET stop = CASE WHEN start > :stop THEN start ELSE :stop END
         WHERE session = (SELECT id FROM sessions WHERE acct_session_id = :session) AND stop IS NULL";

    /// On a second reading, links of sessions that have already ended begin again.
    LINKS_LEFT_ENDED = "UPDATE links SET stop = (SELECT CASE WHEN start > acct_stop_time THEN start ELSE acct_stop_time END
             FROM sessions WHERE sessions.id = session)
         WHERE nas_identifier = :server AND stop IS NULL AND EXISTS (SELECT 1 FROM sessions
             WHERE sessions.id = session AND acct_stop_time IS NOT NULL AND instance < :before)";
}
