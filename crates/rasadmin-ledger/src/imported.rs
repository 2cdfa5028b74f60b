//! Sessions and refused attempts imported from other logs. [`super::sqlite::Sqlite::import`],
//! [`super::sqlite::Sqlite::import_refusals`] and [`super::sqlite::Sqlite::import_restarts`] write them.

use rasadmin_engine::Millis;
use rasadmin_engine::{Fact, Facts, Identity, Name};
use schemars::JsonSchema;
use serde::Serialize;
use std::net::Ipv4Addr;

/// How an imported session ended if its log does not say. Its `acct_stop_time` is when it was last seen.
macro_rules! no_end {
    () => {
        "end not in the log"
    };
}
pub(crate) use no_end;

/// [`no_end`], as in the column `closed_by`.
pub const NO_END: &str = no_end!();

/// A session of another log. It has ended, whatever its log says, so that it counts for no limit and no quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedSession {
    /// The session's key: a UUID that is always the same for the same session of the same log.
    pub key: String,
    /// The log: `odbc`, `dts` or `ias`.
    pub source: &'static str,
    /// The RRAS server.
    pub server: Name,
    /// The user, if the log says.
    pub user: Option<Identity>,
    /// The user's name as in the log.
    pub user_name: Name,
    /// The client's computer name; empty if the log does not say.
    pub computer: Name,
    /// The client's public address, or what the log has in its place, such as a phone number; empty if the log does not say.
    pub calling: String,
    /// The tunnel's name, or its RADIUS number.
    pub tunnel: Option<String>,
    /// The port's name.
    pub port: Option<Name>,
    /// The port's number: NAS-Port.
    pub nas_port: Option<u32>,
    /// The client's IPv4 address.
    pub address: Option<Ipv4Addr>,
    /// The client's IPv6 interface identifier, as the low half of an address.
    pub interface_id: Option<String>,
    /// The client's IPv6 prefix.
    pub prefix: Option<String>,
    /// When it began.
    pub start: Millis,
    /// When it ended, or was last seen.
    pub stop: Millis,
    /// How long it lasted, in seconds.
    pub seconds: u64,
    /// Octets and frames.
    pub usage: ImportedUsage,
    /// Are the octets exact?
    pub exact: bool,
    /// The number of links.
    pub links: u32,
    /// Acct-Terminate-Cause, as RADIUS names it.
    pub cause: Option<String>,
    /// How its end is known, as in the column `closed_by`.
    pub closed_by: &'static str,
    /// True if its end was not seen.
    pub estimated: bool,
    /// Was it imported before from the same logs, without its end? If so, it is counted already.
    pub continued: bool,
}

impl ImportedSession {
    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let names = [&self.server, &self.user_name, &self.computer].map(|name| name.as_str().len());
        let port = self.port.as_ref().map_or(0, |port| port.as_str().len());
        let texts = [&self.tunnel, &self.interface_id, &self.prefix, &self.cause].map(text);
        let others = self.key.len() + self.calling.len() + port + identity_bytes(self.user.as_ref());
        size_of::<Self>() + names.iter().sum::<usize>() + texts.iter().sum::<usize>() + others
    }
}

fn identity_bytes(user: Option<&Identity>) -> usize {
    user.map_or(0, |user| user.domain.as_str().len() + user.name.as_str().len())
}

/// Octets and frames of an imported session. None is what its log does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportedUsage {
    /// Octets from the user.
    pub input_octets: Option<u64>,
    /// Octets to the user.
    pub output_octets: Option<u64>,
    /// Frames from the user.
    pub input_packets: Option<u64>,
    /// Frames to the user.
    pub output_packets: Option<u64>,
}

/// An attempt of another log that NPS refused: it becomes a decision. rasadmin was not asked about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedRefusal {
    /// Its key: a UUID that is always the same for the same attempt of the same log.
    pub key: String,
    /// The log: `odbc`, `dts` or `ias`.
    pub source: &'static str,
    /// When it was refused.
    pub time: Millis,
    /// The user's name as in the log.
    pub user_name: Name,
    /// What the log says about it.
    pub facts: Facts,
    /// Reason-Code.
    pub reason_code: Option<u32>,
    /// What the code means.
    pub reason: String,
}

impl ImportedRefusal {
    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        let facts = &self.facts;
        let name = |fact: &Fact<Name>| fact.known().map_or(0, |name| name.as_str().len());
        let names = facts.server.as_str().len() + name(&facts.port) + name(&facts.computer);
        let user = self.user_name.as_str().len() + identity_bytes(facts.user.known());
        size_of::<Self>() + self.key.len() + self.reason.len() + names + user
    }
}

/// A restart of a server, by another log: no session that began before it goes on after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedRestart {
    /// The RRAS server.
    pub server: Name,
    /// When it restarted.
    pub time: Millis,
}

/// What an import did: numbers of sessions, or of refused attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImportCounts {
    /// Those that the ledger did not have.
    pub new: u64,
    /// Sessions that the ledger had, and that the import completed or corrected.
    pub completed: u64,
    /// Those that the ledger already had: nothing was changed.
    pub already_there: u64,
    /// New sessions that reports leave out, because the ledger itself has their server's sessions of that time.
    pub hidden: u64,
}

impl std::ops::AddAssign for ImportCounts {
    fn add_assign(&mut self, more: Self) {
        self.new += more.new;
        self.completed += more.completed;
        self.already_there += more.already_there;
        self.hidden += more.hidden;
    }
}
