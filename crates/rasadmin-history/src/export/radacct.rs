//! Exports SQL for FreeRADIUS's table `radacct`, version 3.0.20 and later.

use super::{Export, time, was_established};
use rasadmin_ledger::report::SessionRow;
use rasadmin_policy::Millis;
use rasadmin_policy::Name;
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Rows per statement, and statements per transaction.
const ROWS: usize = 100;
const STATEMENTS: usize = 10;

/// The SQL dialect. FreeRADIUS's table definitions differ in how they store a time and what may be NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sql {
    /// `timestamp with time zone`, `inet`, NULL.
    Postgresql,
    /// MySQL and MariaDB: `datetime` in the session's zone, empty texts, limited lengths.
    Mysql,
    /// Seconds since 1970, empty texts.
    Sqlite,
}

/// The NAS-IP-Address of each server. The table requires it, and the ledger does not have it.
#[derive(Clone, Debug)]
pub struct NasAddresses {
    /// By the server's folded name.
    pub by_server: HashMap<Name, Ipv4Addr>,
    /// For all other servers.
    pub others: Ipv4Addr,
}

impl NasAddresses {
    fn of(&self, server: &Name) -> Ipv4Addr {
        self.by_server.get(&server.folded()).copied().unwrap_or(self.others)
    }
}

const COLUMNS: [&str; 22] = [
    "acctsessionid",
    "acctuniqueid",
    "username",
    "realm",
    "nasipaddress",
    "nasportid",
    "nasporttype",
    "acctstarttime",
    "acctupdatetime",
    "acctstoptime",
    "acctsessiontime",
    "connectinfo_start",
    "acctinputoctets",
    "acctoutputoctets",
    "calledstationid",
    "callingstationid",
    "acctterminatecause",
    "servicetype",
    "framedprotocol",
    "framedipaddress",
    "framedipv6prefix",
    "framedinterfaceid",
];

/// The columns that identify a session: a later export updates all others.
const KEYS: [&str; 2] = ["acctsessionid", "acctuniqueid"];

/// Whether a session has its end. MySQL sets one column after the other, so this one comes last.
const END: &str = "acctstoptime";

/// Writes SQL.
pub struct Radacct<W> {
    out: W,
    sql: Sql,
    addresses: NasAddresses,
    rows: Vec<String>,
    statements: usize,
}

impl<W: Write> Radacct<W> {
    /// Writes the settings that the database needs first.
    pub fn new(mut out: W, sql: Sql, addresses: NasAddresses) -> io::Result<Self> {
        writeln!(out, "-- Sessions for FreeRADIUS's table radacct. Loaded again, they are not doubled.")?;
        match sql {
            Sql::Postgresql => writeln!(out, "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;")?,
            Sql::Mysql => {
                // In the strict mode, one name with a character that the table's character set lacks would end the
                // load. Without it, MySQL writes a question mark in its place.
                writeln!(out, "SET NAMES utf8mb4;\nSET sql_mode = '';")?;
            }
            Sql::Sqlite => {}
        }
        Ok(Self { out, sql, addresses, rows: Vec::new(), statements: 0 })
    }

    fn row(&self, s: &SessionRow) -> String {
        let name = |name: &Name, most| self.text(&name.to_string(), most);
        let number = |n: Option<u64>| n.map_or("NULL".to_owned(), |n| n.to_string());
        let ipv6 = s.framed_ipv6_prefix.as_deref().filter(|text| is_ipv6(text));
        let identifier = s.framed_interface_id.as_deref().and_then(|text| text.parse::<Ipv6Addr>().ok());
        let identifier = identifier.map(|address| {
            let [.., a, b, c, d] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        });
        let address = s.framed_ip_address.as_deref().filter(|text| text.parse::<Ipv4Addr>().is_ok());
        let tunnel = s.tunnel_type.as_deref();
        let values: [String; COLUMNS.len()] = [
            self.text(&s.acct_session_id, 64),
            self.text(&s.acct_session_id.replace('-', ""), 32),
            name(&s.user_name, 64),
            s.domain.as_ref().map_or("''".to_owned(), |domain| name(domain, 64)),
            format!("'{}'", self.addresses.of(&s.nas_identifier)),
            s.port().map_or("NULL".to_owned(), |port| self.text(&port, 32)),
            "'Virtual'".to_owned(),
            self.time(s.acct_start_time),
            self.time(s.connected_until(s.acct_start_time)),
            s.acct_stop_time.map_or("NULL".to_owned(), |stop| self.time(stop)),
            number(s.acct_session_time),
            tunnel.map_or("NULL".to_owned(), |tunnel| self.text(tunnel, 50)),
            number(s.acct_input_octets),
            number(s.acct_output_octets),
            name(&s.nas_identifier, 50),
            self.text(&s.calling_station_id, 50),
            self.text(s.acct_terminate_cause.as_deref().unwrap_or(""), 32),
            "'Framed-User'".to_owned(),
            if tunnel == Some("IKEv2") { "NULL".to_owned() } else { "'PPP'".to_owned() },
            self.maybe(address),
            self.maybe(ipv6),
            self.maybe(identifier.as_deref()),
        ];
        format!("({})", values.join(", "))
    }

    /// Formats a text literal. Names are written as people see them, without control characters. MySQL refuses texts
    /// that are too long.
    fn text(&self, text: &str, most: usize) -> String {
        let text: String = match self.sql {
            Sql::Mysql => text.chars().take(most).collect(),
            Sql::Postgresql | Sql::Sqlite => text.to_owned(),
        };
        let text: String = text.chars().map(|c| if rasadmin_text::is_unsafe(c) { '\u{fffd}' } else { c }).collect();
        if self.sql == Sql::Mysql && text.contains('\\') {
            // Every `DOMAIN\user` has a backslash, and a setting of the server says what it means in quotes.
            return text.bytes().fold("_utf8mb4 0x".to_owned(), |digits, byte| format!("{digits}{byte:02X}"));
        }
        format!("'{}'", text.replace('\'', "''"))
    }

    /// Formats an optional text. As the tables are defined, an unknown value is NULL in PostgreSQL, and an empty text
    /// elsewhere.
    fn maybe(&self, text: Option<&str>) -> String {
        match (text, self.sql) {
            (Some(text), _) => self.text(text, 45),
            (None, Sql::Postgresql) => "NULL".to_owned(),
            (None, Sql::Mysql | Sql::Sqlite) => "''".to_owned(),
        }
    }

    /// Formats a time as FreeRADIUS's own queries do.
    fn time(&self, millis: Millis) -> String {
        let at = time(millis);
        match self.sql {
            Sql::Postgresql => format!("'{}+00'", at.strftime("%Y-%m-%d %H:%M:%S.%3f")),
            Sql::Mysql => format!("FROM_UNIXTIME({})", at.as_second()),
            Sql::Sqlite => at.as_second().to_string(),
        }
    }

    fn statement(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        if self.statements == 0 {
            writeln!(self.out, "BEGIN;")?;
        }
        writeln!(self.out, "INSERT INTO radacct ({}) VALUES", COLUMNS.join(", "))?;
        writeln!(self.out, "{}", self.rows.join(",\n"))?;
        writeln!(self.out, "{};", self.on_conflict())?;
        self.rows.clear();
        self.statements += 1;
        if self.statements == STATEMENTS {
            self.commit()?;
        }
        Ok(())
    }

    /// What a session becomes that is there already: as this export has it. The ledger corrects sessions, their ends
    /// too. An end that is known is never replaced by an unknown one, which an older export may have.
    fn on_conflict(&self) -> String {
        let others = COLUMNS.into_iter().filter(|column| !KEYS.contains(column) && *column != END).chain([END]);
        if self.sql == Sql::Mysql {
            let newer = format!("VALUES({END}) IS NOT NULL OR {END} IS NULL");
            let set: Vec<_> =
                others.map(|column| format!("{column} = IF({newer}, VALUES({column}), {column})")).collect();
            return format!("ON DUPLICATE KEY UPDATE {}", set.join(", "));
        }
        let set: Vec<_> = others.map(|column| format!("{column} = excluded.{column}")).collect();
        format!(
            "ON CONFLICT (acctuniqueid) DO UPDATE SET {}\nWHERE excluded.{END} IS NOT NULL OR radacct.{END} IS NULL",
            set.join(", ")
        )
    }

    fn commit(&mut self) -> io::Result<()> {
        if self.statements > 0 {
            writeln!(self.out, "COMMIT;")?;
            self.statements = 0;
        }
        Ok(())
    }
}

fn is_ipv6(text: &str) -> bool {
    let (address, length) = text.split_once('/').unwrap_or((text, "128"));
    address.parse::<Ipv6Addr>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= 128)
}

impl<W: Write> Export for Radacct<W> {
    fn session(&mut self, session: SessionRow) -> io::Result<bool> {
        if !was_established(&session) {
            return Ok(false);
        }
        self.rows.push(self.row(&session));
        if self.rows.len() == ROWS {
            self.statement()?;
        }
        Ok(true)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.statement()?;
        self.commit()?;
        self.out.flush()
    }
}
