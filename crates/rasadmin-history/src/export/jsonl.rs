//! Exports JSON Lines: one object for each session. Its names are those of the ledger's columns.

use super::{Export, rfc_3339};
use rasadmin_ledger::report::SessionRow;
use rasadmin_policy::Name;
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Object<'a> {
    acct_session_id: &'a str,
    nas_identifier: &'a str,
    user_name: &'a str,
    domain: Option<&'a str>,
    name: Option<&'a str>,
    calling_station_id: &'a str,
    remote_computer: &'a str,
    interface_type: &'a str,
    quarantine: &'a str,
    tunnel_type: Option<&'a str>,
    nas_port_id: Option<&'a str>,
    framed_ip_address: Option<&'a str>,
    framed_interface_id: Option<&'a str>,
    framed_ipv6_prefix: Option<&'a str>,
    acct_start_time: String,
    acct_stop_time: Option<String>,
    last_seen: Option<String>,
    acct_session_time: Option<u64>,
    acct_input_octets: Option<u64>,
    acct_output_octets: Option<u64>,
    acct_input_packets: Option<u64>,
    acct_output_packets: Option<u64>,
    octets_are: Option<&'a str>,
    acct_link_count: u32,
    acct_terminate_cause: Option<&'a str>,
    closed_by: Option<&'a str>,
    estimated: bool,
    billed: bool,
    imported: Option<&'a str>,
}

/// Writes JSON Lines.
#[derive(Debug)]
pub struct Jsonl<W> {
    out: W,
}

impl<W: Write> Jsonl<W> {
    /// Writes no header.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Export for Jsonl<W> {
    fn session(&mut self, s: SessionRow) -> io::Result<bool> {
        let object = Object {
            acct_session_id: &s.acct_session_id,
            nas_identifier: s.nas_identifier.as_str(),
            user_name: s.user_name.as_str(),
            domain: s.domain.as_ref().map(Name::as_str),
            name: s.name.as_ref().map(Name::as_str),
            calling_station_id: &s.calling_station_id,
            remote_computer: s.remote_computer.as_str(),
            interface_type: &s.interface_type,
            quarantine: &s.quarantine,
            tunnel_type: s.tunnel_type.as_deref(),
            nas_port_id: s.nas_port_id.as_ref().map(Name::as_str),
            framed_ip_address: s.framed_ip_address.as_deref(),
            framed_interface_id: s.framed_interface_id.as_deref(),
            framed_ipv6_prefix: s.framed_ipv6_prefix.as_deref(),
            acct_start_time: rfc_3339(s.acct_start_time),
            acct_stop_time: s.acct_stop_time.map(rfc_3339),
            last_seen: s.last_seen.map(rfc_3339),
            acct_session_time: s.acct_session_time,
            acct_input_octets: s.acct_input_octets,
            acct_output_octets: s.acct_output_octets,
            acct_input_packets: s.acct_input_packets,
            acct_output_packets: s.acct_output_packets,
            octets_are: s.octets_are.as_deref(),
            acct_link_count: s.acct_link_count,
            acct_terminate_cause: s.acct_terminate_cause.as_deref(),
            closed_by: s.closed_by.as_deref(),
            estimated: s.estimated,
            billed: s.billed,
            imported: s.imported.as_deref(),
        };
        let text = serde_json::to_string(&object).map_err(io::Error::from)?;
        writeln!(self.out, "{}", rasadmin_text::printable_json(&text))?;
        Ok(true)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
