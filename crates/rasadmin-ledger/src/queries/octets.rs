//! Statements for octets over time: what live sessions had received and sent in all at some times.

use super::Query;

/// The number of the session with a key.
macro_rules! session_with_key {
    () => {
        "(SELECT id FROM sessions WHERE acct_session_id = :session)"
    };
}

queries! {
    /// Only of a live session: of its end, the hangup knows more.
    OCTETS_SAMPLED = "INSERT INTO session_octets (session, time, input_octets, output_octets)
         SELECT id, :time, :input, :output FROM sessions WHERE acct_session_id = :session AND acct_stop_time IS NULL
         ON CONFLICT (session, time) DO NOTHING";

    SAMPLES_COUNTED = "SELECT count(*) FROM session_octets WHERE session = ", session_with_key!();

    /// Every second one goes, and the newest stays.
    SAMPLES_THINNED = "DELETE FROM session_octets WHERE session = ", session_with_key!(), " AND time IN (
             SELECT time FROM (SELECT time, row_number() OVER (ORDER BY time DESC) AS place FROM session_octets
                 WHERE session = ", session_with_key!(), ") AS places
             WHERE place % 2 = 0)";

    SAMPLES_WITH_KEY = "SELECT time, input_octets, output_octets FROM session_octets
         WHERE session = ", session_with_key!(), " ORDER BY time";

    OCTETS_OF_SESSION = "SELECT time, input_octets, output_octets FROM session_octets
         WHERE session = :session ORDER BY time";
}
