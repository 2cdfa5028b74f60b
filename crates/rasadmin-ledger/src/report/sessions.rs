//! Queries for sessions.

use super::filter::Filter;
use super::{Reader, rfc3339, rfc3339_or_null};
use crate::imported::NO_END;
use crate::sqlite::{ColumnError, Row};
use crate::value::values;
use crate::{Error, RowId, queries};
use rasadmin_engine::effect::ClosedBy;
use rasadmin_engine::{Identity, Millis, Name};
use schemars::JsonSchema;
use serde::Serialize;

/// A day, in milliseconds.
const DAY: Millis = 86_400_000;

/// A session: one connection of one user, from its accept to its hangup. docs/ledger.md describes the columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SessionRow {
    /// The session's number in this ledger.
    pub id: RowId,
    /// The session's key, unique everywhere: a UUID. It is not RRAS's own session id, which repeats.
    pub acct_session_id: String,
    /// The RRAS server.
    pub nas_identifier: Name,
    /// The user's domain in upper case, as `[domains]` maps it. Null if RRAS passed no name.
    pub domain: Option<Name>,
    /// The user's name in upper case, without the domain. Null if RRAS passed no name.
    pub name: Option<Name>,
    /// The user, exactly as RRAS passed it.
    pub user_name: Name,
    /// The client's computer name. Empty if the client sent none.
    pub remote_computer: Name,
    /// The client's public address, the latest after a move; or what an imported log has in its place, such as a
    /// phone number. Empty if it is not known.
    pub calling_station_id: String,
    /// What connected: `client`, `home-router`, `full-router`, `dedicated` or `other`. Empty if it is not known.
    pub interface_type: String,
    /// The latest quarantine state: `normal`, `quarantine`, `probation` or `not-capable`. Empty if it is not known.
    pub quarantine: String,
    /// The tunnel: `SSTP`, `IKEv2`, `L2TP` or `PPTP`. Null before the first link of a PPP tunnel.
    pub tunnel_type: Option<String>,
    /// The port of the first link, such as `VPN2-127`.
    pub nas_port_id: Option<Name>,
    /// The port's number: NAS-Port. Null if it was not imported from a log that has it.
    pub nas_port: Option<u32>,
    /// The client's IPv4 address.
    pub framed_ip_address: Option<String>,
    /// The client's IPv6 interface identifier, written as the low half of an address: `::a11c:e`.
    pub framed_interface_id: Option<String>,
    /// The IPv6 prefix that RRAS gave to the client.
    pub framed_ipv6_prefix: Option<String>,
    /// When the DLL accepted it: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub acct_start_time: Millis,
    /// When its first link was established: RFC 3339, UTC. Null if none was.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub established: Option<Millis>,
    /// The number of links that are connected now.
    pub live_links: u32,
    /// The number of links that the session has ever had.
    pub acct_link_count: u32,
    /// When it ended: RFC 3339, UTC. Null while it is live, and if the log that it was imported from does not have its
    /// end (`closed_by` is then `end not in the log`).
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub acct_stop_time: Option<Millis>,
    /// When it was last seen connected, if its end is not known: RFC 3339, UTC. Null for all other sessions.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_seen: Option<Millis>,
    /// How long it lasted, in seconds: as RRAS reported at the hangup, else from start to stop. Null if it has no
    /// `acct_stop_time`.
    pub acct_session_time: Option<u64>,
    /// Octets from the user; while the session is live, as the rasadmin service last recorded or (`sessions`) last saw
    /// them. Null if neither a hangup nor the rasadmin service reported any.
    pub acct_input_octets: Option<u64>,
    /// Octets to the user, in the same way.
    pub acct_output_octets: Option<u64>,
    /// Frames from the user; while the session is live, as the rasadmin service last recorded them.
    pub acct_input_packets: Option<u64>,
    /// Frames to the user, in the same way.
    pub acct_output_packets: Option<u64>,
    /// `exact`, or `lower bound` if a 32-bit counter may have wrapped unseen. Of a live session, always `lower bound`,
    /// unless the rasadmin service has just seen it (`sessions`). Null if no octets are known.
    pub octets_are: Option<String>,
    /// Why it ended, in RADIUS's words: `NAS-Reboot`, `Admin-Reset` or `Session-Timeout`. Null if rasadmin does not know;
    /// an imported session has what its log says.
    pub acct_terminate_cause: Option<String>,
    /// How rasadmin learnt of its end: `hangup`, `instance ended` and so on. Null while it is live.
    pub closed_by: Option<String>,
    /// True if nobody saw its end, so that `acct_stop_time` and `acct_session_time` are estimates.
    pub estimated: bool,
    /// True if it counts for quotas. False if its first link was rejected or never came, so that the user was not
    /// connected; while it is live; and if it was imported.
    pub billed: bool,
    /// The log that it was imported from: `odbc`, `dts` or `ias`. Null if the DLL recorded it.
    pub imported: Option<String>,
    /// True if the rasadmin service found the connection in RRAS before a call had announced it.
    pub adopted: bool,
    /// What was decided last about disconnecting it: `marked` (a newer session replaces it, and the rasadmin service has not
    /// seen that yet), `reported` (it stayed connected) or `enforced` (the service has asked RRAS to disconnect it). Null if
    /// nothing was.
    pub disconnect: Option<String>,
    /// When that was decided: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub disconnect_time: Option<Millis>,
    /// Why: `rule`, `blocked`, `replaced` or `asked`.
    pub disconnect_why: Option<String>,
    /// The rule.
    pub disconnect_rule: Option<String>,
    /// The reason that the rule or an administrator gave.
    pub disconnect_reason: Option<String>,
    /// The account that asked.
    pub disconnect_by: Option<String>,
    /// When the user's client came back in another session and left this one behind, which from then on does not count in
    /// limits and quotas: RFC 3339, UTC. Null if it did not, or if RRAS has shown since that the client is still connected.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub replaced: Option<Millis>,
}

impl SessionRow {
    /// The user, if known.
    pub fn user(&self) -> Option<Identity> {
        Some(Identity { domain: self.domain.clone()?, name: self.name.clone()? })
    }

    /// The port for people: its name, else its number.
    pub fn port(&self) -> Option<String> {
        self.nas_port_id.as_ref().map(ToString::to_string).or_else(|| self.nas_port.map(|port| port.to_string()))
    }

    /// Is it still connected?
    pub fn is_live(&self) -> bool {
        self.acct_stop_time.is_none() && self.last_seen.is_none()
    }

    /// Why its user was never connected, if so: a session begins when RRAS has the connection accepted, and its first link
    /// can still be denied, or never come up.
    pub fn never_connected(&self) -> Option<ClosedBy> {
        let by = self.closed_by.as_deref()?;
        [ClosedBy::FirstLinkRejected, ClosedBy::NeverEstablished].into_iter().find(|why| why.name() == by)
    }

    /// Until when it was connected, as far as is known: its end, else when it was last seen. A live session is connected
    /// now.
    pub fn connected_until(&self, now: Millis) -> Millis {
        self.acct_stop_time.or(self.last_seen).unwrap_or(now)
    }

    /// Is its end that of a restart in the log that it was imported from? If so, it ended then at the latest.
    pub fn ended_at_latest(&self) -> bool {
        self.imported.is_some() && self.estimated && self.last_seen.is_none()
    }

    /// May there have been more octets than are known?
    pub fn octets_are_lower_bound(&self) -> bool {
        self.octets_are.as_deref() == Some("lower bound")
    }

    /// How long it lasted at least, in seconds, if its end is not known.
    pub fn seconds_seen(&self) -> Option<u64> {
        u64::try_from((self.last_seen? - self.acct_start_time) / 1000).ok().filter(|&seconds| seconds > 0)
    }

    pub(super) fn read(row: &Row<'_>) -> Result<Self, ColumnError> {
        let (stop, closed_by): (_, Option<String>) = (row.get(19)?, row.get(27)?);
        let no_end = closed_by.as_deref() == Some(NO_END);
        let (acct_stop_time, last_seen) = if no_end { (None, stop) } else { (stop, None) };
        Ok(Self {
            id: row.get(0)?,
            acct_session_id: row.get(1)?,
            nas_identifier: row.get(2)?,
            domain: row.get(3)?,
            name: row.get(4)?,
            user_name: row.get(5)?,
            remote_computer: row.get(6)?,
            calling_station_id: row.get(7)?,
            interface_type: row.get(8)?,
            quarantine: row.get(9)?,
            tunnel_type: row.get(10)?,
            nas_port_id: row.get(11)?,
            framed_ip_address: row.get(12)?,
            framed_interface_id: row.get(13)?,
            framed_ipv6_prefix: row.get(14)?,
            acct_start_time: row.get(15)?,
            established: row.get(16)?,
            live_links: row.get(17)?,
            acct_link_count: row.get(18)?,
            acct_stop_time,
            last_seen,
            acct_session_time: row.get::<Option<u64>>(20)?.filter(|_| !no_end),
            acct_input_octets: row.get(21)?,
            acct_output_octets: row.get(22)?,
            acct_input_packets: row.get(23)?,
            acct_output_packets: row.get(24)?,
            octets_are: row.get(25)?,
            acct_terminate_cause: row.get(26)?,
            closed_by,
            estimated: row.get::<Option<bool>>(28)?.unwrap_or(false),
            billed: row.get::<Option<bool>>(29)?.unwrap_or(false),
            imported: row.get(30)?,
            nas_port: row.get(31)?,
            adopted: row.get(32)?,
            disconnect: row.get(33)?,
            disconnect_time: row.get(34)?,
            disconnect_why: row.get(35)?,
            disconnect_rule: row.get(36)?,
            disconnect_reason: row.get(37)?,
            disconnect_by: row.get(38)?,
            replaced: row.get(39)?,
        })
    }
}

impl Reader {
    /// Sessions, the latest first. If `live`, only connected ones. Imported sessions are left out if the ledger itself
    /// covers their time, and connections whose first link was rejected or never came.
    pub fn sessions(&self, filter: &Filter, live: bool) -> Result<Vec<SessionRow>, Error> {
        let query = match live {
            true => queries::LIVE_SESSIONS,
            false if filter.is_of_one_user() => queries::SESSIONS_OF_USER,
            false => queries::SESSIONS,
        };
        self.database.all(query, &filter.limited(), SessionRow::read)
    }

    /// Sessions that were to be disconnected, the latest decision first. The filter's period is that of the decisions.
    pub fn disconnects(&self, filter: &Filter) -> Result<Vec<SessionRow>, Error> {
        self.database.all(queries::DISCONNECTS, &filter.limited(), SessionRow::read)
    }

    /// Finds a session by its number, its key, or the beginning or end of its key (at least eight characters). None if
    /// there is none; an error text if there are several.
    pub fn session(&self, typed: &str) -> Result<Result<Option<SessionRow>, String>, Error> {
        // A part of a key can consist of digits, and its last part begins with a hyphen: `-438448860192` is no number.
        let number = typed.parse::<i64>().ok().filter(|_| typed.bytes().all(|b| b.is_ascii_digit()));
        if let Some(id) = number {
            let found = self.database.one(queries::SESSION, values! { id: id }, SessionRow::read)?;
            if found.is_some() || typed.len() < 8 {
                return Ok(Ok(found));
            }
        }
        if typed.len() < 8 || !typed.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
            return Ok(Err("name a session by its number, or by at least eight characters of its key".to_owned()));
        }
        let key = values! { key: typed.to_ascii_lowercase() };
        let mut found = self.database.all(queries::SESSIONS_WITH_KEY, key, SessionRow::read)?;
        Ok(match found.len() {
            0 | 1 => Ok(found.pop()),
            _ => Err("several sessions have such a key: type more characters of it".to_owned()),
        })
    }

    /// Calls `each` for every session that was connected at some time in a period, in no particular order. What
    /// [`sessions`](Self::sessions) leaves out is left out.
    pub fn each_session_in(&self, from: Millis, to: Millis, each: &mut dyn FnMut(SessionRow)) -> Result<(), Error> {
        let period = values! { from: from, to: to, day_before: from.saturating_sub(DAY) };
        self.database.each(queries::SESSIONS_IN_PERIOD, period, |row| SessionRow::read(row).map(&mut *each))
    }

    /// How many sessions [`each_session_in`](Self::each_session_in) a period has, together with the attempts to connect
    /// that were refused in it, also by NPS, but not by a block.
    pub fn attempts_in(&self, from: Millis, to: Millis) -> Result<u64, Error> {
        let period = values! { from: from, to: to, day_before: from.saturating_sub(DAY) };
        let count = self.database.one(queries::ATTEMPTS_IN_PERIOD, period, |row| row.get(0))?;
        Ok(count.unwrap_or(0))
    }
}
