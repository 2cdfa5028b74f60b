//! Statements for leases.

use super::Query;
use crate::imported::no_end;

/// The columns in the order in which [`LeaseRow`](crate::report::LeaseRow) reads them, without those of imported
/// sessions: the log, and when it was last seen.
macro_rules! columns {
    () => {
        "id, server, family, address, prefix, domain, name, user_name, port, session, origin, pool, began, accepted, ended,
             ended_by"
    };
}
pub(super) use columns;

/// The first sign that an imported session had its address no more: another session or lease has it on the same server,
/// or the server starts again. NULL if there is none.
macro_rules! not_held_from {
    () => {
        "(SELECT min(time) FROM (
             SELECT acct_start_time AS time FROM sessions later
             WHERE later.framed_ip_address = :address AND later.imported IS NOT NULL
                 AND later.acct_start_time > sessions.acct_start_time
                 AND lower(later.nas_identifier) = lower(sessions.nas_identifier)
             UNION ALL
             SELECT began FROM leases
             WHERE leases.address = :address AND began > sessions.acct_start_time
                 AND lower(leases.server) = lower(sessions.nas_identifier)
             UNION ALL
             SELECT started FROM instances
             WHERE started > sessions.acct_start_time
                 AND lower(instances.server) = lower(sessions.nas_identifier)) AS signs)"
    };
}

queries! {
    /// On a second reading it is live again.
    LEASE_BEGAN = "INSERT INTO leases (lease, instance, server, family, number, address, domain, name, user_name, port,
             origin, pool, began, decision)
         VALUES (:lease, :instance, :server, :family, :number, :address, :domain, :name, :user_name, :port, :origin,
             :pool, :began, (SELECT id FROM decisions WHERE record = :record))
         ON CONFLICT (lease) DO UPDATE SET ended = NULL, ended_by = NULL";

    /// A session takes it.
    LEASE_TAKEN = "UPDATE leases SET accepted = coalesce(accepted, :at),
             domain = CASE anonymous WHEN 0 THEN :domain ELSE domain END,
             name = CASE anonymous WHEN 0 THEN :name ELSE name END,
             session = (SELECT id FROM sessions WHERE acct_session_id = :session), prefix = coalesce(:prefix, prefix)
         WHERE lease = :lease";

    /// The session gets its address.
    SESSION_ADDRESSED = "UPDATE sessions
         SET framed_ip_address = CASE l.family WHEN 4 THEN l.address ELSE framed_ip_address END,
             framed_interface_id = CASE l.family WHEN 6 THEN l.address ELSE framed_interface_id END,
             framed_ipv6_prefix = CASE l.family WHEN 6 THEN coalesce(:prefix, framed_ipv6_prefix)
                                  ELSE framed_ipv6_prefix END
         FROM leases l WHERE l.lease = :lease AND acct_session_id = :session";

    /// It turns out to have no session yet.
    LEASE_WAITS = "UPDATE leases SET session = NULL, accepted = NULL WHERE lease = :lease";

    LEASE_ENDED = "UPDATE leases SET ended = CASE WHEN began > :at THEN began ELSE :at END, ended_by = :by
         WHERE lease = :lease AND ended IS NULL";

    /// Leases of earlier instances.
    LEASES_LEFT_ENDED = "UPDATE leases SET ended = CASE WHEN began > :at THEN began ELSE :at END, ended_by = :by
         WHERE server = :server AND ended IS NULL AND instance < :before";

    LEASE_HAS_ENDED = "SELECT id FROM leases WHERE lease = :lease AND ended IS NOT NULL";

    /// The keys of a server's live leases.
    LIVE_LEASE_KEYS = "SELECT lease FROM leases WHERE server = :server AND ended IS NULL";

    /// Live leases, by address.
    LIVE_LEASES = "SELECT ", columns!(), ", NULL, NULL FROM leases
         WHERE ended IS NULL AND (name = :name OR :name IS NULL) AND (domain = :domain OR :domain IS NULL)
             AND (lower(server) = lower(:server) OR :server IS NULL) AND began >= :since AND began < :until
             AND (pool = :pool OR :pool IS NULL)
         ORDER BY server, family, number";

    /// The addresses that a session had, in the order in which it got them.
    LEASES_OF_SESSION = "SELECT ", columns!(), ", NULL, NULL FROM leases WHERE session = :session ORDER BY began, id";

    /// Who had an address, the latest first.
    WHO_HAD = "SELECT ", columns!(), ", NULL, NULL FROM leases
         WHERE address = :address AND (prefix IS NULL OR prefix = :prefix OR :prefix IS NULL)
             AND ((began <= :at AND (ended IS NULL OR ended > :at)) OR :at IS NULL)
         UNION ALL
         SELECT id, nas_identifier, 4, framed_ip_address, NULL, domain, name, user_name, coalesce(nas_port_id, CAST(nas_port AS TEXT), ''), id,
             'imported', NULL, acct_start_time, acct_start_time,
             CASE WHEN closed_by = '", no_end!(), "' THEN NULL
                  WHEN not_held_from < acct_stop_time THEN not_held_from ELSE acct_stop_time END, closed_by, imported,
             CASE closed_by WHEN '", no_end!(), "' THEN acct_stop_time END
         FROM (SELECT *, CASE estimated WHEN 1 THEN ", not_held_from!(), " END AS not_held_from FROM sessions
             WHERE framed_ip_address = :address AND imported IS NOT NULL AND ", super::sessions::not_twice!(), ") AS held
         WHERE (acct_start_time <= :at
                 AND ((closed_by = '", no_end!(), "' AND acct_stop_time > :at)
                     OR ((closed_by = '", no_end!(), "' OR acct_stop_time > :at)
                         AND (not_held_from > :at OR not_held_from IS NULL))))
             OR :at IS NULL
         ORDER BY 13 DESC LIMIT :limit";

    /// The number of addresses of each pool that are held now.
    POOL_USE = "SELECT server, pool, family, count(*) FROM leases
         WHERE ended IS NULL AND pool IS NOT NULL GROUP BY server, pool, family ORDER BY server, pool, family";

    /// What each source of addresses gave after a lease.
    GIVEN = "SELECT CASE origin WHEN 'reservation' THEN 'reservations' WHEN 'offer' THEN 'RRAS''s offer' ELSE pool END
                 AS source,
             family, count(*), count(DISTINCT number), count(CASE origin WHEN 'sticky' THEN 1 END)
         FROM leases WHERE id > :after GROUP BY source, family ORDER BY family, count(*) DESC, source";
}
