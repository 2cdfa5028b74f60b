//! Statements that delete what is too old, a few rows at a time. What is to be deleted is found first, so that a
//! transaction for writing is short. The newest row of a table always stays: its number must not be given again, because
//! rows of other tables refer to it.

use super::Query;

queries! {
    /// Decisions that gave addresses which were held later. They stay.
    DECISIONS_OF_KEPT_LEASES = "SELECT decision FROM leases
         WHERE decision IS NOT NULL AND began < :before AND (ended IS NULL OR ended >= :before)";

    /// By their record's key, which begins with the time. Not those of sessions that ended later.
    EXPIRED_DECISIONS = "SELECT id, record FROM decisions
         WHERE record > :after AND record < :key AND time < :before AND id < (SELECT max(id) FROM decisions)
             AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = session
                 AND (acct_stop_time IS NULL OR acct_stop_time >= :before))
         ORDER BY record LIMIT :limit";

    /// Imported ones, whose keys have no time.
    EXPIRED_REFUSALS = "SELECT id, record FROM decisions
         WHERE imported IS NOT NULL AND time < :before AND id < (SELECT max(id) FROM decisions)
         ORDER BY time LIMIT :limit";

    DECISION_EXPIRED = "DELETE FROM decisions WHERE id = :id";

    EXPIRED_SESSIONS = "SELECT id, acct_session_id, acct_start_time FROM sessions
         WHERE (acct_start_time, id) > (:start, :id) AND acct_start_time < :before AND acct_stop_time < :before
             AND id < (SELECT max(id) FROM sessions)
         ORDER BY acct_start_time, id LIMIT :limit";

    SESSION_EXPIRED = "DELETE FROM sessions WHERE id = :id AND acct_stop_time < :before";

    LINKS_EXPIRED = "DELETE FROM links WHERE session = :id";

    OCTETS_EXPIRED = "DELETE FROM session_octets WHERE session = :id";

    /// The days that quotas need stay.
    USE_EXPIRED = "DELETE FROM use WHERE session = :session AND day < :first_day";

    LEASES_OF_SESSION_EXPIRED = "DELETE FROM leases WHERE session = :id AND ended < :before";

    /// Leases in the order in which they began.
    LEASES_FROM = "SELECT id, began, ended FROM leases
         WHERE id > :after ORDER BY id LIMIT :limit";

    LEASE_EXPIRED = "DELETE FROM leases WHERE id = :id AND ended < :before";

    /// Days that stayed for quotas when their session was deleted.
    EXPIRED_USE = "SELECT session, day FROM use
         WHERE session < :key AND day < :first_day
             AND NOT EXISTS (SELECT 1 FROM sessions WHERE acct_session_id = use.session)
         ORDER BY session, day LIMIT :limit";

    ANOMALIES_EXPIRED = "DELETE FROM anomalies WHERE id IN (SELECT id FROM anomalies
         WHERE effect < :key AND time < :before ORDER BY effect LIMIT :limit)";

    EXPIRED_CONFIGS = "SELECT hash FROM configs WHERE first_used < :before
             AND hash NOT IN (SELECT config FROM decisions) AND hash NOT IN (SELECT config FROM loads)";

    /// A configuration is loaded before it decides anything.
    CONFIG_EXPIRED = "DELETE FROM configs WHERE hash = :hash AND hash NOT IN (SELECT config FROM loads)";
}
