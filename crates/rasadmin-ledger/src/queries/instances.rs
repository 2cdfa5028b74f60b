//! Statements for service instances and the configurations that they read.

use super::Query;

queries! {
    /// The number of an instance's row.
    INSTANCE = "SELECT id FROM instances WHERE token = :token";

    INSTANCE_BEGAN = "INSERT INTO instances (server, token, started, last_activity)
         VALUES (:server, :token, :now, :now) ON CONFLICT (token) DO NOTHING";

    /// Notes later activity.
    INSTANCE_HEARD = "UPDATE instances SET last_activity = :now WHERE token = :token AND last_activity < :now";

    /// The last activity on a server.
    LAST_ACTIVITY = "SELECT max(last_activity) FROM instances WHERE server = :server";

    /// When instances were alive, in the order of time.
    INSTANCE_PERIODS = "SELECT server, started, last_activity FROM instances ORDER BY started, id";

    /// The servers whose records the ledger has.
    SERVERS = "SELECT server FROM journals UNION SELECT server FROM instances ORDER BY 1";

    /// Every server's last instance.
    LAST_INSTANCES = "SELECT i.server, i.token, i.started, i.last_activity,
             (SELECT count(*) FROM sessions s WHERE s.nas_identifier = i.server AND s.acct_stop_time IS NULL),
             (SELECT coalesce(CAST(sum(o.lost) AS BIGINT), 0) FROM anomalies o WHERE o.server = i.server),
             l.time, l.version, l.config, l.fault
         FROM instances i LEFT JOIN loads l
             ON l.id = (SELECT id FROM loads WHERE instance = i.id ORDER BY time DESC, id DESC LIMIT 1)
         WHERE i.id IN (SELECT max(id) FROM instances GROUP BY server) ORDER BY i.server";

    /// The texts of a configuration.
    CONFIG_KEPT = "INSERT INTO configs (hash, first_used, texts) VALUES (:hash, :now, :texts)
         ON CONFLICT (hash) DO NOTHING";

    /// A process has read its configuration.
    CONFIG_LOADED = "INSERT INTO loads (effect, time, server, instance, version, config, fault)
         VALUES (:effect, :time, :server, :instance, :version, :config, :fault) ON CONFLICT (effect) DO NOTHING";

    /// The texts of a configuration that was in force.
    CONFIG = "SELECT texts FROM configs WHERE hash = :hash";
}
