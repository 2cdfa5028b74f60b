//! Statements for sessions in other orders than that of their begin.
//!
//! Two orders have an index, in which a list of any length is read a page at a time: that of the begin, and that of the
//! users. For the others, the few columns that a list is sorted by are read of all sessions that a search finds, if those are
//! not too many; only a page of them is then read as a whole.

use super::Query;
use super::sessions::{anyone, columns, not_twice, of_known_domains, searched, session_counts, was_session};

/// What a list can be sorted by, and which session it is of. A live session has its key, by which the service knows it.
macro_rules! sorted_by {
    () => {
        "id, CASE WHEN acct_stop_time IS NULL THEN acct_session_id END, domain, name, acct_start_time, acct_stop_time,
             acct_input_octets, acct_output_octets"
    };
}

/// In a period.
macro_rules! in_period {
    () => {
        "acct_start_time >= :since AND acct_start_time < :until"
    };
}

queries! {
    /// What a search finds, in no order.
    SESSION_KEYS = "SELECT ", sorted_by!(), " FROM sessions
         WHERE ", in_period!(), " AND ", anyone!(), " AND ", searched!(), " AND ", session_counts!(), " LIMIT :limit";

    /// The same of one user, by the index of users.
    SESSION_KEYS_OF_USER = "SELECT ", sorted_by!(), " FROM sessions
         WHERE name = :name AND domain = :domain AND ", in_period!(), " AND ", searched!(), " AND ", session_counts!(), "
         LIMIT :limit";

    /// The same of all users with this name, by the index of users.
    SESSION_KEYS_OF_NAME = "SELECT ", sorted_by!(), " FROM sessions
         WHERE name = :name AND ", of_known_domains!(), " AND ", in_period!(), " AND ", searched!(), "
             AND ", session_counts!(), " LIMIT :limit";

    /// The same of connected ones, by the index of those.
    LIVE_KEYS = "SELECT ", sorted_by!(), " FROM sessions
         WHERE acct_stop_time IS NULL AND +acct_start_time >= :since AND +acct_start_time < :until
             AND ", anyone!(), " AND ", searched!(), " LIMIT :limit";

    /// A page of a search, the oldest first, after a place.
    SESSIONS_FROM_OLDEST = "SELECT ", columns!(), " FROM sessions
         WHERE (acct_start_time, id) > (:start, :id) AND acct_start_time < :until
             AND ", anyone!(), " AND ", searched!(), " AND ", session_counts!(), "
         ORDER BY acct_start_time, id LIMIT :limit";

    /// A page of a search in the order of the users, after a place.
    SESSIONS_BY_USER = "SELECT ", columns!(), " FROM sessions
         WHERE (domain, name, acct_start_time, id) > (:last_domain, :last_name, :start, :id)
             AND +acct_start_time >= :since AND +acct_start_time < :until AND ", anyone!(), " AND ", searched!(), " AND ", session_counts!(), "
         ORDER BY domain, name, acct_start_time, id LIMIT :limit";

    /// The same, from the last user to the first.
    SESSIONS_BY_USER_BACK = "SELECT ", columns!(), " FROM sessions
         WHERE (domain, name, acct_start_time, id) < (:last_domain, :last_name, :start, :id)
             AND +acct_start_time >= :since AND +acct_start_time < :until AND ", anyone!(), " AND ", searched!(), " AND ", session_counts!(), "
         ORDER BY domain DESC, name DESC, acct_start_time DESC, id DESC LIMIT :limit";

    /// Those without a name, which come after all users: the latest first.
    SESSIONS_WITHOUT_USER = "SELECT ", columns!(), " FROM sessions
         WHERE domain IS NULL AND name IS NULL AND (acct_start_time, id) < (:start, :id)
             AND ", in_period!(), " AND ", anyone!(), " AND ", searched!(), " AND ", session_counts!(), "
         ORDER BY acct_start_time DESC, id DESC LIMIT :limit";
}
