//! `[service]`: the duties of the rasadmin service.

use super::At;
use crate::config::DisconnectMode;
use serde::Deserialize;

/// The rasadmin service, which runs beside RRAS. Each of its duties has a table.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Brings records into the ledger as they come.
    #[serde(default)]
    pub follow: Follow,
    /// Looks at RRAS's connections every few seconds.
    #[serde(default)]
    pub monitor: Monitor,
    /// Disconnects sessions that rules do not allow any more.
    #[serde(default)]
    pub disconnect: Disconnect,
    /// Keeps journal and ledger short, checks the ledger, and backs it up.
    #[serde(default)]
    pub retention: Retention,
    /// Answers the commands of administrators over a pipe on this computer.
    #[serde(default)]
    pub pipe: Pipe,
    /// Counts for a monitoring system.
    #[serde(default)]
    pub metrics: Metrics,
}

/// Brings records into the ledger as they come.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Follow {
    /// Does the service do this? Default: true.
    pub enabled: Option<bool>,
}

/// Looks at RRAS's connections every few seconds: it counts the traffic of live sessions, closes sessions that RRAS does
/// not have, and adopts connections that are not on record.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Monitor {
    /// Does the service do this? Default: true.
    pub enabled: Option<bool>,
}

/// Disconnects sessions: those that a rule with `disconnect_active` denies, those that `replace-oldest` has marked, those
/// of users and computers that are blocked, and those that an administrator names.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Disconnect {
    /// Does the service do this? Default: true.
    pub enabled: Option<bool>,
    /// Are the sessions that rules deny disconnected, or only reported? Default: `report`. Blocks and
    /// `rasadmin disconnect` always disconnect.
    pub mode: Option<DisconnectMode>,
}

/// Keeps journal and ledger short, checks the ledger, and backs it up.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Does the service do this? Default: true.
    pub enabled: Option<bool>,
    /// When it runs each day, in the time zone of the file (else UTC): `03:00`, which is the default.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub at: Option<At<String>>,
    /// How long the ledger keeps decisions: a number of days, or `forever`. Default: `90d`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub decisions: Option<At<String>>,
    /// How long the ledger keeps sessions after their end, with their leases, links and use: a number of days, or
    /// `forever`. Default: `400d`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub sessions: Option<At<String>>,
    /// How long the journal's files stay after every ledger has read them: a number of days, or `forever`. Default:
    /// `7d`. `rasadmin ledger update` follows it too.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub segments: Option<At<String>>,
    /// The folder of the daily backups of the ledger. The path is relative to this file. Default: `backups` beside the
    /// ledger.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub backups: Option<At<String>>,
    /// How many backups are kept; 0 makes none. Default: 7.
    #[cfg_attr(test, schemars(with = "Option<u32>"))]
    pub keep: Option<At<u32>>,
}

/// Answers the commands of administrators over a pipe on this computer.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pipe {
    /// Does the service do this? Default: true.
    pub enabled: Option<bool>,
    /// May `NT SERVICE\rasadmin-net`, the account of the dashboard, change something for the operators who use it?
    /// Default: false. With true, anyone who takes over that process can disconnect, block, release and close.
    pub dashboard_changes: Option<bool>,
}

/// Counts for a monitoring system, such as Prometheus.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Does the service do this? Default: true. `rasadmin metrics` prints what it counts.
    pub enabled: Option<bool>,
    /// A file that is written every 15 seconds, for the textfile collector of windows_exporter or node_exporter. Its
    /// name must end with `.prom`. The path is relative to this file. Default: none.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub file: Option<At<String>>,
}
