//! Statements for sessions and their users.

use super::Query;
use crate::imported::no_end;

/// The columns in the order in which [`SessionRow`](crate::report::SessionRow) reads them.
macro_rules! columns {
    () => {
        "id, acct_session_id, nas_identifier, domain, name, user_name, remote_computer, calling_station_id,
             interface_type, quarantine, tunnel_type, nas_port_id, framed_ip_address, framed_interface_id,
             framed_ipv6_prefix, acct_start_time, established,
             (SELECT count(*) FROM links WHERE links.session = sessions.id AND links.stop IS NULL), acct_link_count,
             acct_stop_time, acct_session_time, acct_input_octets, acct_output_octets, acct_input_packets,
             acct_output_packets, octets_are, acct_terminate_cause, closed_by, estimated, billed, imported, nas_port,
             adopted, disconnect, disconnect_time, disconnect_why, disconnect_rule, disconnect_reason, disconnect_by, replaced"
    };
}
pub(super) use columns;

/// Was it a session for its user? Not if its first link was rejected or never came: the user was not connected. A live
/// one may still get its link, and a log contains only sessions.
macro_rules! was_session {
    () => {
        "(coalesce(billed, 1) = 1 OR imported IS NOT NULL)"
    };
}
pub(super) use was_session;

/// Leaves out an imported session if an instance of the same server was alive when it began, so that nothing counts
/// twice.
macro_rules! not_twice {
    () => {
        "(imported IS NULL OR NOT EXISTS (SELECT 1 FROM instances
             WHERE lower(instances.server) = lower(nas_identifier) AND acct_start_time BETWEEN started AND last_activity))"
    };
}
pub(super) use not_twice;

/// What lists and sums of sessions have.
macro_rules! session_counts {
    () => {
        concat!(was_session!(), " AND ", not_twice!())
    };
}
pub(super) use session_counts;

/// Does an import know more about the end of an imported session? Either its end was not known: of two restarts the first
/// ended it. Or the record of its end was shorter: it was cut off in a log that was still being written.
macro_rules! completes {
    () => {
        "imported IS NOT NULL
             AND ((estimated = 1 AND (estimated > :estimated
                     OR CASE WHEN closed_by = 'instance ended' AND closed_by = :closed_by THEN acct_stop_time > :stop
                        ELSE acct_stop_time < :stop END))
                 OR (estimated = 0 AND estimated = :estimated AND acct_stop_time = :stop
                     AND acct_session_time <= :seconds
                     AND (acct_input_octets IS NULL OR acct_input_octets <= :input)
                     AND (acct_output_octets IS NULL OR acct_output_octets <= :output)
                     AND (acct_session_time < :seconds OR acct_input_octets < :input OR acct_output_octets < :output
                         OR (acct_input_octets IS NULL AND :input IS NOT NULL)
                         OR (acct_output_octets IS NULL AND :output IS NOT NULL)
                         OR (acct_terminate_cause IS NULL AND :cause <> ''))))"
    };
}

/// On a server, in a period.
macro_rules! session_fits {
    () => {
        "(lower(nas_identifier) = lower(:server) OR :server IS NULL)
             AND acct_start_time >= :since AND acct_start_time < :until"
    };
}

/// Of one user, or of all users with this name.
macro_rules! anyone {
    () => {
        "(name = :name OR :name IS NULL) AND (domain = :domain OR :domain IS NULL)"
    };
}
pub(super) use anyone;

/// Of any domain that there is, if none is named. So the index of users serves a name: there are few domains.
macro_rules! of_known_domains {
    () => {
        "(domain = :domain OR :domain IS NULL) AND domain IN (
                 WITH RECURSIVE known (domain) AS (
                     SELECT min(domain) FROM sessions
                     UNION ALL
                     SELECT (SELECT min(domain) FROM sessions WHERE sessions.domain > known.domain) FROM known
                     WHERE known.domain IS NOT NULL)
                 SELECT domain FROM known WHERE domain IS NOT NULL)"
    };
}
pub(super) use of_known_domains;

/// What a search for sessions asks of a row, beside its user and its time.
macro_rules! searched {
    () => {
        "(lower(nas_identifier) = lower(:server) OR :server IS NULL)
             AND (tunnel_type = :tunnel OR :tunnel IS NULL)
             AND (framed_ip_address = :address OR calling_station_id = :address OR :address IS NULL
                 OR (framed_interface_id = :identifier
                     AND (framed_ipv6_prefix = :prefix OR framed_ipv6_prefix IS NULL OR :prefix IS NULL)))
             AND (lower(remote_computer) = lower(:computer) OR :computer IS NULL)
             AND (name = :folded OR lower(remote_computer) = lower(:either) OR :either IS NULL)
             AND (lower(:rule) IS NULL OR EXISTS (SELECT 1 FROM decisions WHERE decisions.session = sessions.id
                 AND stage IN ('connection', 'link') AND lower(rule) = lower(:rule)))"
    };
}
pub(super) use searched;

/// What comes after a row in a list of which the latest comes first.
macro_rules! page {
    () => {
        "acct_start_time <= :before AND (acct_start_time < :before OR id < :before_id)
             AND acct_start_time >= :since AND acct_start_time < :until"
    };
}

/// Users who were accepted, and users who were denied: two parts, so that each has its condition on the user. A user
/// who was accepted is known, also without a session.
macro_rules! known_users {
    ($user:expr) => {
        concat!(
            "WITH came AS (SELECT domain, name, count(*) - count(acct_stop_time) AS live,
                 count(CASE WHEN ",
            was_session!(),
            " THEN 1 END) AS sessions,
                 min(CASE WHEN ",
            was_session!(),
            " THEN acct_start_time END) AS first,
                 max(CASE WHEN ",
            was_session!(),
            " THEN coalesce(acct_stop_time, acct_start_time) END) AS last
             FROM sessions WHERE name IS NOT NULL AND ",
            $user,
            " AND ",
            session_fits!(),
            " AND ",
            not_twice!(),
            " GROUP BY domain, name),
             denied AS (SELECT domain, name, max(time) AS time
             FROM decisions WHERE name IS NOT NULL AND outcome = 'deny' AND ",
            $user,
            " AND (lower(server) = lower(:server) OR :server IS NULL) AND time >= :since AND time < :until
             GROUP BY domain, name)
         SELECT domain, name, coalesce(live, 0), coalesce(sessions, 0), first, last, time
         FROM came FULL JOIN denied USING (domain, name) ORDER BY domain, name"
        )
    };
}

queries! {
    SESSION_BEGAN = "INSERT INTO sessions (acct_session_id, instance, nas_identifier, domain, name, user_name, handle, guid,
             remote_computer, calling_station_id, interface_type, quarantine, tunnel_type, nas_port_id, acct_start_time,
             began, began_mono, adopted)
         VALUES (:session, :instance, :server, :domain, :name, :user_name, :handle, :guid, :computer, :source,
             :interface, :quarantine, :tunnel, :port, :start, :start, :mono, :adopted)
         ON CONFLICT (acct_session_id) DO NOTHING";

    SESSION_ESTABLISHED = "UPDATE sessions SET established = :at, nas_port_id = :port,
             tunnel_type = coalesce(:tunnel, tunnel_type)
         WHERE acct_session_id = :session";

    SESSION_REPLACED = "UPDATE sessions SET replaced_by = :by, replaced = :at, replaced_mono = :mono
         WHERE acct_session_id = :session";

    SESSION_ALIVE = "UPDATE sessions SET replaced_by = NULL, replaced = NULL, replaced_mono = NULL
         WHERE acct_session_id = :session";

    /// What was decided about disconnecting it.
    DISCONNECT_DECIDED = "UPDATE sessions SET disconnect = :how, disconnect_time = :at, disconnect_why = :why,
             disconnect_rule = :rule, disconnect_reason = CASE WHEN anonymous = 0 THEN :reason END,
             disconnect_by = CASE WHEN anonymous = 0 THEN :by END
         WHERE acct_session_id = :session";

    /// What a live session has sent and received so far.
    COUNTED = "UPDATE sessions SET acct_input_octets = :input, acct_output_octets = :output,
             acct_input_packets = :frames_in, acct_output_packets = :frames_out, octets_are = 'lower bound'
         WHERE acct_session_id = :session AND acct_stop_time IS NULL";

    SOURCE_CHANGED = "UPDATE sessions SET calling_station_id = :source
         WHERE acct_session_id = :session AND anonymous = 0";

    QUARANTINE_CHANGED = "UPDATE sessions SET quarantine = :quarantine WHERE acct_session_id = :session";

    SESSION_ENDED = "UPDATE sessions SET acct_start_time = :start, acct_stop_time = :stop, acct_session_time = :seconds,
             acct_input_octets = :input, acct_output_octets = :output, acct_input_packets = :frames_in,
             acct_output_packets = :frames_out, octets_are = :octets_are, acct_terminate_cause = :cause,
             closed_by = :by, estimated = :estimated, billed = :billed
         WHERE acct_session_id = :session";

    /// When it ended is not known.
    SESSION_END_UNKNOWN = "UPDATE sessions
         SET acct_stop_time = CASE WHEN acct_start_time > :at THEN acct_start_time ELSE :at END,
             acct_session_time = CASE WHEN acct_start_time > :at THEN 0 ELSE (:at - acct_start_time) / 1000 END,
             closed_by = :by, estimated = 1, billed = 1
         WHERE acct_session_id = :session";

    SESSION_REVIVED = "UPDATE sessions SET acct_start_time = coalesce(began, acct_start_time), acct_stop_time = NULL,
             acct_session_time = NULL, acct_input_octets = NULL, acct_output_octets = NULL, acct_input_packets = NULL,
             acct_output_packets = NULL, octets_are = NULL, acct_terminate_cause = NULL, closed_by = NULL,
             estimated = NULL, billed = NULL
         WHERE acct_session_id = :session";

    SESSION_HAS_ENDED = "SELECT id FROM sessions WHERE acct_session_id = :session AND acct_stop_time IS NOT NULL";

    /// A server's open sessions of earlier instances.
    SESSIONS_LEFT = "SELECT acct_session_id, domain, name, began, began_mono, replaced, replaced_mono FROM sessions
         WHERE nas_identifier = :server AND acct_stop_time IS NULL AND instance < :before ORDER BY id";

    /// The keys of a server's live sessions.
    LIVE_SESSION_KEYS = "SELECT acct_session_id FROM sessions WHERE nas_identifier = :server AND acct_stop_time IS NULL";

    /// A session of another log.
    SESSION_IMPORTED = "INSERT INTO sessions (acct_session_id, instance, nas_identifier, domain, name, user_name, handle,
             remote_computer, calling_station_id, interface_type, quarantine, tunnel_type, nas_port_id,
             nas_port, framed_ip_address, framed_interface_id, framed_ipv6_prefix, acct_start_time, established, acct_link_count,
             acct_stop_time, acct_session_time, acct_input_octets, acct_output_octets, acct_input_packets,
             acct_output_packets, octets_are, acct_terminate_cause, closed_by, estimated, billed, imported)
         VALUES (:session, 0, :server, :domain, :name, :user_name, 0, :computer, :calling, '', '', :tunnel, :port,
             :nas_port, :address, :interface_id, :prefix, :start, :start, :links, :stop, :seconds, :input, :output, :frames_in,
             :frames_out, :octets_are, :cause, :closed_by, :estimated, 0, :source)
         ON CONFLICT (acct_session_id) DO NOTHING";

    /// Completes or corrects an imported session, if the import knows more (`completes!`). The ledger's own sessions are
    /// never changed.
    SESSION_COMPLETED = "UPDATE sessions SET acct_stop_time = :stop,
             acct_session_time = CASE WHEN :estimated = 1 AND (:stop - acct_start_time) / 1000 > :seconds
                                 THEN (:stop - acct_start_time) / 1000 ELSE :seconds END,
             acct_input_octets = coalesce(:input, acct_input_octets),
             acct_output_octets = coalesce(:output, acct_output_octets),
             acct_input_packets = coalesce(:frames_in, acct_input_packets),
             acct_output_packets = coalesce(:frames_out, acct_output_packets),
             octets_are = coalesce(:octets_are, octets_are), acct_terminate_cause = :cause, closed_by = :closed_by,
             estimated = :estimated,
             acct_link_count = CASE WHEN acct_link_count > :links THEN acct_link_count ELSE :links END,
             tunnel_type = coalesce(tunnel_type, :tunnel), framed_ip_address = coalesce(framed_ip_address, :address)
         WHERE acct_session_id = :session AND ", completes!();

    /// Imported sessions that a restart of their server ended, if it was theirs: their end is not known, or is that of a
    /// later restart. One that lasted more than a day is found by an index of its own.
    SESSIONS_BEFORE_RESTART = "SELECT id, nas_identifier FROM sessions
         WHERE closed_by = '", no_end!(), "' AND acct_start_time < :time AND acct_stop_time <= :time
             AND imported IS NOT NULL
         UNION ALL
         SELECT id, nas_identifier FROM sessions
         WHERE closed_by = 'instance ended' AND estimated = 1 AND imported IS NOT NULL AND acct_stop_time > :time
             AND acct_start_time >= :day_before AND acct_start_time < :time
         UNION ALL
         SELECT id, nas_identifier FROM sessions
         WHERE closed_by = 'instance ended' AND estimated = 1 AND imported IS NOT NULL AND acct_stop_time > :time
             AND acct_start_time < :day_before AND acct_stop_time - acct_start_time > 86400000";

    /// A restart of its server ended it.
    SESSION_RESTARTED = "UPDATE sessions SET acct_stop_time = :time, acct_session_time = (:time - acct_start_time) / 1000,
             acct_terminate_cause = 'NAS-Reboot', closed_by = 'instance ended'
         WHERE id = :id";

    /// Would an import add to an existing session?
    EXISTING_SESSION = "SELECT CAST(CASE WHEN ", completes!(), " THEN 1 ELSE 0 END AS BIGINT) FROM sessions
         WHERE acct_session_id = :session";

    /// The latest first.
    SESSIONS = "SELECT ", columns!(), " FROM sessions
         WHERE ", anyone!(), " AND ", session_fits!(), " AND ", session_counts!(), "
         ORDER BY acct_start_time DESC, id DESC LIMIT :limit";

    /// Of one user, by the index of users.
    SESSIONS_OF_USER = "SELECT ", columns!(), " FROM sessions
         WHERE name = :name AND domain = :domain AND ", session_fits!(), " AND ", session_counts!(), "
         ORDER BY acct_start_time DESC, id DESC LIMIT :limit";

    /// Connected sessions, by the index of live ones.
    LIVE_SESSIONS = "SELECT ", columns!(), " FROM sessions
         WHERE acct_stop_time IS NULL AND ", anyone!(), "
             AND (lower(nas_identifier) = lower(:server) OR :server IS NULL)
             AND +acct_start_time >= :since AND +acct_start_time < :until
         ORDER BY +acct_start_time DESC, id DESC LIMIT :limit";

    /// A page of a search, the latest first.
    SESSION_PAGE = "SELECT ", columns!(), " FROM sessions
         WHERE ", page!(), " AND ", anyone!(), " AND ", searched!(), " AND ", session_counts!(), "
         ORDER BY acct_start_time DESC, id DESC LIMIT :limit";

    /// The same of one user, by the index of users.
    SESSION_PAGE_OF_USER = "SELECT ", columns!(), " FROM sessions
         WHERE name = :name AND domain = :domain AND ", page!(), " AND ", searched!(), " AND ", session_counts!(), "
         ORDER BY acct_start_time DESC, id DESC LIMIT :limit";

    /// The same of all users with this name, by the index of users: there are few domains.
    SESSION_PAGE_OF_NAME = "SELECT ", columns!(), " FROM sessions
         WHERE name = :name AND ", of_known_domains!(), " AND ", page!(), " AND ", searched!(), " AND ", session_counts!(), "
         ORDER BY acct_start_time DESC, id DESC LIMIT :limit";

    /// The same of connected ones, by the index of those.
    LIVE_SESSION_PAGE = "SELECT ", columns!(), " FROM sessions
         WHERE acct_stop_time IS NULL AND +acct_start_time <= :before AND (+acct_start_time < :before OR id < :before_id)
             AND +acct_start_time >= :since AND +acct_start_time < :until AND ", anyone!(), " AND ", searched!(), "
         ORDER BY +acct_start_time DESC, id DESC LIMIT :limit";

    /// Those that were to be disconnected, the latest first.
    DISCONNECTS = "SELECT ", columns!(), " FROM sessions
         WHERE disconnect IS NOT NULL AND disconnect_time >= :since AND disconnect_time < :until AND ", anyone!(), "
             AND (lower(nas_identifier) = lower(:server) OR :server IS NULL)
         ORDER BY disconnect_time DESC, id DESC LIMIT :limit";

    SESSION = "SELECT ", columns!(), " FROM sessions WHERE id = :id";

    /// By the beginning or the end of the key.
    SESSIONS_WITH_KEY = "SELECT ", columns!(), " FROM sessions
         WHERE acct_session_id >= :key AND acct_session_id < :key || 'g'
         UNION
         SELECT ", columns!(), " FROM sessions
         WHERE substr(acct_session_id, length(acct_session_id) - length(:key) + 1) = :key
         LIMIT 2";

    /// Sessions that were connected at some time in a period. A session that began more than a day before it is found
    /// by the index of long sessions, or is live.
    SESSIONS_IN_PERIOD = "SELECT ", columns!(), " FROM sessions
         WHERE ", session_counts!(), " AND acct_start_time >= :day_before AND acct_start_time < :to
             AND (acct_stop_time IS NULL OR acct_stop_time >= :from)
         UNION ALL
         SELECT ", columns!(), " FROM sessions
         WHERE ", session_counts!(), " AND acct_start_time < :day_before
             AND acct_stop_time - acct_start_time > 86400000 AND acct_stop_time >= :from
         UNION ALL
         SELECT ", columns!(), " FROM sessions WHERE acct_stop_time IS NULL AND +acct_start_time < :day_before";

    /// How many there are, and how many denials of attempts to connect a period has that no block made: what a replay
    /// reads.
    ATTEMPTS_IN_PERIOD = "SELECT
             (SELECT count(*) FROM sessions
                 WHERE ", session_counts!(), " AND acct_start_time >= :day_before AND acct_start_time < :to
                     AND (acct_stop_time IS NULL OR acct_stop_time >= :from))
             + (SELECT count(*) FROM sessions
                 WHERE ", session_counts!(), " AND acct_start_time < :day_before
                     AND acct_stop_time - acct_start_time > 86400000 AND acct_stop_time >= :from)
             + (SELECT count(*) FROM sessions WHERE acct_stop_time IS NULL AND +acct_start_time < :day_before)
             + (SELECT count(*) FROM decisions
                 WHERE outcome = 'deny' AND time >= :from AND time < :to
                     AND stage NOT IN ('reauthentication', 'endpoint-change') AND coalesce(refusal, '') <> 'blocked')";

    /// In the order in which they began, after a given one.
    SESSIONS_AFTER = "SELECT ", columns!(), " FROM sessions
         WHERE (acct_start_time, id) > (:start, :id) AND acct_start_time < :until
         ORDER BY acct_start_time, id LIMIT :limit";

    LAST_SESSION = "SELECT coalesce(max(id), 0) FROM sessions";

    /// A session's number, by its key.
    SESSION_NUMBER = "SELECT id FROM sessions WHERE acct_session_id = :session";

    /// A session's key, by its number.
    SESSION_KEY = "SELECT acct_session_id FROM sessions WHERE id = :id";

    /// The users of sessions and of denials, by name.
    KNOWN_USERS = known_users!(anyone!());

    /// The same for one user, by the index of users.
    KNOWN_USER = known_users!("name = :name AND domain = :domain");
}
