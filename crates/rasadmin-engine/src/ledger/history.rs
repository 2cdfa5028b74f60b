//! The ledger's sessions as history: written from other logs, and read for other programs.

use super::{Away, AwayKind, Id, Millis, Usage, sqlite};
use crate::{Identity, Name};
use rusqlite::{Connection, OpenFlags, Row, params};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// For reports: true of the ledger's own sessions, and of those imported ones whose server and time the ledger does not
/// cover itself. It is a condition on `sessions`.
pub const COUNTS_IN_REPORTS: &str = "(sessions.imported IS NULL OR NOT EXISTS (
    SELECT 1 FROM instances WHERE instances.server = sessions.nas_identifier COLLATE NOCASE
        AND sessions.acct_stop_time >= instances.started AND sessions.acct_start_time <= instances.last_activity))";

/// How an imported session ended, where its log does not say.
pub const NO_END: &str = "end not in the log";

/// A session of another log. It is over, whatever its log says, so that it counts nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The session's key: a UUID, always the same for the same session of the same log.
    pub key: String,
    /// Which log: `odbc`, `dts`, `ias`.
    pub source: &'static str,
    /// The RRAS server.
    pub server: Name,
    /// Who it was, if the log says.
    pub user: Option<Identity>,
    /// The user's name as the log has it.
    pub user_name: Name,
    /// The client's computer; empty if the log does not say.
    pub computer: Name,
    /// The client's public address; empty if the log does not say.
    pub calling: String,
    /// The tunnel's name, or RADIUS's number for it.
    pub tunnel: Option<String>,
    /// The port's name.
    pub port: Option<Name>,
    /// The client's IPv4 address.
    pub address: Option<Ipv4Addr>,
    /// The client's IPv6 interface identifier, as the ledger writes it.
    pub interface_id: Option<String>,
    /// The client's IPv6 prefix.
    pub prefix: Option<String>,
    /// When it began.
    pub start: Millis,
    /// When it ended, or was seen last.
    pub stop: Millis,
    /// Seconds.
    pub seconds: u64,
    /// Octets and frames; None if the log does not say.
    pub usage: Option<Usage>,
    /// Are the octets exact?
    pub exact: bool,
    /// How many links.
    pub links: u32,
    /// Acct-Terminate-Cause, as RADIUS names it.
    pub cause: Option<String>,
    /// As in `closed_by`.
    pub closed_by: &'static str,
    /// Was its end not seen?
    pub estimated: bool,
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions that the ledger did not have.
    pub new: u64,
    /// Sessions that it had without their end.
    pub completed: u64,
    /// Sessions that it had: nothing was changed.
    pub already_there: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.new += more.new;
        self.completed += more.completed;
        self.already_there += more.already_there;
    }
}

/// What a ledger already has, without writing to it.
#[derive(Debug)]
pub struct Known {
    connection: Connection,
    path: PathBuf,
}

impl Known {
    /// Opens a ledger that is there.
    pub fn open(path: &Path) -> Result<Self, Away> {
        Ok(Self { connection: open(path)?, path: path.to_owned() })
    }

    /// What an import would do.
    pub fn compare(&self, sessions: &[Imported]) -> Result<Counts, Away> {
        let compare = || -> rusqlite::Result<Counts> {
            let mut counts = Counts::default();
            let mut statement = self.connection.prepare_cached(
                "SELECT acct_stop_time, imported IS NOT NULL AND estimated = 1 FROM sessions WHERE acct_session_id = ?1",
            )?;
            for session in sessions {
                let mut rows = statement.query([&session.key])?;
                let known = match rows.next()? {
                    Some(row) => Some((row.get::<_, Option<Millis>>(0)?, row.get::<_, Option<bool>>(1)?)),
                    None => None,
                };
                match known {
                    None => counts.new += 1,
                    Some((Some(stop), Some(true))) if !session.estimated || session.stop > stop => {
                        counts.completed += 1
                    }
                    Some(_) => counts.already_there += 1,
                }
            }
            Ok(counts)
        };
        compare().map_err(|e| sqlite::error(&self.path, &e))
    }
}

/// For reading.
fn open(path: &Path) -> Result<Connection, Away> {
    let failed = |e: rusqlite::Error| sqlite::error(path, &e);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(failed)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    if version == sqlite::VERSION {
        return Ok(connection);
    }
    let message = format!(
        "{}: its version is {version}, and this program reads version {}; the service of the same version brings it up \
         to date when it starts",
        path.display(),
        sqlite::VERSION
    );
    Err(Away { kind: AwayKind::Foreign, message })
}

/// A session as the ledger has it. Its columns are explained in docs/ledger.md.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Session {
    pub id: Id,
    pub acct_session_id: String,
    pub nas_identifier: Name,
    pub user: Option<Identity>,
    pub user_name: Name,
    pub remote_computer: Name,
    pub calling_station_id: String,
    pub interface_type: String,
    pub quarantine: String,
    pub tunnel_type: Option<String>,
    pub nas_port_id: Option<Name>,
    pub framed_ip_address: Option<String>,
    pub framed_interface_id: Option<String>,
    pub framed_ipv6_prefix: Option<String>,
    pub acct_start_time: Millis,
    pub established: Option<Millis>,
    pub acct_link_count: u32,
    pub acct_stop_time: Option<Millis>,
    pub acct_session_time: Option<u64>,
    pub acct_input_octets: Option<u64>,
    pub acct_output_octets: Option<u64>,
    pub acct_input_packets: Option<u64>,
    pub acct_output_packets: Option<u64>,
    pub octets_are: Option<String>,
    pub acct_terminate_cause: Option<String>,
    pub closed_by: Option<String>,
    pub estimated: Option<bool>,
    pub billed: Option<bool>,
    pub imported: Option<String>,
}

/// Which sessions are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// That began at this time or later.
    pub since: Option<Millis>,
    /// That began before this time.
    pub until: Option<Millis>,
    /// Of this user.
    pub user: Option<Identity>,
    /// Only imported ones (true), only the ledger's own (false).
    pub imported: Option<bool>,
}

impl Wanted {
    fn has(&self, session: &Session) -> bool {
        self.user.as_ref().is_none_or(|user| session.user.as_ref() == Some(user))
            && self.imported.is_none_or(|imported| session.imported.is_some() == imported)
    }
}

/// Sessions a page, so that no read lasts: a read that lasts lets the write-ahead log grow and slows RRAS.
const PAGE: i64 = 2_000;

/// Reads sessions in the order in which they began.
#[derive(Debug)]
pub struct Sessions {
    connection: Connection,
    path: PathBuf,
    wanted: Wanted,
    /// The last one that was read.
    after: Option<(Millis, Id)>,
    /// What began after the reading did is not waited for.
    last: Id,
    page: std::vec::IntoIter<Session>,
}

impl Sessions {
    /// Opens a ledger that is there.
    pub fn open(path: &Path, wanted: Wanted) -> Result<Self, Away> {
        let failed = |e: rusqlite::Error| sqlite::error(path, &e);
        let connection = open(path)?;
        let last =
            connection.query_row("SELECT coalesce(max(id), 0) FROM sessions", [], |row| row.get(0)).map_err(failed)?;
        Ok(Self { connection, path: path.to_owned(), wanted, after: None, last, page: Vec::new().into_iter() })
    }

    /// How many the ledger has at most: for a progress bar.
    pub fn at_most(&self) -> u64 {
        u64::try_from(self.last).unwrap_or(0)
    }

    fn next_page(&mut self) -> rusqlite::Result<bool> {
        let (start, id) = self.after.unwrap_or((self.wanted.since.unwrap_or(i64::MIN), i64::MIN));
        let mut statement = self.connection.prepare_cached(
            "SELECT id, acct_session_id, nas_identifier, domain, name, user_name, remote_computer, calling_station_id,
                 interface_type, quarantine, tunnel_type, nas_port_id, framed_ip_address, framed_interface_id,
                 framed_ipv6_prefix, acct_start_time, established, acct_link_count, acct_stop_time, acct_session_time,
                 acct_input_octets, acct_output_octets, acct_input_packets, acct_output_packets, octets_are,
                 acct_terminate_cause, closed_by, estimated, billed, imported
             FROM sessions INDEXED BY sessions_start
             WHERE (acct_start_time, id) > (?1, ?2) AND acct_start_time < ?3
             ORDER BY acct_start_time, id LIMIT ?4",
        )?;
        let rows = statement.query_map(params![start, id, self.wanted.until.unwrap_or(i64::MAX), PAGE], session)?;
        let mut page = rows.collect::<Result<Vec<_>, _>>()?;
        let Some(last) = page.last() else { return Ok(false) };
        self.after = Some((last.acct_start_time, last.id));
        page.retain(|session| session.id <= self.last && self.wanted.has(session));
        self.page = page.into_iter();
        Ok(true)
    }
}

impl Iterator for Sessions {
    type Item = Result<Session, Away>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(session) = self.page.next() {
                return Some(Ok(session));
            }
            match self.next_page() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(e) => return Some(Err(sqlite::error(&self.path, &e))),
            }
        }
    }
}

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    let count = |at| row.get::<_, Option<i64>>(at).map(|n| n.map(i64::cast_unsigned));
    let name = |at| row.get::<_, String>(at).map(Name::from_stored);
    let user = match (row.get::<_, Option<String>>(3)?, row.get::<_, Option<String>>(4)?) {
        (Some(domain), Some(name)) => {
            Some(Identity { domain: Name::from_stored(domain), name: Name::from_stored(name) })
        }
        _ => None,
    };
    Ok(Session {
        id: row.get(0)?,
        acct_session_id: row.get(1)?,
        nas_identifier: name(2)?,
        user,
        user_name: name(5)?,
        remote_computer: name(6)?,
        calling_station_id: row.get(7)?,
        interface_type: row.get(8)?,
        quarantine: row.get(9)?,
        tunnel_type: row.get(10)?,
        nas_port_id: row.get::<_, Option<String>>(11)?.map(Name::from_stored),
        framed_ip_address: row.get(12)?,
        framed_interface_id: row.get(13)?,
        framed_ipv6_prefix: row.get(14)?,
        acct_start_time: row.get(15)?,
        established: row.get(16)?,
        acct_link_count: row.get::<_, i64>(17)?.try_into().unwrap_or(0),
        acct_stop_time: row.get(18)?,
        acct_session_time: count(19)?,
        acct_input_octets: count(20)?,
        acct_output_octets: count(21)?,
        acct_input_packets: count(22)?,
        acct_output_packets: count(23)?,
        octets_are: row.get(24)?,
        acct_terminate_cause: row.get(25)?,
        closed_by: row.get(26)?,
        estimated: row.get(27)?,
        billed: row.get(28)?,
        imported: row.get(29)?,
    })
}
