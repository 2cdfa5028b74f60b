//! Statements for what sessions have used: one row for each session and day.

use super::Query;

queries! {
    /// A session's use so far, by day.
    USE_OF_SESSION = "SELECT day, seconds, input_octets, output_octets FROM use WHERE session = :session ORDER BY day";

    /// An existing row keeps its user, which may be a pseudonym by now. A new row of an anonymous session gets the
    /// session's pseudonym.
    USED = "INSERT INTO use (session, day, domain, name, seconds, input_octets, output_octets)
         VALUES (:session, :day,
             coalesce((SELECT domain FROM sessions WHERE acct_session_id = :session AND anonymous = 1), :domain),
             coalesce((SELECT name FROM sessions WHERE acct_session_id = :session AND anonymous = 1), :name),
             :seconds, :input, :output)
         ON CONFLICT (session, day) DO UPDATE SET seconds = excluded.seconds, input_octets = excluded.input_octets,
             output_octets = excluded.output_octets";

    /// A session has sent and received so many octets in all: those that no other day has are this day's. No day has
    /// fewer than before.
    USE_COUNTED = "INSERT INTO use (session, day, domain, name, seconds, input_octets, output_octets)
         SELECT acct_session_id, :day, domain, name, 0,
             CASE WHEN :input > input THEN :input - input ELSE 0 END,
             CASE WHEN :output > output THEN :output - output ELSE 0 END
         FROM (SELECT acct_session_id, domain, name,
                   (SELECT CAST(coalesce(sum(input_octets), 0) AS BIGINT) FROM use
                    WHERE session = acct_session_id AND day <> :day) AS input,
                   (SELECT CAST(coalesce(sum(output_octets), 0) AS BIGINT) FROM use
                    WHERE session = acct_session_id AND day <> :day) AS output
               FROM sessions WHERE acct_session_id = :session AND name IS NOT NULL) AS other_days
         WHERE :input > input OR :output > output
         ON CONFLICT (session, day) DO UPDATE SET
             input_octets = CASE WHEN excluded.input_octets > use.input_octets THEN excluded.input_octets
                            ELSE use.input_octets END,
             output_octets = CASE WHEN excluded.output_octets > use.output_octets THEN excluded.output_octets
                             ELSE use.output_octets END";

    USE_OF_DAY_DELETED = "DELETE FROM use WHERE session = :session AND day = :day";

    /// By user and day.
    USAGE = "SELECT domain, name, day, seconds, input_octets, output_octets, session FROM use
         WHERE (name = :name OR :name IS NULL) AND (domain = :domain OR :domain IS NULL)
             AND day >= :first AND day <= :last
         ORDER BY 1, 2, 3";

    /// Of one user, by the index of users.
    USAGE_OF_USER = "SELECT domain, name, day, seconds, input_octets, output_octets, session FROM use
         WHERE name = :name AND domain = :domain AND day >= :first AND day <= :last
         ORDER BY 1, 2, 3";
}
