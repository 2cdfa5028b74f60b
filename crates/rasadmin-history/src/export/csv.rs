//! Exports CSV for people: RFC 4180, protected against formulas.

use super::{Export, rfc_3339, time};
use jiff::tz::TimeZone;
use rasadmin_ledger::report::SessionRow;
use rasadmin_policy::{Millis, Name};
use std::io::{self, Write};

const HEADER: [&str; 26] = [
    "Acct-Session-Id",
    "NAS-Identifier",
    "User-Name",
    "Domain",
    "Name",
    "Calling-Station-Id",
    "Remote-Computer",
    "Tunnel-Type",
    "NAS-Port-Id",
    "Framed-IP-Address",
    "Framed-Interface-Id",
    "Framed-IPv6-Prefix",
    "Acct-Start-Time",
    "Acct-Stop-Time",
    "Acct-Session-Time",
    "Acct-Input-Octets",
    "Acct-Output-Octets",
    "Acct-Input-Packets",
    "Acct-Output-Packets",
    "Octets-Are",
    "Acct-Link-Count",
    "Acct-Terminate-Cause",
    "Estimated",
    "Imported",
    "Last-Seen",
    "NAS-Port",
];

/// Writes CSV.
#[derive(Debug)]
pub struct Csv<W> {
    out: W,
    /// For Excel: the zone of its times.
    excel: Option<TimeZone>,
}

impl<W: Write> Csv<W> {
    /// Writes the header.
    pub fn new(mut out: W) -> io::Result<Self> {
        write!(out, "{}\r\n", HEADER.join(","))?;
        Ok(Self { out, excel: None })
    }

    /// For Excel: it takes a file for UTF-8 only if it begins with a byte order mark, and reads a time only without its
    /// zone. Times are in this one.
    pub fn for_excel(mut out: W, zone: TimeZone) -> io::Result<Self> {
        out.write_all("\u{feff}".as_bytes())?;
        Ok(Self { excel: Some(zone), ..Self::new(out)? })
    }

    fn time(&self, millis: Millis) -> String {
        match &self.excel {
            Some(zone) => zone.to_datetime(time(millis)).strftime("%Y-%m-%d %H:%M:%S").to_string(),
            None => rfc_3339(millis),
        }
    }
}

impl<W: Write> Export for Csv<W> {
    fn session(&mut self, s: SessionRow) -> io::Result<bool> {
        let name = |name: &Name| cell(&name.to_string());
        let text = |text: &Option<String>| cell(text.as_deref().unwrap_or(""));
        let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        let cells: [String; HEADER.len()] = [
            cell(&s.acct_session_id),
            name(&s.nas_identifier),
            name(&s.user_name),
            s.domain.as_ref().map(name).unwrap_or_default(),
            s.name.as_ref().map(name).unwrap_or_default(),
            cell(&s.calling_station_id),
            name(&s.remote_computer),
            text(&s.tunnel_type),
            s.nas_port_id.as_ref().map(name).unwrap_or_default(),
            text(&s.framed_ip_address),
            text(&s.framed_interface_id),
            text(&s.framed_ipv6_prefix),
            self.time(s.acct_start_time),
            s.acct_stop_time.map(|stop| self.time(stop)).unwrap_or_default(),
            number(s.acct_session_time),
            number(s.acct_input_octets),
            number(s.acct_output_octets),
            number(s.acct_input_packets),
            number(s.acct_output_packets),
            text(&s.octets_are),
            s.acct_link_count.to_string(),
            text(&s.acct_terminate_cause),
            if s.estimated { "yes" } else { "no" }.to_owned(),
            text(&s.imported),
            s.last_seen.map(|seen| self.time(seen)).unwrap_or_default(),
            s.nas_port.map(|port| port.to_string()).unwrap_or_default(),
        ];
        write!(self.out, "{}\r\n", cells.join(","))?;
        Ok(true)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Formats a cell. Spreadsheets treat a text that begins with one of these characters as a formula; an apostrophe
/// before it makes it a text. The cell is quoted if CSV requires it.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if text.contains([',', '"', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_texts_whatever_they_begin_with() {
        for (text, expected) in [
            ("alice", "alice"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1,B1)", "\"'@SUM(A1,B1)\""),
            ("a\"b,c", "\"a\"\"b,c\""),
            ("\tx", "'\tx"),
            (" x", "\" x\""),
            ("::1", "::1"),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
