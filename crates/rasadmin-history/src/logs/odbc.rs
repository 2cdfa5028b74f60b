//! The database-compatible format: one record per line, with its fields in a fixed order and texts in quotes.
//!
//! It is read line by line, so an unclosed quote affects only its own line.

use super::civil;
use super::fault::shown;
use super::octets::Texts;
use super::record::{Attribute, Record};
use Attribute as A;
use memchr::memchr;

/// The order of the fields. Older servers write fewer fields. Fields after the last one are skipped.
const COLUMNS: [Attribute; 66] = [
    A::ComputerName,
    A::ServiceName,
    A::Other, // Record-Date
    A::Other, // Record-Time
    A::PacketType,
    A::UserName,
    A::FullyQualifiedName,
    A::Other, // Called-Station-ID
    A::CallingStationId,
    A::Other, // Callback-Number
    A::FramedIpAddress,
    A::NasIdentifier,
    A::NasIpAddress,
    A::NasPort,
    A::Other, // Client-Vendor
    A::ClientIpAddress,
    A::ClientFriendlyName,
    A::EventTimestamp,
    A::Other, // Port-Limit
    A::NasPortType,
    A::ConnectInfo,
    A::Other, // Framed-Protocol
    A::Other, // Service-Type
    A::Other, // Authentication-Type
    A::Other, // Policy-Name
    A::ReasonCode,
    A::Class,
    A::Other, // Session-Timeout
    A::Other, // Idle-Timeout
    A::Other, // Termination-Action
    A::Other, // EAP-Friendly-Name
    A::AcctStatusType,
    A::AcctDelayTime,
    A::AcctInputOctets,
    A::AcctOutputOctets,
    A::AcctSessionId,
    A::Other, // Acct-Authentic
    A::AcctSessionTime,
    A::AcctInputPackets,
    A::AcctOutputPackets,
    A::AcctTerminateCause,
    A::AcctMultiSessionId,
    A::AcctLinkCount,
    A::Other, // Acct-Interim-Interval
    A::TunnelType,
    A::Other, // Tunnel-Medium-Type
    A::TunnelClientEndpoint,
    A::Other, // Tunnel-Server-Endpt
    A::Other, // Acct-Tunnel-Conn
    A::Other, // Tunnel-Pvt-Group-ID
    A::Other, // Tunnel-Assignment-ID
    A::Other, // Tunnel-Preference
    A::Other, // MS-Acct-Auth-Type
    A::Other, // MS-Acct-EAP-Type
    A::Other, // MS-RAS-Version
    A::MsRasVendor,
    A::Other, // MS-CHAP-Error
    A::MsChapDomain,
    A::Other, // MS-MPPE-Encryption-Types
    A::Other, // MS-MPPE-Encryption-Policy
    A::Other, // Proxy-Policy-Name
    A::Other, // Provider-Type
    A::Other, // Provider-Name
    A::Other, // Remote-Server-Address
    A::MsRasClientName,
    A::Other, // MS-RAS-Client-Version
];

/// The least number of fields in a record: up to the packet type.
const MIN_FIELDS: usize = 5;

/// Splits a line into fields. `each` is called with the number and the text of each field. Returns the number of
/// fields.
pub fn fields(line: &str, mut each: impl FnMut(usize, &str) -> Result<(), String>) -> Result<usize, String> {
    let (mut rest, mut count, mut text) = (line, 0, String::new());
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            text.clear();
            let mut inside = quoted;
            rest = loop {
                let Some(end) = memchr(b'"', inside.as_bytes()) else {
                    return Err(format!("field {}: its quote is not closed", count + 1));
                };
                text.push_str(&inside[..end]);
                let after = &inside[end + 1..];
                match after.strip_prefix('"') {
                    // A doubled quote is a quote in the text.
                    Some(more) => {
                        text.push('"');
                        inside = more;
                    }
                    None => break after,
                }
            };
            each(count, &text)?;
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err(format!("field {}: {} comes after its quote", count + 1, shown(rest)));
            }
        } else {
            let end = memchr(b',', rest.as_bytes()).unwrap_or(rest.len());
            each(count, rest[..end].trim())?;
            rest = &rest[end..];
        }
        count += 1;
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(count),
        }
    }
}

/// Parses a line into a record, and counts its fields.
pub fn counted_record(line: &str) -> Result<(Record, usize), String> {
    let mut record = Record::default();
    let (mut date, mut time) = (String::new(), String::new());
    let count = fields(line, |at, text| match at {
        2 => {
            text.clone_into(&mut date);
            Ok(())
        }
        3 => {
            text.clone_into(&mut time);
            Ok(())
        }
        _ => record.set_written(COLUMNS.get(at).copied().unwrap_or(A::Other), text, Texts::Quoted),
    })?;
    if count < MIN_FIELDS {
        return Err(format!("it has {count} of at least {MIN_FIELDS} fields"));
    }
    record.logged = civil::date_time(&date, &time);
    if record.logged.is_none() {
        return Err(format!("{} is not a date and time like `06/18/2024 14:45:48`", shown(&format!("{date} {time}"))));
    }
    if record.packet_type.is_none() {
        return Err("it has no Packet-Type".to_owned());
    }
    Ok((record, count))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn record(line: &str) -> Result<Record, String> {
        counted_record(line).map(|(record, _)| record)
    }

    #[test]
    fn the_columns_stand_where_the_real_record_has_them() {
        let sample = include_str!("../../tests/samples/rras-odbc.log");
        let r = record(sample.lines().next().unwrap()).unwrap();
        assert_eq!((r.computer.as_str(), r.service.as_str(), r.packet_type), ("CPU123", "RAS", Some(4)));
        assert_eq!((r.user_name.as_str(), r.calling_station.as_str()), ("myusername", "80.90.100.110"));
        assert_eq!((r.framed_ip_address.as_str(), r.nas_identifier.as_str()), ("192.168.180.52", "CPU123"));
        assert_eq!((r.nas_port, r.nas_port_type, r.event), (Some(9), Some(5), Some(1_718_718_348_000)));
        assert_eq!(r.class, "311 1 192.168.180.2 06/15/2024 17:41:37 169");
        assert_eq!((r.status, r.session_id.as_str(), r.multi_session_id.as_str()), (Some(1), "168", "117"));
        assert_eq!((r.link_count, r.tunnel_type), (Some(1), Some(79_617)));
        assert_eq!((r.tunnel_client.as_str(), r.ras_vendor), ("80.90.100.110", Some(311)));
        assert_eq!((r.chap_domain.as_str(), r.ras_client_name.as_str()), ("WGADOMAIN", "MSRAS-0-CPU123"));
    }

    #[test]
    fn quotes_commas_and_short_lines() {
        let r = record(r#""S","RAS",06/18/2024,14:45:48,4,"a ""b"", c""#).unwrap();
        assert_eq!(r.user_name, r#"a "b", c"#);
        assert!(record("S,RAS,06/18/2024,14:45:48,4").is_ok());
        let faults = [
            ("S,RAS,06/18/2024,14:45:48", "it has 4 of at least 5 fields"),
            (r#""S","RAS",06/18/2024,14:45:48,4,"a"#, "field 6: its quote is not closed"),
            (r#""S"x,"RAS",06/18/2024,14:45:48,4"#, "field 1: `x,\"RAS\",06/18/2024,14:45:48,4` comes after its quote"),
            ("S,RAS,18.06.2024,14:45:48,4", "`18.06.2024 14:45:48` is not a date and time like `06/18/2024 14:45:48`"),
            ("S,RAS,06/18/2024,14:45:48,x", "Packet-Type is `x`, not a number"),
            ("S,RAS,06/18/2024,14:45:48,", "it has no Packet-Type"),
        ];
        for (line, fault) in faults {
            assert_eq!(record(line).unwrap_err(), fault, "{line}");
        }
    }
}
