//! `rasadmin.toml` as serde reads it. The JSON Schema is generated from these types.
//!
//! Every text that can be wrong by itself is [`At`], which keeps its position in the file for the message.

mod dashboard;
mod service;

pub use dashboard::Dashboard;
pub use service::{Follow, Metrics, Monitor, Pipe, Retention, Service};

pub use crate::addresses::{ReservationHeld, WhenExhausted};
pub use crate::rules::{Action, IfAbsent, Period, WhenExceeded, WhenUnrecorded};
use crate::{InterfaceType, Quarantine, Tunnel};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// A value with its position in the file.
pub type At<T> = Spanned<T>;

/// The whole file.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct File {
    /// This RRAS server.
    #[serde(default)]
    pub server: Server,
    /// The IANA name of the time zone for hours, days, weeks and months: `Europe/Berlin`. Required by `hours`,
    /// `dates`, `connect_time` and `octets`; there is no default.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub time_zone: Option<At<String>>,
    /// The domain of a user whose name arrives without one.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub default_domain: Option<At<String>>,
    /// Each domain with the other names that mean it: DNS names, UPN suffixes.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, Vec<String>>"))]
    pub domains: BTreeMap<At<String>, Vec<At<String>>>,
    /// Groups of users.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, Group>"))]
    pub groups: BTreeMap<At<String>, Group>,
    /// The rules, in order: the first that matches decides.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<Rule>"))]
    pub rules: Vec<At<Rule>>,
    /// What decides if no rule does.
    pub default: Default,
    /// How concurrent sessions are counted.
    #[serde(default)]
    pub limits: Limits,
    /// Which address a user gets.
    #[serde(default)]
    pub addresses: Addresses,
    /// Pools of addresses.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, Pool>"))]
    pub pools: BTreeMap<At<String>, Pool>,
    /// Addresses that belong to one user.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<Reservation>"))]
    pub reservations: Vec<At<Reservation>>,
    /// The journal.
    #[serde(default)]
    pub journal: Journal,
    /// The ledger.
    #[serde(default)]
    pub ledger: Ledger,
    /// The rasadmin service.
    pub service: Option<Service>,
    /// The dashboard.
    pub dashboard: Option<Dashboard>,
}

/// This RRAS server.
#[derive(Debug, std::default::Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its name in the ledger. Default: the computer's name.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub name: Option<At<String>>,
    /// Its own addresses on the tunnels. RRAS refuses them to clients (error 1168), so no pool may give them.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<std::net::Ipv4Addr>"))]
    pub addresses: Vec<At<String>>,
}

/// A group of users: everyone who is listed in one of these ways.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Users: `alice`, `CORP\alice`, `alice@corp.example`, `host/pc7`, `CORP\*`, `CORP\dev*`, `CORP\*$`, `host/*`.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub users: Vec<At<String>>,
    /// A text file with one such user per line (`#` begins a comment). The path is relative to this file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub members_file: Option<At<String>>,
    /// The pool of the group's IPv4 addresses.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub pool: Option<At<String>>,
    /// The pool of the group's IPv6 interface identifiers.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub ipv6_pool: Option<At<String>>,
}

/// A rule. All its conditions must hold. A condition with a list holds if any entry of the list matches.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name in the ledger and in messages. It must be unique.
    #[cfg_attr(test, schemars(with = "String"))]
    pub name: At<String>,
    /// What it decides.
    pub action: Action,
    /// The reason, for those who read the ledger.
    pub reason: Option<String>,
    /// Users, written as in a group.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub users: Option<At<Vec<At<String>>>>,
    /// Users to whom the rule does not apply, written as in a group.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub not_users: Option<At<Vec<At<String>>>>,
    /// Groups.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub groups: Option<At<Vec<At<String>>>>,
    /// Groups to whose users the rule does not apply.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub not_groups: Option<At<Vec<At<String>>>>,
    /// Tunnels.
    #[cfg_attr(test, schemars(with = "Option<Vec<Tunnel>>"))]
    pub tunnels: Option<At<Vec<Tunnel>>>,
    /// Networks of the client's public address: `203.0.113.0/24`, `2001:db8::/32`, a single address.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub source_networks: Option<At<Vec<At<String>>>>,
    /// A text file with one more such network per line (`#` or `;` begins a comment). The path is relative to this file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub source_networks_file: Option<At<String>>,
    /// Times of the week, in the time zone of the file: one or several, also as text: `mon-fri 08:00-18:00`.
    #[cfg_attr(test, schemars(with = "Option<schema::OneOrMore<schema::TextOr<Hours>>>"))]
    pub hours: Option<At<Vec<Hours>>>,
    /// Spans on the calendar, in the time zone of the file: `2026-12-05 20:00 .. 2026-12-06 02:00`, `2026-12-24`.
    #[cfg_attr(test, schemars(with = "Option<schema::OneOrMore<String>>"))]
    pub dates: Option<At<Vec<At<String>>>>,
    /// Names of RRAS servers.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub servers: Option<At<Vec<At<String>>>>,
    /// Names of ports. `*` at the end matches any rest: `VPN2-*`.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub ports: Option<At<Vec<At<String>>>>,
    /// Names of remote computers. `*` at the end matches any rest.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub remote_computers: Option<At<Vec<At<String>>>>,
    /// A text file with one more such name per line (`#` begins a comment). The path is relative to this file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub computers_file: Option<At<String>>,
    /// Quarantine states.
    #[cfg_attr(test, schemars(with = "Option<Vec<Quarantine>>"))]
    pub quarantine: Option<At<Vec<Quarantine>>>,
    /// Interface types.
    #[cfg_attr(test, schemars(with = "Option<Vec<InterfaceType>>"))]
    pub interface_types: Option<At<Vec<InterfaceType>>>,
    /// How many other live sessions the user has on this server.
    #[cfg_attr(test, schemars(with = "Option<Sessions>"))]
    pub user_sessions: Option<At<Sessions>>,
    /// How many sessions a user may have on this server, the new one included. In a rule that denies, this is short for
    /// `user_sessions = { at_least = ... }`; in a rule that allows, for `user_sessions = { below = ... }`.
    #[cfg_attr(test, schemars(with = "Option<std::num::NonZeroU32>"))]
    pub max_user_sessions: Option<At<u32>>,
    /// What happens if the limit for the user's sessions is exceeded: the new session is denied, or the oldest is marked to
    /// be disconnected. Only in a rule that denies.
    #[cfg_attr(test, schemars(with = "Option<WhenExceeded>"))]
    pub when_exceeded: Option<At<WhenExceeded>>,
    /// How many other live sessions the users of a group have together.
    #[cfg_attr(test, schemars(with = "Option<GroupSessions>"))]
    pub group_sessions: Option<At<GroupSessions>>,
    /// How long the user has been connected in the period so far.
    #[cfg_attr(test, schemars(with = "Option<ConnectTime>"))]
    pub connect_time: Option<At<ConnectTime>>,
    /// How much the user has received and sent in the period so far. RRAS reports it when a connection ends.
    #[cfg_attr(test, schemars(with = "Option<Octets>"))]
    pub octets: Option<At<Octets>>,
    /// How long the session has lasted: `10h`. Only in a rule that denies; it is about live sessions, so
    /// `disconnect_active = true` belongs to it.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub session_time: Option<At<String>>,
    /// Does the rule hold for live sessions too, so that the rasadmin service disconnects them? Only in a rule that
    /// denies. Default: false.
    #[cfg_attr(test, schemars(with = "Option<bool>"))]
    pub disconnect_active: Option<At<bool>>,
    /// How long the rule must deny a live session before it is disconnected: `5m`. At most a day. Default: none.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub grace: Option<At<String>>,
    /// How the conditions treat a fact that is absent. Phones, for example, send no computer name.
    #[serde(default)]
    pub if_absent: IfAbsent,
    /// Is a connection accepted that this rule allows but that cannot be recorded? Default: as in `[journal]`.
    #[cfg_attr(test, schemars(with = "Option<WhenUnrecorded>"))]
    pub when_unrecorded: Option<At<WhenUnrecorded>>,
    /// The pool of IPv4 addresses for users whom this rule allows.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub pool: Option<At<String>>,
    /// The pool of IPv6 interface identifiers for users whom this rule allows.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub ipv6_pool: Option<At<String>>,
}

impl Rule {
    /// Does it hold for live sessions?
    pub(super) fn ends_live_sessions(&self) -> bool {
        self.disconnect_active.as_ref().is_some_and(|active| *active.get_ref())
    }

    /// How many conditions does it have besides `users`?
    pub(super) fn conditions_besides_users(&self) -> usize {
        let present = [
            self.not_users.is_some(),
            self.groups.is_some(),
            self.not_groups.is_some(),
            self.tunnels.is_some(),
            self.source_networks.is_some(),
            self.source_networks_file.is_some(),
            self.hours.is_some(),
            self.dates.is_some(),
            self.servers.is_some(),
            self.ports.is_some(),
            self.remote_computers.is_some(),
            self.computers_file.is_some(),
            self.quarantine.is_some(),
            self.interface_types.is_some(),
            self.user_sessions.is_some(),
            self.max_user_sessions.is_some(),
            self.group_sessions.is_some(),
            self.connect_time.is_some(),
            self.octets.is_some(),
            self.session_time.is_some(),
        ];
        present.into_iter().filter(|present| *present).count()
    }
}

/// What decides if no rule does.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Default {
    /// What it decides.
    pub action: Action,
    /// The reason, for those who read the ledger.
    pub reason: Option<String>,
}

/// A time span on certain days of the week. It may run past midnight, into the next day.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The days on which it begins: `mon`, `tue` ... or `mon-fri`. Default: every day.
    #[cfg_attr(test, schemars(with = "Option<schema::OneOrMore<String>>"))]
    pub days: Option<At<Vec<At<String>>>>,
    /// When it begins: `08:00`. Default: `00:00`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub from: Option<At<String>>,
    /// When it ends: `18:00` is the first minute after it. Default: `24:00`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub to: Option<At<String>>,
}

/// A number of sessions. Write either `at_least` or `below`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// Holds for this number and above.
    pub at_least: Option<u32>,
    /// Holds below this number.
    pub below: Option<u32>,
}

/// A number of sessions of a group. Write either `at_least` or `below`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GroupSessions {
    /// The group.
    #[cfg_attr(test, schemars(with = "String"))]
    pub group: At<String>,
    /// Holds for this number and above.
    pub at_least: Option<u32>,
    /// Holds below this number.
    pub below: Option<u32>,
}

/// An amount of time. Write either `at_least` or `below`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConnectTime {
    /// The period.
    pub per: Period,
    /// Holds for this amount and above: `8h`, `90m`, `1h 30m`, `2d`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub at_least: Option<At<String>>,
    /// Holds below this amount.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub below: Option<At<String>>,
}

/// An amount of octets, received and sent together. Write either `at_least` or `below`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Octets {
    /// The period.
    pub per: Period,
    /// Holds for this amount and above: `100 GiB`, `500 MB`, `1048576`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub at_least: Option<At<String>>,
    /// Holds below this amount.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub below: Option<At<String>>,
}

/// When a new connection replaces an old one in the count.
#[derive(Clone, Copy, Debug, std::default::Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Reconnect {
    /// If it has the same remote computer name, which must not be empty.
    #[default]
    SameComputer,
    /// If it comes from the same public address. Several PCs behind one NAT share an address.
    SameEndpoint,
    /// Never. The old one counts until RRAS reports its end.
    Strict,
}

/// How concurrent sessions are counted.
#[derive(Debug, std::default::Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// A client that lost its connection often returns before RRAS has noticed. This decides which of its sessions the
    /// new one replaces.
    #[serde(default)]
    pub reconnect: Reconnect,
}

/// Which address a user gets.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Addresses {
    /// The pool of IPv4 addresses for users who get none from a rule or a group. Without it, RRAS's own offer is kept.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub pool: Option<At<String>>,
    /// The pool of IPv6 interface identifiers for such users.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub ipv6_pool: Option<At<String>>,
    /// Does a user get the same address again, if it is free?
    pub sticky: bool,
    /// What a user gets if the user's reservation is already held, by another device or by an old session that RRAS
    /// has not ended yet.
    pub reservation_held: ReservationHeld,
    /// A CSV file with one more reservation per line: `CORP\alice,10.20.16.9`, and if wanted the IPv6 interface
    /// identifier and the server. The path is relative to this file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub reservations_file: Option<At<String>>,
}

impl std::default::Default for Addresses {
    fn default() -> Self {
        Self {
            pool: None,
            ipv6_pool: None,
            sticky: true,
            reservation_held: ReservationHeld::Pool,
            reservations_file: None,
        }
    }
}

/// A pool of IPv4 addresses or of IPv6 interface identifiers.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// IPv4 addresses: `10.20.16.0/24` (without its first and last address), `10.20.17.10-10.20.17.99`, `10.20.18.7`.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub addresses: Option<At<Vec<At<String>>>>,
    /// IPv6 interface identifiers, written as the low half of an address: `::1:0:0:0/112`, `::1-::ffff`.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub identifiers: Option<At<Vec<At<String>>>>,
    /// Addresses to leave out, written in the same ways.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub exclude: Vec<At<String>>,
    /// The pool to use when this one is exhausted.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub next: Option<At<String>>,
    /// What happens when this pool and the pools after it are exhausted.
    #[serde(default)]
    pub when_exhausted: WhenExhausted,
}

/// Addresses that belong to one user.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    /// The user.
    #[cfg_attr(test, schemars(with = "String"))]
    pub user: At<String>,
    /// The IPv4 address.
    #[cfg_attr(test, schemars(with = "Option<std::net::Ipv4Addr>"))]
    pub address: Option<At<String>>,
    /// The IPv6 interface identifier: `::a11c:e`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub identifier: Option<At<String>>,
    /// The server it applies to. Default: all servers.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub server: Option<At<String>>,
}

/// When a record must be on disk.
#[derive(Clone, Copy, Debug, std::default::Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// Accepts and hangups are on disk before the call returns, so they survive a power failure.
    #[default]
    Fsync,
    /// Records survive the end of the process. A power failure may lose the last few moments.
    Process,
}

/// The journal, which the DLL writes.
#[derive(Debug, std::default::Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// The folder. The path is relative to this file. Default: `journal`. It cannot be on a network drive.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub folder: Option<At<String>>,
    /// When a record must be on disk.
    #[serde(default)]
    pub durability: Durability,
    /// How long a callback may wait for other processes, in milliseconds (100 to 10000). Default: 2000.
    #[cfg_attr(test, schemars(with = "Option<u32>"))]
    pub deadline_ms: Option<At<u32>>,
    /// Is a connection accepted that cannot be recorded? A rule can set this for the users whom it allows.
    #[serde(default)]
    pub when_unrecorded: WhenUnrecorded,
}

/// The ledger, a database that is made from the journal.
#[derive(Debug, std::default::Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// The file. The path is relative to this file. Default: `rasadmin.db`. It cannot be on a network drive.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub path: Option<At<String>>,
}

/// Shapes for the JSON Schema. They are brought into one before serde reads them.
#[cfg(test)]
mod schema {
    use schemars::JsonSchema;

    /// A list, or a single entry of one.
    #[derive(JsonSchema)]
    #[schemars(untagged)]
    #[expect(dead_code, reason = "for the schema only")]
    pub enum OneOrMore<T> {
        One(T),
        More(Vec<T>),
    }

    /// A value, or a text that says the same.
    #[derive(JsonSchema)]
    #[schemars(untagged)]
    #[expect(dead_code, reason = "for the schema only")]
    pub enum TextOr<T> {
        Text(String),
        Value(T),
    }
}
