//! Statements for purge and anonymise: for everyone if `:name` is NULL, else for one user. If an index finds a user's
//! rows, there is a second statement for one user.

use super::Query;

/// Everyone's, or one user's.
macro_rules! of_user {
    () => {
        "((domain = :domain AND name = :name) OR :name IS NULL)"
    };
}

/// Not those that a later session or lease refers to.
macro_rules! past_decisions {
    () => {
        concat!(
            "time < :before AND ",
            of_user!(),
            " AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = session
                 AND (acct_stop_time IS NULL OR acct_stop_time >= :before))
             AND id NOT IN (SELECT decision FROM leases
                 WHERE decision IS NOT NULL AND (ended IS NULL OR ended >= :before))"
        )
    };
}

/// The days of a live session are written again at its end.
macro_rules! past_days {
    () => {
        "day < :first_day AND session NOT IN (SELECT acct_session_id FROM sessions
             WHERE acct_stop_time IS NULL OR acct_stop_time >= :now)"
    };
}

/// They have no user column, but their details can name one.
macro_rules! past_anomalies {
    () => {
        "time < :before AND (replace(upper(details), :name, '') <> upper(details) OR :name IS NULL)"
    };
}

queries! {
    USE_PURGED = "DELETE FROM use WHERE ", of_user!(), " AND ", past_days!();

    USE_OF_USER_PURGED = "DELETE FROM use WHERE domain = :domain AND name = :name AND ", past_days!();

    /// Before their sessions.
    LINKS_PURGED = "DELETE FROM links WHERE session IN (SELECT id FROM sessions
             WHERE acct_stop_time < :before AND ", of_user!(), ")";

    LINKS_OF_USER_PURGED = "DELETE FROM links WHERE session IN (SELECT id FROM sessions
             WHERE acct_stop_time < :before AND domain = :domain AND name = :name)";

    /// Before their sessions.
    OCTETS_PURGED = "DELETE FROM session_octets WHERE session IN (SELECT id FROM sessions
             WHERE acct_stop_time < :before AND ", of_user!(), ")";

    OCTETS_OF_USER_PURGED = "DELETE FROM session_octets WHERE session IN (SELECT id FROM sessions
             WHERE acct_stop_time < :before AND domain = :domain AND name = :name)";

    SESSIONS_PURGED = "DELETE FROM sessions
         WHERE acct_stop_time < :before AND ", of_user!();

    SESSIONS_OF_USER_PURGED = "DELETE FROM sessions
         WHERE acct_stop_time < :before AND domain = :domain AND name = :name";

    LEASES_PURGED = "DELETE FROM leases
         WHERE ended < :before AND ", of_user!();

    DECISIONS_PURGED = "DELETE FROM decisions WHERE ", past_decisions!();

    ANOMALIES_PURGED = "DELETE FROM anomalies WHERE ", past_anomalies!();

    /// A server's last load is of the configuration in force.
    LOADS_PURGED = "DELETE FROM loads WHERE time < :before AND EXISTS (SELECT 1 FROM loads later
             WHERE later.server = loads.server
                 AND (later.time > loads.time OR (later.time = loads.time AND later.id > loads.id)))";

    CONFIGS_PURGED = "DELETE FROM configs WHERE first_used < :before
             AND hash NOT IN (SELECT config FROM decisions) AND hash NOT IN (SELECT config FROM loads)";

    /// Users with past days of use, except those who have a pseudonym already.
    USERS_OF_PAST_DAYS = "SELECT DISTINCT domain, name FROM use
         WHERE day < :first_day AND substr(name, 1, 5) <> 'ANON-' ORDER BY domain, name";

    USE_ANONYMISED = "UPDATE use SET domain = '', name = :alias
         WHERE domain = :domain AND name = :name AND ", past_days!();

    PAST_SESSIONS = "SELECT id, domain, name, user_name FROM sessions
         WHERE acct_stop_time < :before AND ", of_user!(), "
             AND anonymous = 0 AND id > :after ORDER BY id LIMIT :limit";

    /// The few rows of one user are sorted. Without the `+` all sessions would be read in order.
    PAST_SESSIONS_OF_USER = "SELECT id, domain, name, user_name FROM sessions
         WHERE acct_stop_time < :before AND domain = :domain AND name = :name
             AND anonymous = 0 AND +id > :after ORDER BY +id LIMIT :limit";

    SESSION_ANONYMISED = "UPDATE sessions SET domain = :domain, name = :name, user_name = :alias, anonymous = 1,
             remote_computer = '', calling_station_id = '', guid = NULL, disconnect_reason = NULL,
             disconnect_by = NULL
         WHERE id = :id";

    PAST_LEASES = "SELECT id, domain, name, user_name FROM leases
         WHERE ended < :before AND ", of_user!(), "
             AND anonymous = 0 AND id > :after ORDER BY id LIMIT :limit";

    LEASE_ANONYMISED = "UPDATE leases SET domain = :domain, name = :name, user_name = :alias, anonymous = 1
         WHERE id = :id";

    PAST_DECISIONS = "SELECT id, domain, name, user_name, facts FROM decisions
         WHERE ", past_decisions!(), " AND anonymous = 0 AND id > :after ORDER BY id LIMIT :limit";

    DECISION_ANONYMISED = "UPDATE decisions SET domain = :domain, name = :name, user_name = :alias, anonymous = 1,
             facts = :facts, groups = '[]',
             reason = CASE refusal WHEN 'anothers-address' THEN 'the address was given to another user' ELSE reason END
         WHERE id = :id";

    ANOMALIES_ANONYMISED = "UPDATE anomalies SET details = ''
         WHERE details <> '' AND lost = 0 AND missing = 0 AND ", past_anomalies!();
}
