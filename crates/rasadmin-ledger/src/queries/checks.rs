//! Statements for faults and anomalies.

use super::Query;

queries! {
    /// Addresses that two live leases hold.
    ADDRESSES_HELD_TWICE = "SELECT min(address) || ' on ' || server FROM leases WHERE ended IS NULL
         GROUP BY server, family, number HAVING count(*) > 1";

    /// Sessions that end before they begin.
    SESSIONS_ENDED_EARLY = "SELECT CAST(id AS TEXT) FROM sessions WHERE acct_stop_time < acct_start_time";

    /// Live links of sessions that have ended.
    LINKS_OF_ENDED_SESSIONS = "SELECT links.nas_port_id || ' on ' || links.nas_identifier
         FROM links JOIN sessions ON sessions.id = session WHERE stop IS NULL AND acct_stop_time IS NOT NULL";

    /// A configuration's text is in one record, which the journal may no longer have.
    CONFIGS_NOT_KEPT = "SELECT DISTINCT config FROM decisions
         WHERE imported IS NULL AND config NOT IN (SELECT hash FROM configs)
             AND server NOT IN (SELECT server FROM anomalies WHERE missing > 0)";

    /// The numbers of rows.
    COUNTS = "SELECT (SELECT count(*) FROM sessions WHERE acct_stop_time IS NULL),
             (SELECT count(*) FROM leases WHERE ended IS NULL),
             (SELECT count(*) FROM sessions WHERE imported IS NULL AND ", super::sessions::was_session!(), "),
             (SELECT count(*) FROM sessions WHERE imported IS NOT NULL),
             (SELECT count(*) FROM decisions),
             (SELECT coalesce(CAST(sum(lost) AS BIGINT), 0) FROM anomalies)";

    OUT_OF_ORDER = "INSERT INTO anomalies (effect, time, server, instance, what, details, lost, missing)
         VALUES (:effect, :time, :server, :instance, :what, :details, :lost, :missing)
         ON CONFLICT (effect) DO NOTHING";

    /// Anomalies, the latest first.
    ANOMALIES = "SELECT time, server, what, details FROM anomalies ORDER BY id DESC LIMIT :limit";
}
