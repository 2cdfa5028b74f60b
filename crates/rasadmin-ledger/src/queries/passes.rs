//! Statements that read many sessions: only the columns that sums need, in the order in which the rows lie in the file. The
//! index of users would lead from one end of the file to the other.

use super::Query;
use super::sessions::{not_twice, session_counts, was_session};

/// What sums need of a session, in the order in which [`SessionRow`](crate::report::SessionRow) reads it.
macro_rules! summed {
    () => {
        "id, domain, name, user_name, tunnel_type, acct_start_time, acct_stop_time, acct_session_time, acct_input_octets,
             acct_output_octets, octets_are, closed_by, estimated, imported"
    };
}

queries! {
    /// As `SESSIONS_IN_PERIOD`.
    SUMMED_IN_PERIOD = "SELECT ", summed!(), " FROM sessions
         WHERE ", session_counts!(), " AND acct_start_time >= :day_before AND acct_start_time < :to
             AND (acct_stop_time IS NULL OR acct_stop_time >= :from)
         UNION ALL
         SELECT ", summed!(), " FROM sessions
         WHERE ", session_counts!(), " AND acct_start_time < :day_before
             AND acct_stop_time - acct_start_time > 86400000 AND acct_stop_time >= :from
         UNION ALL
         SELECT ", summed!(), " FROM sessions WHERE acct_stop_time IS NULL AND +acct_start_time < :day_before";

    /// About how many these are: those that began in it, or a day before. It reads an index alone.
    BEGUN_IN_PERIOD = "SELECT count(*) FROM sessions WHERE acct_start_time >= :day_before AND acct_start_time < :to";

    /// The users of all sessions. Their last columns are those of a session for its user, else NULL.
    USER_SESSIONS = "SELECT domain, name, CAST(CASE WHEN acct_stop_time IS NULL THEN 1 ELSE 0 END AS BIGINT),
             CASE WHEN ", was_session!(), " THEN acct_start_time END,
             CASE WHEN ", was_session!(), " THEN coalesce(acct_stop_time, acct_start_time) END
         FROM sessions WHERE name IS NOT NULL AND ", not_twice!();

    /// When each user was last denied, in an index alone.
    USERS_DENIED = "SELECT domain, name, max(time) FROM decisions WHERE outcome = 'deny' AND name IS NOT NULL
         GROUP BY domain, name";
}
