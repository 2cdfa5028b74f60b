//! `rasadmin.toml` as it stands in the file: what serde reads and the JSON Schema is made of.
//!
//! Every text that can be wrong in itself is [`At`], which keeps its place in the file for the message.

pub use crate::addresses::{ReservationHeld, WhenExhausted};
pub use crate::rules::{Action, IfAbsent, Period, WhenUnrecorded};
use crate::{InterfaceType, Quarantine, Tunnel};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// A value with its place in the file.
pub type At<T> = Spanned<T>;

/// The whole file.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct File {
    /// This RRAS server.
    #[serde(default)]
    pub server: Server,
    /// The IANA name of the time zone in which hours, days, weeks and months are meant: `Europe/Berlin`. Needed by
    /// `hours`, `connect_time` and `octets`; there is no default.
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
}

/// This RRAS server.
#[derive(Debug, std::default::Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its name in the ledger; the computer's name if absent.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub name: Option<At<String>>,
    /// Its own addresses on the tunnels: RRAS refuses them to clients (error 1168), so no pool may give them.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<std::net::Ipv4Addr>"))]
    pub addresses: Vec<At<String>>,
}

/// A group: everyone who is listed in one of these ways.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Users: `alice`, `CORP\alice`, `alice@corp.example`, `host/pc7`, `CORP\*`, `CORP\dev*`, `CORP\*$`, `host/*`.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub users: Vec<At<String>>,
    /// A text file with one such user a line (`#` begins a comment), relative to this file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub members_file: Option<At<String>>,
    /// The pool of the group's IPv4 addresses.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub pool: Option<At<String>>,
    /// The pool of the group's IPv6 interface identifiers.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub ipv6_pool: Option<At<String>>,
}

/// A rule. All conditions must hold; within one, any of the list.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, in the ledger and in every message; unique.
    #[cfg_attr(test, schemars(with = "String"))]
    pub name: At<String>,
    /// What it decides.
    pub action: Action,
    /// Why, for whoever reads the ledger.
    pub reason: Option<String>,
    /// Users, spelled as in a group.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub users: Option<At<Vec<At<String>>>>,
    /// Groups.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub groups: Option<At<Vec<At<String>>>>,
    /// Tunnels.
    #[cfg_attr(test, schemars(with = "Option<Vec<Tunnel>>"))]
    pub tunnels: Option<At<Vec<Tunnel>>>,
    /// Networks of the client's public address: `203.0.113.0/24`, `2001:db8::/32`, a single address.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub source_networks: Option<At<Vec<At<String>>>>,
    /// When, in the time zone of the file.
    #[cfg_attr(test, schemars(with = "Option<Vec<Hours>>"))]
    pub hours: Option<At<Vec<Hours>>>,
    /// Names of RRAS servers.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub servers: Option<At<Vec<At<String>>>>,
    /// Names of ports; `*` at the end stands for any rest: `VPN2-*`.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub ports: Option<At<Vec<At<String>>>>,
    /// Names of remote computers; `*` at the end stands for any rest.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub remote_computers: Option<At<Vec<At<String>>>>,
    /// Quarantine states.
    #[cfg_attr(test, schemars(with = "Option<Vec<Quarantine>>"))]
    pub quarantine: Option<At<Vec<Quarantine>>>,
    /// Interface types.
    #[cfg_attr(test, schemars(with = "Option<Vec<InterfaceType>>"))]
    pub interface_types: Option<At<Vec<InterfaceType>>>,
    /// How many other live sessions the user has on this server.
    #[cfg_attr(test, schemars(with = "Option<Sessions>"))]
    pub user_sessions: Option<At<Sessions>>,
    /// How many other live sessions the users of a group have together.
    #[cfg_attr(test, schemars(with = "Option<GroupSessions>"))]
    pub group_sessions: Option<At<GroupSessions>>,
    /// How long the user has been connected in the period so far.
    #[cfg_attr(test, schemars(with = "Option<ConnectTime>"))]
    pub connect_time: Option<At<ConnectTime>>,
    /// How much the user has received and sent in the period so far, told at each hangup.
    #[cfg_attr(test, schemars(with = "Option<Octets>"))]
    pub octets: Option<At<Octets>>,
    /// What the conditions say about a fact that is absent (a telephone has no computer name).
    #[serde(default)]
    pub if_absent: IfAbsent,
    /// May a connection stand that this rule allows but that cannot be recorded? If absent, `[journal]` decides.
    #[cfg_attr(test, schemars(with = "Option<WhenUnrecorded>"))]
    pub when_unrecorded: Option<At<WhenUnrecorded>>,
    /// The pool of the IPv4 addresses of those whom this rule allows.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub pool: Option<At<String>>,
    /// The pool of their IPv6 interface identifiers.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub ipv6_pool: Option<At<String>>,
}

/// What decides if no rule does.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Default {
    /// What it decides.
    pub action: Action,
    /// Why.
    pub reason: Option<String>,
}

/// A stretch of the week: on these days, from one time to another. It may run over midnight, into the next day.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// `mon`, `tue` ... or `mon-fri`; every day if absent. The day on which it begins.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub days: Option<At<Vec<At<String>>>>,
    /// `08:00`; 00:00 if absent.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub from: Option<At<String>>,
    /// `18:00`, the first minute that is no longer in it; 24:00 if absent.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub to: Option<At<String>>,
}

/// A number of sessions: `at_least` or `below`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// It holds for this many and more.
    pub at_least: Option<u32>,
    /// It holds for fewer than this.
    pub below: Option<u32>,
}

/// A number of sessions of a group: `at_least` or `below`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GroupSessions {
    /// Which group.
    #[cfg_attr(test, schemars(with = "String"))]
    pub group: At<String>,
    /// It holds for this many and more.
    pub at_least: Option<u32>,
    /// It holds for fewer than this.
    pub below: Option<u32>,
}

/// An amount of time: `at_least` or `below`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConnectTime {
    /// In which period.
    pub per: Period,
    /// It holds from this much on: `8h`, `90m`, `1h 30m`, `2d`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub at_least: Option<At<String>>,
    /// It holds for less than this.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub below: Option<At<String>>,
}

/// An amount of octets, received and sent together: `at_least` or `below`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Octets {
    /// In which period.
    pub per: Period,
    /// It holds from this much on: `100 GiB`, `500 MB`, `1048576`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub at_least: Option<At<String>>,
    /// It holds for less than this.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub below: Option<At<String>>,
}

/// When does a new connection take the place of an old one in the count?
#[derive(Clone, Copy, Debug, std::default::Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Reconnect {
    /// If it comes from the same, non-empty remote computer name.
    #[default]
    SameComputer,
    /// If it comes from the same public address: several PCs behind one NAT share it.
    SameEndpoint,
    /// Never: the old one counts until RRAS has noticed its end.
    Strict,
}

/// How concurrent sessions are counted.
#[derive(Debug, std::default::Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// A dropped client often comes back before RRAS has noticed: which of its sessions does it replace?
    #[serde(default)]
    pub reconnect: Reconnect,
}

/// Which address a user gets.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Addresses {
    /// The pool of users whom neither rule nor group gives one; without it RRAS's own offer is kept.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub pool: Option<At<String>>,
    /// The same for IPv6 interface identifiers.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub ipv6_pool: Option<At<String>>,
    /// Does a user get the address again that he had last, if it is free?
    pub sticky: bool,
    /// What a user gets whose reservation is held already, by a ghost of his or by another device.
    pub reservation_held: ReservationHeld,
}

impl std::default::Default for Addresses {
    fn default() -> Self {
        Self { pool: None, ipv6_pool: None, sticky: true, reservation_held: ReservationHeld::Pool }
    }
}

/// A pool of IPv4 addresses or of IPv6 interface identifiers.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// IPv4: `10.20.16.0/24` (first and last address left out), `10.20.17.10-10.20.17.99`, `10.20.18.7`.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub addresses: Option<At<Vec<At<String>>>>,
    /// IPv6 interface identifiers, written as the low half of an address: `::1:0:0:0/112`, `::1-::ffff`.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub identifiers: Option<At<Vec<At<String>>>>,
    /// What is left out, in the same spellings.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub exclude: Vec<At<String>>,
    /// The pool that serves when this one is exhausted.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub next: Option<At<String>>,
    /// What happens when this pool and those after it are exhausted.
    #[serde(default)]
    pub when_exhausted: WhenExhausted,
}

/// Addresses that belong to one user.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    /// Whose.
    #[cfg_attr(test, schemars(with = "String"))]
    pub user: At<String>,
    /// The IPv4 address.
    #[cfg_attr(test, schemars(with = "Option<std::net::Ipv4Addr>"))]
    pub address: Option<At<String>>,
    /// The IPv6 interface identifier: `::a11c:e`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub identifier: Option<At<String>>,
    /// On this server only.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub server: Option<At<String>>,
}

/// When is a record on disk?
#[derive(Clone, Copy, Debug, std::default::Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// The accept and the hangup are on disk before the call returns: they survive a power cut.
    #[default]
    Fsync,
    /// Everything survives the end of the process; a power cut may lose the last moments.
    Process,
}

/// The journal: what the DLL writes.
#[derive(Debug, std::default::Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// The folder, relative to this file; if absent, `journal` beside it. Not on a network drive.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub folder: Option<At<String>>,
    /// When is a record on disk?
    #[serde(default)]
    pub durability: Durability,
    /// How long a callback may wait for other processes, in milliseconds (100 to 10000); 2000 if absent.
    #[cfg_attr(test, schemars(with = "Option<u32>"))]
    pub deadline_ms: Option<At<u32>>,
    /// May a connection stand that cannot be recorded? A rule can set it for the users whom it allows.
    #[serde(default)]
    pub when_unrecorded: WhenUnrecorded,
}

/// The ledger: the database that is made from the journal.
#[derive(Debug, std::default::Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// The file, relative to this one; if absent, `rasadmin.db` beside it. Not on a network drive.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub path: Option<At<String>>,
}
